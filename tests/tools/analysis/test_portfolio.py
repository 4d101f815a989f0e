"""The portfolio's figures: right, or none with a reason; different units are never added up, winners are corrected."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from tests.support import values

from experiment_tracker_tools.analysis.pace import Course, Gauge, gauges
from experiment_tracker_tools.analysis.portfolio import impacts, saved_a_month
from experiment_tracker_tools.domain.decision import Decision, Estimate, Look, Verdict
from experiment_tracker_tools.domain.experiment import Step
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.domain.plan import Plan

NOW = values.START
TREATMENT = "treatment"
NUMBERS = count(1)


def estimate(metric: str, effect: float, se: float, control: float) -> Estimate:
    return Estimate(
        metric=metric,
        treatment=TREATMENT,
        test="welch",
        n_control=50,
        n_treatment=50,
        mean_control=control,
        mean_treatment=control + effect,
        effect=effect,
        ci_low=effect - 1.959964 * se,
        ci_high=effect + 1.959964 * se,
        confidence=0.95,
    )


def course(
    *,
    verdict: Verdict | None = "SHIP",
    started: float = 10,
    ended: float = 4,
    state: State = "completed",
    metric: dict[str, Any] | None = None,
    runs: float | None = None,
    found: tuple[float, float, float] = (-0.3, 0.05, 1.0),
    stands: bool = True,
) -> Course:
    """An experiment that started and ended so many days ago: effect, its standard error and control's mean."""
    made = values.metric(**(metric or {}))
    begun, done = NOW - timedelta(days=started), NOW - timedelta(days=ended)
    steps = [Step(state="running", at=begun, by="test")]
    if state != "running":
        steps += [Step(state="decided", at=done, by="test"), Step(state=state, at=done, by="test")]
    experiment = values.experiment(
        id=f"exp-2026-11-20-{next(NUMBERS):03d}",
        metrics=(made,),
        plan=Plan(sample_size=5, salt="s", runs_per_month=runs),
        history=tuple(steps),
    )
    if verdict is None:
        return Course(experiment)
    look = Look(
        units={}, planned=5, standing="final", through_seq=1, srm_p=None, estimates=(estimate(made.name, *found),)
    )
    winner = TREATMENT if verdict == "SHIP" else None
    decision = Decision(verdict=verdict, winner=winner, reasons=("r",), look=look)
    return Course(experiment, decision, done, TREATMENT if stands and winner else None)


def lost(**changes: Any) -> Course:
    fields: dict[str, Any] = {"verdict": "DO_NOT_SHIP", "state": "decided", "found": (0.02, 0.05, 1.0)}
    return course(**(fields | changes))


def several(n: int, make: Callable[..., Course], **changes: Any) -> list[Course]:
    return [make(**changes) for _ in range(n)]


def by_name(courses: list[Course]) -> dict[str, Gauge]:
    return {gauge.name: gauge for gauge in gauges(courses, now=NOW)}


def test_an_empty_portfolio_has_no_figure_and_says_why() -> None:
    found = by_name([])
    assert [gauge.met for gauge in found.values()] == [None] * 4
    assert found["Experiments a quarter"].value == 0
    assert found["Experiments a quarter"].told == "no experiment has started"
    assert found["Win rate"].shown == "none yet"
    assert found["Win rate"].told == "of 0 that ended, 0 with SHIP; a rate takes 5"


def test_each_figure_stands_beside_its_target() -> None:
    found = by_name([course(started=120, ended=100), *several(2, course), *several(3, lost, started=30)])
    assert found["Experiments a quarter"][1:5] == (5, "", 12, False)
    assert found["Time to decision"][1:5] == (26.0, "days", 14.0, False)
    assert found["Win rate"][1:5] == (0.5, "%", 0.3, True)
    assert found["Win rate"].told == "of 6 that ended, 3 with SHIP; 19% to 81% (95%)"
    assert found["Implementation rate"].told == "of 3 with SHIP, 3 promoted; a rate takes 5"
    assert [gauge.aim for gauge in found.values()] == ["at least 12", "at most 14 days", "at least 30%", "at least 90%"]


def test_a_young_portfolio_has_not_missed_a_quarter_yet() -> None:
    told = by_name([course(started=9)])["Experiments a quarter"]
    assert (told.value, told.met) == (1, None)
    assert "started 9 days ago" in told.told


def test_what_expired_without_a_verdict_counts_against_the_wins_and_what_runs_does_not() -> None:
    expired, running = course(verdict=None, state="expired"), course(verdict=None, state="running")
    found = by_name([*several(4, course), expired, running])
    assert found["Win rate"].value == 0.8
    assert found["Time to decision"].value == 6.0


def test_what_was_rolled_back_was_promoted_and_is_told() -> None:
    undone = course()
    step = Step(state="rolled_back", at=NOW, by="test")
    history = (*undone.experiment.history, step)
    undone = undone._replace(experiment=undone.experiment.model_copy(update={"history": history}), standing=None)
    told = by_name([*several(4, course), undone])["Implementation rate"]
    assert told.value == 1.0
    assert told.told.startswith("of 5 with SHIP, 5 promoted, 1 rolled back since;")
    assert sum(each.promotions for each in impacts([*several(4, course), undone])) == 4


def test_winners_are_corrected_towards_all_that_was_tried_on_the_metric() -> None:
    (found,) = impacts([course(found=(-0.3, 0.1, 1.0)), *several(5, lost)])
    assert (found.what, found.promotions) == ("time", 1)
    assert found.measured == pytest.approx(0.3)
    assert found.value is not None
    assert 0 < found.value < 0.3


def test_without_enough_experiments_nothing_is_corrected_and_it_is_said() -> None:
    (found,) = impacts([course(), lost()])
    assert found.value is None
    assert found.shown == "not corrected (2 experiments on time; the correction takes 5), measured +30.0%"


def test_gains_of_different_metrics_units_and_directions_are_never_added_up() -> None:
    spent = {"name": "cost", "kind": "continuous", "unit": "usd"}
    also = {**spent, "unit": "eur"}
    up = {"name": "bought", "kind": "binary", "direction": "increase", "unit": None}
    made = [
        course(),
        course(metric=spent, runs=10),
        course(metric=also, runs=10),
        course(metric=up, found=(0.1, 0.05, 0.5)),
    ]
    assert [each.promotions for each in impacts(made)] == [1, 1, 1, 1]
    assert [each.unit for each in saved_a_month(made)] == ["eur a month", "usd a month"]


def test_savings_of_two_metrics_in_one_unit_add_up_with_their_interval() -> None:
    other = {"name": "build"}
    made = [course(runs=36_000, found=(-1.0, 0.1, 4.0)), *several(4, lost)]
    made += [course(runs=36_000, found=(-1.0, 0.1, 4.0), metric=other), *several(4, lost, metric=other)]
    (both,) = saved_a_month(made)
    (one,) = saved_a_month(made[:5])
    assert one.value is not None
    assert one.low is not None
    assert both.value == pytest.approx(2 * one.value)
    assert both.measured == pytest.approx(20.0)
    assert both.low == pytest.approx(2 * one.value - 2**0.5 * (one.value - one.low))
    (short,) = saved_a_month(made[:-1])
    assert short.value is None
    assert short.reason == "4 experiments on build; the correction takes 5"


def test_a_control_near_nothing_or_an_effect_without_an_interval_is_left_out() -> None:
    assert impacts([course(found=(0.1, 0.05, 0.0))]) == ()
