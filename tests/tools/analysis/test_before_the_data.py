"""What is told before there are data: is the hypothesis testable, is it worth it, how long, what for."""

from typing import Any

import pytest
from tests.support.plans import HYPOTHESIS

from experiment_tracker_tools.analysis.hypothesis import lint
from experiment_tracker_tools.analysis.savings import savings
from experiment_tracker_tools.analysis.worth import worth
from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.experiment import ExperimentType, Hypothesis
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.priority import Nature

TIME = Metric(name="time", role="primary", kind="duration", direction="decrease", unit="s", mde=0.15)
GOOD = Hypothesis(
    change="Replace the nested loop in app.py by a lookup table",
    impact="time falls by 15% within 14 days",
    reasoning="the loop does work for every pair, the table once for every entry",
)


def flagged(primary: Metric = TIME, **changed: str) -> set[str]:
    held = GOOD.model_copy(update=changed)
    return {found.criterion for found in lint(held, primary, runtime_told=False) if found.hint is not None}


def test_a_testable_hypothesis_passes_every_criterion() -> None:
    assert flagged() == set()


@pytest.mark.parametrize(
    ("criterion", "changed"),
    [
        ("specific", {"change": "make it better"}),
        ("specific", {"change": "Shorten [the command's file]"}),
        ("relevant", {"reasoning": "time falls"}),
        ("time-bound", {"impact": "time falls by 15%"}),
    ],
)
def test_each_criterion_flags_its_fault_alone(criterion: str, changed: dict[str, str]) -> None:
    assert flagged(TIME, **changed) == {criterion}


def test_a_chosen_runtime_binds_the_hypothesis_to_a_time() -> None:
    held = GOOD.model_copy(update={"impact": "time falls by 15%"})
    assert all(found.hint is None for found in lint(held, TIME, runtime_told=True))


def test_an_impact_without_number_or_a_bold_one_is_flagged() -> None:
    without = TIME.model_copy(update={"mde": None})
    assert flagged(without, impact="time falls within a week") == {"measurable", "achievable"}
    assert flagged(TIME.model_copy(update={"mde": 0.9})) == {"achievable"}
    assert all(found.hint for found in lint(Hypothesis(**HYPOTHESIS), without, runtime_told=False)[2:])


@pytest.mark.parametrize(
    ("type_", "nature", "certainty", "answer"),
    [
        ("performance", "bug_fix", 0.7, "no"),
        ("prompt", "documentation", None, "no"),
        ("prompt", "urgent", None, "no"),
        ("prompt", "low_risk", None, "no"),
        ("prompt", None, 0.85, "no"),
        ("feature", None, 0.84, "yes"),
        ("feature", None, 0.60, "yes"),
        ("feature", "novel", 0.3, "yes"),
        ("workflow", None, None, "yes"),
        ("performance", None, None, "yes"),
        ("agent", None, None, "yes"),
        ("prompt", None, None, "yes"),
        ("feature", None, 0.59, "not yet"),
        ("feature", None, None, None),
    ],
)
def test_whether_to_experiment_at_all(
    type_: ExperimentType, nature: Nature | None, certainty: float | None, answer: str | None
) -> None:
    found = worth(type_, nature=nature, certainty=certainty)
    assert (None if found is None else found.partition(":")[0]) == answer


def effect(**fields: Any) -> Estimate:
    return Estimate(metric="time", treatment="t", test="w", n_control=9, n_treatment=9, confidence=0.95, **fields)


def test_savings_come_in_hours_and_work_weeks_with_their_interval() -> None:
    found = savings(TIME, effect(effect=-2.0, ci_low=-3.0, ci_high=-1.0), runs_per_month=3600)
    assert found is not None
    assert (found.month, found.low, found.high) == (2.0, 1.0, 3.0)
    assert found.told.startswith("saves 2 h a month (1 to 3), 24 h a year (12 to 36), 0.6 work-weeks a year")


def test_what_costs_more_says_so_and_what_has_no_unit_says_nothing() -> None:
    dear = savings(TIME.model_copy(update={"kind": "continuous", "unit": "usd"}), effect(effect=0.5), runs_per_month=10)
    assert dear is not None
    assert dear.told == "costs 5 usd a month, 60 usd a year"
    assert savings(TIME.model_copy(update={"unit": None}), effect(effect=1.0), runs_per_month=10) is None
    assert savings(TIME.model_copy(update={"direction": "increase"}), effect(effect=1.0), runs_per_month=10) is None
    assert savings(TIME, effect(), runs_per_month=10) is None
