"""What a fixed plan analyses is a pure function of the plan and the ledger's order."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support import values
from tests.support.entries import Content, entries, exposure, posted, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.cut import Cut, Entries, cut, in_force
from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.plan import Plan

SOON = START + timedelta(hours=1)
TIMES = values.experiment()
BOUGHT = values.experiment(metrics=(values.metric(name="bought", kind="binary", direction="increase", unit=None),))
PAIRS = BOUGHT.model_copy(update={"plan": Plan(sample_size=2, salt="salt")})
names = st.sampled_from(["control", "treatment"])
outcomes = st.builds(trial, names, st.floats(0.1, 10))
numbered = st.builds(lambda name, n: (name, f"{name}-{n}"), names, st.integers(1, 2))
met = numbered.map(lambda unit: exposure(*unit))
bought = st.builds(lambda unit, value: trial(unit[0], value, unit=unit[1], metric="bought"), numbered, st.booleans())


def chosen(experiment: Experiment, contents: list[Content]) -> Cut:
    return cut(experiment, entries(contents), now=SOON)


def full(n: int = 5) -> list[Content]:
    return [trial(name, 1.0 + number) for number in range(n) for name in ("control", "treatment")]


def stopped(experiment: Experiment, *, hours: float = 0.5) -> Experiment:
    return experiment.advanced("analyzing", at=START + timedelta(hours=hours), by="test")


@settings(deadline=None, max_examples=60)
@given(st.lists(outcomes, min_size=1, max_size=30))
def test_every_prefix_is_interim_until_the_plan_is_full_and_then_nothing_moves(contents: list[Content]) -> None:
    final: Entries | None = None
    for length in range(1, len(contents) + 1):
        found = chosen(TIMES, contents[:length])
        counts = [sum(e.variant == name for e in contents[:length]) for name in ("control", "treatment")]
        assert found.standing == ("final" if min(counts) >= 5 else "interim")
        if found.standing == "final":
            final = final or found.used
            assert found.used == final


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(met, bought), min_size=15, max_size=40))
def test_a_final_look_never_changes_whatever_is_recorded_later(contents: list[Content]) -> None:
    final = None
    for length in range(1, len(contents) + 1):
        look = look_at(PAIRS, entries(contents[:length]), now=SOON)
        if look.standing == "final":
            final = final or look
        if final is not None:
            assert look == final


def test_the_cut_lies_where_the_last_variant_was_filled() -> None:
    found = chosen(
        TIMES, [*full(4), *[trial("control", 1.0)] * 3, trial("treatment", 1.0), *[trial("control", 9.0)] * 3]
    )
    assert (found.through_seq, found.units) == (12, {"control": 7, "treatment": 5})
    assert len(found.used.trials) == 12


def test_units_count_and_not_trials() -> None:
    assert chosen(TIMES, [trial(n, 1.0, unit=n) for n in ("control", "treatment") for _ in range(9)]).units == {
        "control": 1,
        "treatment": 1,
    }


def test_an_early_stop_is_exploratory() -> None:
    found = cut(stopped(TIMES), entries(full(4)), now=SOON)
    assert (found.standing, found.waiting, found.through_seq) == ("exploratory", None, 8)


def test_a_stop_after_the_plan_was_full_is_final() -> None:
    assert cut(stopped(TIMES), entries(full()), now=SOON).standing == "final"


def test_a_stop_before_the_minimum_runtime_is_exploratory_although_the_plan_is_full() -> None:
    slow = values.experiment(plan=Plan(sample_size=5, salt="s", min_runtime_days=1.0))
    assert cut(stopped(slow), entries(full()), now=SOON).standing == "exploratory"


def test_before_the_minimum_runtime_there_is_no_look_and_its_end_is_told() -> None:
    slow = values.experiment(plan=Plan(sample_size=5, salt="s", min_runtime_days=1.0))
    found = chosen(slow, full())
    assert found.standing == "interim"
    assert found.waiting == "the plan's minimum runtime ends 2026-11-21 12:00 UTC"
    assert cut(slow, entries(full()), now=START + timedelta(days=1)).standing == "final"


def test_the_deadline_ends_the_plan_and_what_came_later_does_not_count() -> None:
    late = START + timedelta(days=15)
    recorded = entries(full(3))
    after = entries(full(9), at=late).trials[6:]
    found = cut(TIMES, recorded._replace(trials=[*recorded.trials, *after]), now=late)
    assert (found.standing, found.units) == ("final", {"control": 3, "treatment": 3})
    assert len(found.used.trials) == 6


def test_a_pause_does_not_move_the_deadline_and_the_first_start_counts() -> None:
    resumed = TIMES.advanced("paused", at=START, by="t").advanced("running", at=START + timedelta(days=10), by="t")
    assert cut(resumed, entries(full(3)), now=START + timedelta(days=14, seconds=1)).standing == "final"


def test_exposed_units_enter_in_the_order_of_their_exposure() -> None:
    recorded: list[Content] = [exposure(n, f"{n}{i}") for i in range(5) for n in ("control", "treatment")]
    found = chosen(BOUGHT, recorded)
    assert (found.standing, found.units) == ("interim", {"control": 5, "treatment": 5})
    assert found.waiting is not None
    assert found.waiting.startswith("10 exposed units may still get an outcome: stop the experiment")


def test_once_it_is_stopped_nobody_waits_for_outcomes_any_more() -> None:
    recorded: list[Content] = [exposure(n, f"{n}{i}") for i in range(5) for n in ("control", "treatment")]
    look = look_at(stopped(BOUGHT), entries(recorded), now=SOON)
    assert look.standing == "final"
    assert (look.estimates[0].n_control, look.estimates[0].mean_control) == (5, 0.0)


def test_a_late_outcome_of_a_unit_that_entered_counts_and_a_late_unit_does_not() -> None:
    units = [(name, f"{name}{number}") for number in range(5) for name in ("control", "treatment")]
    units.append(("control", "late"))
    recorded: list[Content] = [exposure(*unit) for unit in units]
    recorded += [trial(name, True, unit=unit, metric="bought") for name, unit in units]
    look = look_at(BOUGHT, entries(recorded), now=SOON)
    assert (look.standing, look.estimates[0].mean_control, look.estimates[0].n_control) == ("final", 1.0, 5)


def test_a_second_outcome_after_the_look_was_due_changes_nothing() -> None:
    units = [(name, f"{name}{number}") for number in range(5) for name in ("control", "treatment")]
    recorded: list[Content] = [exposure(*unit) for unit in units]
    recorded += [trial(name, False, unit=unit, metric="bought") for name, unit in units]
    due = look_at(BOUGHT, entries(recorded), now=SOON)
    assert (due.standing, due.estimates[0].mean_treatment) == ("final", 0.0)
    recorded.append(trial("treatment", True, unit="treatment0", metric="bought"))
    assert look_at(BOUGHT, entries(recorded), now=SOON) == due


def test_periods_that_a_variant_has_not_posted_are_told() -> None:
    posts: list[Content] = [
        posted("control", "mon", 9, 1),
        posted("treatment", "mon", 9, 1),
        posted("control", "tue", 9, 1),
    ]
    waiting = BOUGHT.model_copy(update={"plan": Plan(sample_size=99, salt="salt")})
    look = look_at(waiting, entries(posts), now=SOON)
    assert look.units == {"control": 9, "treatment": 9}
    assert "Not counted, because not every variant has posted them: tue." in look.notes


def test_posting_a_period_again_replaces_it() -> None:
    posts: list[Content] = [
        posted("control", "mon", 3, 1),
        posted("control", "mon", 4, 2),
        posted("control", "tue", 1, 0),
    ]
    assert in_force(entries(posts).aggregates) == [posts[1], posts[2]]


def test_cumulative_posts_of_one_period_never_count_twice() -> None:
    posts: list[Content] = [posted(name, "total", n, 1) for n in (2, 4, 6) for name in ("control", "treatment")]
    assert chosen(BOUGHT, posts[:4]).standing == "interim"
    found = chosen(BOUGHT, posts)
    assert (found.standing, found.units) == ("final", {"control": 6, "treatment": 6})


@pytest.mark.parametrize("order", ["by day", "by variant"])
def test_whoever_posts_first_a_period_counts_once_every_variant_has_posted_it(order: str) -> None:
    """Otherwise a team that posts control's week and then treatment's would look like a sample ratio mismatch."""
    posts = [posted(name, f"day-{day}", 2, 1) for day in range(4) for name in ("control", "treatment")]
    if order == "by variant":
        posts.sort(key=lambda post: post.variant)
    found = chosen(BOUGHT, list(posts))
    assert (found.standing, found.units) == ("final", {"control": 6, "treatment": 6})
    assert {post.content.period for post in found.used.aggregates} == {"day-0", "day-1", "day-2"}


def test_a_guardrail_that_is_posted_after_the_primary_belongs_to_its_period() -> None:
    guarded = values.experiment(
        metrics=(
            *BOUGHT.metrics,
            values.metric(name="returned", role="guardrail", kind="binary", unit=None, margin=0.5),
        )
    )
    posts: list[Content] = [
        posted(n, "d", 9, 4, metric=m) for m in ("bought", "returned") for n in ("control", "treatment")
    ]
    look = look_at(guarded, entries(posts), now=SOON)
    assert look.standing == "final"
    assert [(e.metric, e.n_control, e.n_treatment) for e in look.estimates] == [("bought", 9, 9), ("returned", 9, 9)]
