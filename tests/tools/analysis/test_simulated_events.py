"""Event breakers, limits and beliefs of simulated plans: the answers of real experiments, and what they cost."""

import numpy as np
import pytest
from benchmarks import decisions_bulk
from tests.support import values
from tests.support.entries import Content, entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.operating import Operating, operating
from experiment_tracker_tools.analysis.simulated_events import Events, tripped
from experiment_tracker_tools.analysis.weighing import weigh
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.harm import Breaker, Harm
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan

TIME = Metric(name="time", role="primary", kind="duration", direction="decrease", mde=0.15, baseline=2.0, sd=1.0)
CRASH = Metric(name="crash", role="secondary", kind="binary", direction="decrease")
ERRORS = 4


def planned(*breakers: Breaker, guards: tuple[Metric, ...] = (), **plan: object) -> Experiment:
    held = {"method": "sequential", "sample_size": 142, "salt": "s", "harm": Harm(breakers=breakers), **plan}
    return values.experiment(plan=Plan.model_validate(held), metrics=(TIME, CRASH, *guards))


def simulated(experiment: Experiment) -> Operating:
    found = operating(experiment)
    assert isinstance(found, Operating), found
    return found


@pytest.mark.parametrize("rule", [{"limit": 0.1}, {"times": 2.0}])
def test_a_simulated_breaker_trips_at_the_unit_at_which_a_real_one_does(rule: dict[str, float]) -> None:
    breaker = Breaker(name="crashes", metric="crash", kind="events", **rule)
    experiment, rng = planned(breaker), np.random.default_rng(4)
    bad = {"control": rng.random((30, 40)) < 0.1, "treatment": rng.random((30, 40)) < 0.4}
    places = {name: np.arange(1, 41) for name in bad}
    counts = {name: np.cumsum(flags, axis=1, dtype=np.int64) for name, flags in bad.items()}
    units = {name: tuple(range(1, 41)) for name in bad}
    found = tripped(experiment, units, {"crash": Events(places, counts)})
    assert found is not None
    for number in range(30):
        recorded: list[Content] = []
        for place in range(40):
            for name in ("control", "treatment"):
                measured = {"time": 1.0 + place % 3, "crash": float(bad[name][number, place])}
                recorded.append(trial(name, 1.0).model_copy(update={"metrics": measured}))
        (trip,) = weigh(experiment, entries(recorded), now=START).trips
        real = 40 if trip.seq is None else (trip.seq - 1) // 2
        assert found[number] == real


def test_event_breakers_cost_false_rollbacks_within_the_budget_and_are_counted() -> None:
    breaker = Breaker(name="crashes", metric="crash", kind="events", limit=0.1)
    held = simulated(planned(breaker))
    assert held.false_rollback.value <= 0.025 + ERRORS * held.false_rollback.error
    bad = planned(breaker)
    worse = bad.model_copy(update={"metrics": (TIME, CRASH.model_copy(update={"baseline": 0.3}))})
    assert simulated(worse).false_rollback.value > 0.9


def test_a_limit_that_the_baseline_breaks_rolls_back_and_one_with_room_lets_ship() -> None:
    cost = Metric(
        name="cost", role="guardrail", kind="continuous", direction="decrease", baseline=1.0, sd=0.3, limit=2.0
    )
    fine = simulated(planned(guards=(cost,)))
    assert fine.power.value > 0.7
    broken = simulated(planned(guards=(cost.model_copy(update={"limit": 0.5}),)))
    assert broken.power.value < 0.01
    assert broken.false_rollback.value > 0.99


def test_a_breaker_below_a_mean_is_simulated_on_the_values_of_a_time() -> None:
    below = Breaker(name="slow", metric="time", kind="below", limit=1.0)
    assert simulated(planned(below)).false_rollback.value > 0.99
    assert simulated(planned(below.model_copy(update={"limit": 4.0}))).false_rollback.value < 0.05


def test_a_bayesian_plan_is_simulated_by_its_own_rule() -> None:
    """Ships more often without an effect than a plan that pays for its looks: its error is told, not kept."""
    bayesian = simulated(planned(method="bayesian", belief={"sd": 1.0, "convinced": 0.95}))
    assert bayesian.false_ship.value > 0.05
    strict = simulated(planned(method="bayesian", belief={"sd": 1.0, "convinced": 0.9999}))
    assert strict.false_ship.value < 0.01
    assert strict.power.value < bayesian.power.value


def test_guardrails_and_every_kind_of_breaker_share_the_budget() -> None:
    row = decisions_bulk.rolled_back(1, 0.1)
    assert row.ours <= 0.025 + 2 * row.error
    assert row.ours > 0.005
