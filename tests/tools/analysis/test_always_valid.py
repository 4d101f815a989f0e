"""Plans without a horizon: rates by exact e-values, means by sequences; their intervals hold wherever they stopped."""

import math
import random
from typing import Any

import pytest
from tests.support import values
from tests.support.entries import Content, entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.operating import operating
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.domain.decision import FINAL, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.trial import Trial

BOUGHT = values.metric(name="bought", kind="binary", direction="increase", unit=None, mde=0.5, baseline=0.2)
CRASHED = values.metric(name="crashed", kind="binary", direction="decrease", unit=None, role="guardrail", margin=0.5)


def planned(*metrics: Metric, **changes: Any) -> Experiment:
    plan = Plan.model_validate({"sample_size": 100, "salt": "salt", "method": "always_valid", **changes})
    return values.experiment(metrics=metrics, plan=plan)


def bought(n: int, *, control: float, treatment: float, seed: int = 1) -> list[Content]:
    draw = random.Random(seed)
    names = [draw.choice(["control", "treatment"]) for _ in range(n)]
    chances = {"control": control, "treatment": treatment}
    return [trial(name, int(draw.random() < chances[name]), metric="bought") for name in names]


def seen(experiment: Experiment, recorded: list[Content]) -> Look:
    return look_at(experiment, entries(recorded), now=START)


def test_rates_ship_by_the_logarithm_of_an_e_value_against_that_of_the_error_rate() -> None:
    look = seen(planned(BOUGHT), bought(200, control=0.2, treatment=0.7))
    better = next(test for test in look.tests if test.question == "better")
    assert better.boundary == pytest.approx(math.log(2 / 0.05))
    assert better.statistic is not None and better.boundary is not None
    assert better.statistic >= better.boundary
    assert judge(planned(BOUGHT), look).verdict == "SHIP"


def test_a_loss_of_a_rate_rolls_back_and_tells_its_e_value() -> None:
    judged = judge(planned(BOUGHT), seen(planned(BOUGHT), bought(200, control=0.7, treatment=0.2)))
    assert judged.verdict == "ROLL_BACK"
    assert "primary_loss of treatment: loss beyond what is tolerated, log e = " in judged.reasons[0]
    assert f"reaches its boundary {math.log(1 / 0.025):.2f}" in judged.reasons[0]


@pytest.mark.parametrize(("rates", "holds"), [((0.2, 0.7), True), ((0.3, 0.3), False)])
def test_the_interval_of_a_rate_holds_at_every_look_and_where_it_stopped(
    rates: tuple[float, float], *, holds: bool
) -> None:
    look = seen(planned(BOUGHT), bought(200, control=rates[0], treatment=rates[1]))
    estimate = look.estimates[0]
    assert estimate.interval == "repeated"
    assert estimate.lift_low is not None
    assert (estimate.lift_low > 0) == holds
    assert estimate.lift is not None
    assert estimate.lift_low < estimate.lift
    assert estimate.lift_high is None or estimate.lift < estimate.lift_high


def test_the_interval_of_a_mean_holds_where_it_stopped() -> None:
    draw = random.Random(3)
    names = [draw.choice(["control", "treatment"]) for _ in range(260)]
    recorded: list[Content] = [
        trial(name, draw.lognormvariate(0, 0.4) * (0.6 if name == "treatment" else 1)) for name in names
    ]
    look = seen(planned(values.metric(mde=0.15)), recorded)
    estimate = look.estimates[0]
    assert (look.standing, estimate.interval) == ("final", "repeated")
    assert estimate.lift_low is not None and estimate.lift is not None and estimate.lift_high is not None
    assert -0.8 < estimate.lift_low < estimate.lift < estimate.lift_high < 0


def test_a_guardrail_that_is_a_rate_is_shown_safe_by_its_own_e_value() -> None:
    draw = random.Random(5)
    recorded: list[Content] = []
    for each in bought(900, control=0.2, treatment=0.4):
        assert isinstance(each, Trial)
        metrics = {**each.metrics, "crashed": int(draw.random() < 0.3)}
        recorded.append(each.model_copy(update={"metrics": metrics}))
    look = seen(planned(BOUGHT, CRASHED), recorded)
    safe = next(test for test in look.tests if test.question == "safe")
    assert safe.boundary == pytest.approx(math.log(1 / 0.05))
    assert judge(planned(BOUGHT, CRASHED), look).verdict == "SHIP"


def test_whoever_looks_when_the_verdict_is_the_same() -> None:
    experiment, recorded = planned(BOUGHT), bought(300, control=0.2, treatment=0.55, seed=2)
    eager = (judge(experiment, seen(experiment, recorded[:call])) for call in range(10, 301, 7))
    first = next(judged for judged in eager if judged.verdict in FINAL)
    assert first == judge(experiment, seen(experiment, recorded))
    assert first.verdict == "SHIP"


def test_the_simulation_of_a_plan_walks_rates_by_the_same_e_values() -> None:
    found = operating(planned(BOUGHT, CRASHED))
    assert found is not None
    assert not isinstance(found, str)
    assert found.false_ship.value < 0.03
    assert found.false_rollback.value < 0.03
