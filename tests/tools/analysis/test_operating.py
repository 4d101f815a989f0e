"""A plan simulated before it is run, against what quadrature and the plan's own promises say."""

import pytest
from tests.support import values

from experiment_tracker_tools.analysis.operating import Operating, operating
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan

TIME = Metric(name="time", role="primary", kind="duration", direction="decrease", mde=0.15, baseline=2.0, sd=1.0)
BOUGHT = Metric(name="bought", role="primary", kind="binary", direction="increase", mde=0.3, baseline=0.05)
COST = Metric(name="cost", role="guardrail", kind="continuous", direction="decrease", margin=0.1)
ERRORS = 4


def simulated(*metrics: Metric, **plan: object) -> Operating:
    held = Plan.model_validate({"method": "sequential", "sample_size": 142, "salt": "s", "min_sample_size": 10, **plan})
    found = operating(values.experiment(plan=held, metrics=metrics or (TIME,)))
    assert isinstance(found, Operating), found
    return found


def test_a_sequential_plan_keeps_its_error_rates_and_has_its_power_with_fewer_trials() -> None:
    found = simulated()
    assert found.false_ship.value <= 0.025 + ERRORS * found.false_ship.error
    assert found.false_rollback.value <= 0.05 + ERRORS * found.false_rollback.error
    assert found.power.value == pytest.approx(0.8, abs=0.005 + ERRORS * found.power.error)
    assert found.harm_shipped.value <= 0.005
    assert all(trials.value < 0.8 * found.horizon for trials in found.trials)
    assert found.power.error == pytest.approx((found.power.value * (1 - found.power.value) / found.experiments) ** 0.5)


def test_a_fixed_plan_takes_all_its_trials_and_has_the_power_of_the_formula() -> None:
    found = simulated(method="fixed", sample_size=134)
    assert {trials.value for trials in found.trials} == {268.0}
    assert found.power.value == pytest.approx(0.8, abs=0.005 + ERRORS * found.power.error)
    assert found.false_futile.value == 0


def test_a_binary_plan_is_simulated_by_the_score_test() -> None:
    found = simulated(BOUGHT, sample_size=4600)
    assert found.false_ship.value <= 0.025 + ERRORS * found.false_ship.error
    assert 0.8 < found.power.value < 1


def test_guardrails_cost_power_and_the_floor_costs_trials() -> None:
    free, guarded = simulated(), simulated(TIME, COST)
    assert guarded.power.value < free.power.value - 0.1
    late = simulated(min_sample_size=142)
    assert late.trials[1].value > free.trials[1].value


def test_the_same_plan_gives_the_same_figures_and_a_small_one_says_what_stands_in() -> None:
    one, other = simulated(salt="a"), simulated(salt="b")
    assert one is other
    assert simulated(sample_size=20).stand_in
    assert "t in place of the exact test" in simulated(sample_size=20).told
    assert not one.stand_in


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        (TIME.model_copy(update={"sd": None}), "time needs an sd to be simulated"),
        (BOUGHT.model_copy(update={"baseline": 0.9}), "moves bought out of 0 to 1"),
        (TIME.model_copy(update={"mde": 1.5}), "a loss of 150% of time leaves nothing"),
    ],
)
def test_what_cannot_be_simulated_says_why(metric: Metric, told: str) -> None:
    plan = Plan(method="sequential", sample_size=20, salt="s")
    assert told in str(operating(values.experiment(plan=plan, metrics=(metric,))))
