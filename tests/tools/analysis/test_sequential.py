"""A decision is a function of the plan and the ordered data: nobody's calls change it, and it keeps its error rates."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tests.support import values
from tests.support.entries import Content, entries, exposure, summed, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.verdict import Judgement, judge
from experiment_tracker_tools.domain.decision import FINAL, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.harm import Breaker, Harm
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan

BOUGHT = values.metric(name="time", kind="binary", direction="increase", unit=None)


def planned(n: int, *metrics: Metric, method: str = "sequential", **changes: Any) -> Experiment:
    plan = Plan.model_validate({"sample_size": n, "salt": "salt", "method": method, **changes})
    return values.experiment(metrics=metrics or (values.metric(mde=0.15),), plan=plan)


def times(n: int, *, ratio: float = 1.0, seed: int = 1, sd: float = 0.4) -> list[Content]:
    draw = random.Random(seed)
    order = [draw.choice(["control", "treatment"]) for _ in range(n)]
    return [trial(name, draw.lognormvariate(0, sd) * (ratio if name == "treatment" else 1)) for name in order]


def ended(experiment: Experiment, recorded: list[Content], calls: list[int]) -> tuple[Judgement, Look]:
    """The first final verdict of somebody who looks after these numbers of entries."""
    found: tuple[Judgement, Look] | None = None
    for call in calls:
        look = look_at(experiment, entries(recorded[:call]), now=START)
        found = judge(experiment, look), look
        if found[0].verdict in FINAL:
            break
    assert found is not None
    return found


@pytest.mark.parametrize(("n", "ratio"), [(100, 0.75), (100, 1.3), (30, 0.7), (60, 1.0)])
def test_callers_who_look_at_different_times_decide_the_same_from_the_same_data(n: int, ratio: float) -> None:
    experiment, recorded = planned(n), times(2 * n + 20, ratio=ratio)
    eager = ended(experiment, recorded, list(range(4, len(recorded) + 1, 3 if n > 50 else 1)))
    assert eager[0].verdict in FINAL
    draw = random.Random(7)
    for calls in ([len(recorded)], [*sorted(draw.sample(range(4, len(recorded)), 5)), len(recorded)]):
        assert ended(experiment, recorded, calls) == eager


def test_what_comes_after_the_first_crossing_changes_nothing() -> None:
    experiment, recorded = planned(100), times(110, ratio=0.6)
    first = ended(experiment, recorded, [110])
    assert first[0].verdict == "SHIP"
    assert first[1].information is not None
    assert first[1].information < 1
    turned = [*recorded, *times(100, ratio=9.0, seed=2)]
    assert ended(experiment, turned, [len(turned)]) == first


def test_a_gain_ships_early_with_stage_wise_numbers_and_a_shrunk_estimate() -> None:
    experiment, recorded = planned(100), times(220, ratio=0.75)
    judged, look = ended(experiment, recorded, [220])
    raw = look_at(planned(60, method="fixed"), entries(recorded), now=START).estimates[0]
    estimate = look.estimates[0]
    assert (judged.verdict, estimate.interval) == ("SHIP", "stage-wise")
    assert estimate.p_value is not None
    assert estimate.p_value < 0.05
    assert estimate.lift is not None and estimate.lift_low is not None and estimate.lift_high is not None
    assert estimate.lift_low < estimate.lift < estimate.lift_high < 0
    assert raw.lift is not None
    tests = {(t.question, t.name): t for t in look.tests}
    better = tests["better", "time"]
    assert better.at == look.information
    assert better.statistic is not None and better.boundary is not None
    assert better.statistic >= better.boundary


def test_while_it_runs_the_interval_is_wider_and_the_price_of_going_on_is_told() -> None:
    experiment = planned(200)
    look = look_at(experiment, entries(times(150, ratio=0.95)), now=START + timedelta(days=3))
    plain = look_at(planned(60, method="fixed"), entries(times(150, ratio=0.95)), now=START).estimates[0]
    estimate = look.estimates[0]
    assert (look.standing, estimate.interval) == ("interim", "repeated")
    assert width(estimate) > 1.5 * width(plain)
    assert look.ahead is not None
    assert look.ahead.units == 200 - min(look.units.values())
    assert look.ahead.days == pytest.approx(look.ahead.units * 3 / min(look.units.values()), rel=0.01)
    assert look.ahead.chance is not None


def width(estimate: Any) -> float:
    return float(estimate.lift_high - estimate.lift_low)


def test_a_loss_rolls_back_and_a_win_never_does() -> None:
    judged, look = ended(planned(100), times(220, ratio=1.6), [220])
    assert judged.verdict == "ROLL_BACK"
    assert look.information is not None
    assert look.information < 0.5
    assert "primary_loss of treatment: loss beyond what is tolerated, z = " in judged.reasons[0]


def test_a_loss_within_the_tolerated_one_keeps_control() -> None:
    tolerant = planned(300, harm=Harm(tolerated_loss=0.6), min_worthwhile=0.0, equivalence_margin=0.01)
    judged, _ = ended(tolerant, times(640, ratio=1.3), [640])
    assert judged.verdict == "KEEP_CONTROL"
    assert any("tolerated 60.0%" in reason for reason in judged.reasons)


def test_a_real_gain_that_is_not_worth_it_does_not_ship() -> None:
    picky = planned(400, values.metric(mde=0.5), min_worthwhile=0.4, equivalence_margin=0.02)
    judged, _ = ended(picky, times(850, ratio=0.8), [850])
    assert judged.verdict == "DO_NOT_SHIP"
    assert any("below 40.0% is not worth shipping" in reason for reason in judged.reasons)


def test_no_effect_within_the_margin_is_equivalent() -> None:
    judged, _ = ended(planned(400, equivalence_margin=0.15), times(850), [850])
    assert judged.verdict == "EQUIVALENT"
    assert any("within ±15.0% of control" in reason for reason in judged.reasons)


def test_giving_up_is_advice_and_the_experiment_may_go_on() -> None:
    experiment, recorded = planned(100, equivalence_margin=0.01), times(220, ratio=1.05)
    look = look_at(experiment, entries(recorded[:150]), now=START)
    assert (look.futile, judge(experiment, look).verdict) == (True, "STOP_FUTILE")
    stopped = experiment.advanced("analyzing", at=START, by="t")
    assert judge(stopped, look_at(stopped, entries(recorded[:150]), now=START)).verdict == "STOP_FUTILE"
    assert ended(experiment, recorded, [220])[0].verdict == "INCONCLUSIVE"


def test_an_early_stop_without_a_crossing_is_exploratory() -> None:
    stopped = planned(100).advanced("analyzing", at=START, by="t")
    look = look_at(stopped, entries(times(60, ratio=0.8)), now=START)
    assert (look.standing, judge(stopped, look).verdict) == ("exploratory", "INCONCLUSIVE")
    assert {estimate.label for estimate in look.estimates} == {"exploratory"}


def test_the_end_of_the_runtime_spends_what_is_left() -> None:
    experiment, recorded = planned(200), times(200, ratio=0.85)
    running = look_at(experiment, entries(recorded), now=START)
    over = look_at(experiment, entries(recorded), now=START + timedelta(days=14.1))
    assert (running.standing, over.standing) == ("interim", "final")
    last = next(test for test in over.tests if test.question == "better")
    assert last.boundary is not None
    assert last.boundary < 2.2
    assert judge(experiment, over).verdict == "SHIP"


def test_before_the_minimum_number_and_time_only_harm_may_speak() -> None:
    early = planned(100, min_sample_size=90)
    look = look_at(early, entries(times(120, ratio=0.5)), now=START)
    assert (look.standing, judge(early, look).verdict) == ("interim", "CONTINUE")
    assert judge(early, look_at(early, entries(times(120, ratio=2.0)), now=START)).verdict == "ROLL_BACK"
    slow = planned(100, min_runtime_days=7.0)
    full = look_at(slow, entries(times(240, ratio=0.5)), now=START + timedelta(days=1))
    assert judge(slow, full).verdict == "CONTINUE"
    assert any("minimum runtime ends" in note for note in full.notes)
    assert judge(slow, look_at(slow, entries(times(240, ratio=0.5)), now=START + timedelta(days=7))).verdict == "SHIP"


def test_a_gain_waits_for_its_guardrail_and_says_for_how_long() -> None:
    cost = values.metric(name="cost", role="guardrail", kind="continuous", margin=0.02)
    experiment = planned(150, values.metric(mde=0.15), cost)
    draw = random.Random(4)
    recorded: list[Content] = []
    for _ in range(330):
        name = draw.choice(["control", "treatment"])
        time = draw.lognormvariate(0, 0.3) * (0.6 if name == "treatment" else 1)
        recorded.append(trial(name, time).model_copy(update={"metrics": {"time": time, "cost": draw.gauss(10, 3)}}))
    look = look_at(experiment, entries(recorded[:150]), now=START)
    judged = judge(experiment, look)
    assert (judged.verdict, look.statuses) == ("EXTEND", {"treatment": "waits"})
    assert any("Guardrail cost of treatment is not shown to be within its margin 2.0%" in r for r in judged.reasons)
    last = ended(experiment, recorded, [330])
    assert last[0].verdict == "INCONCLUSIVE"
    assert last[1].estimates[0].lift == pytest.approx(-0.4, abs=0.15)


def test_an_event_breaker_trips_between_looks_and_names_its_numbers() -> None:
    crash = values.metric(name="crash", role="secondary", kind="binary", unit=None)
    breaker = Breaker(name="crashes", metric="crash", kind="events", limit=0.02)
    experiment = planned(500, values.metric(mde=0.15), crash, harm=Harm(breakers=(breaker,)))
    recorded: list[Content] = []
    for place in range(60):
        name = ("control", "treatment")[place % 2]
        bad = float(name == "treatment" and place % 4 == 1)
        recorded.append(
            trial(name, 1.0 + place % 7).model_copy(update={"metrics": {"time": 1.0 + place % 7, "crash": bad}})
        )
    judged, _ = ended(experiment, recorded, list(range(1, 61)))
    assert judged.verdict == "ROLL_BACK"
    assert any(reason.startswith("crashes of treatment: ") and "tolerated 2.0%" in reason for reason in judged.reasons)
    assert ended(experiment, recorded, [60])[0] == judged


def test_posted_periods_are_looked_at_as_they_complete() -> None:
    experiment = planned(100, values.metric(kind="continuous", mde=0.15))
    draw = random.Random(1)
    posts: list[Content] = []
    for day in range(12):
        for name, mean in (("control", 10.0), ("treatment", 8.5)):
            posts.append(summed(name, f"day-{day:02}", [draw.gauss(mean, 2) for _ in range(10)]))
    judged, look = ended(experiment, posts, list(range(1, len(posts) + 1)))
    assert (judged.verdict, ended(experiment, posts, [len(posts)])) == ("SHIP", (judged, look))
    assert look.units["control"] == look.units["treatment"] < 100


def test_an_exposed_unit_has_until_the_next_look_to_answer() -> None:
    experiment = planned(100, BOUGHT)
    draw = random.Random(5)
    recorded: list[Content] = []
    for number in range(120):
        name = draw.choice(["control", "treatment"])
        recorded.append(exposure(name, f"u{number}"))
        recorded.append(trial(name, float(draw.random() < 0.5), unit=f"u{number}"))
    look = look_at(experiment, entries(recorded), now=START)
    of_control = next(e for e in look.estimates if e.metric == "time")
    answered = [e for e in recorded if not hasattr(e, "propensity")]
    assert of_control.mean_control == pytest.approx(
        look_at(experiment, entries(answered), now=START).estimates[0].mean_control, abs=0.02
    )


def errors(experiment: Experiment, draw_one: Callable[[random.Random], float], n: int, rounds: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for seed in range(rounds):
        draw = random.Random(seed)
        recorded = [trial(("control", "treatment")[k % 2], draw_one(draw)) for k in range(2 * n)]
        verdict = judge(experiment, look_at(experiment, entries(recorded), now=START)).verdict
        found[verdict] = found.get(verdict, 0) + 1
    return found


def test_without_an_effect_few_ship_and_few_roll_back() -> None:
    """Of 200 A/A experiments 5 should ship and 10 roll back; 13 and 20 happen once in a thousand (binomial)."""
    found = errors(planned(60), lambda draw: draw.lognormvariate(0, 0.5), 60, 200)
    assert found.get("SHIP", 0) < 13
    assert found.get("ROLL_BACK", 0) < 20


@pytest.mark.parametrize("method", ["always_valid", "bayesian"])
def test_other_methods_decide_by_their_own_boundaries(method: str) -> None:
    belief = {"belief": {"sd": 0.3}} if method == "bayesian" else {}
    experiment = planned(100, method=method, **belief)
    judged, look = ended(experiment, times(300, ratio=0.6), [300])
    assert judged.verdict == "SHIP"
    assert look.panel is not None
    assert (look.panel.error is not None) == (method == "bayesian")


def test_a_small_plan_says_when_variants_were_merely_claimed() -> None:
    claimed = look_at(planned(20), entries(times(30)), now=START)
    assert any(note.startswith("Variants were claimed, not assigned here") for note in claimed.notes)
    assigned = [exposure("control", "u1"), *times(30)]
    told = look_at(planned(20), entries(assigned, provenance="command"), now=START).notes
    assert not any("claimed" in note for note in told)


def test_old_entries_of_a_fixed_plan_are_judged_as_before() -> None:
    stored = {"sample_size": 20, "salt": "salt", "method": "fixed"}
    experiment = values.experiment(plan=Plan.model_validate(stored))
    empty = look_at(experiment, Entries((), (), ()), now=START)
    assert (empty.standing, empty.statuses, empty.tests) == ("interim", {}, ())
