"""A guardrail with a limit is safe where its mean is shown to be on the good side of it, and only there."""

import random

import pytest
from scipy.stats import binomtest, norm, ttest_1samp
from tests.support import values
from tests.support.entries import Content, entries, trial
from tests.support.values import START

from experiment_tracker_tools.analysis.look import look_at
from experiment_tracker_tools.analysis.verdict import judge
from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Kind
from experiment_tracker_tools.domain.plan import Plan


def guarded(kind: Kind, direction: str, limit: float) -> Experiment:
    guard = values.metric(name="cost", role="guardrail", kind=kind, direction=direction, limit=limit, unit=None)
    return values.experiment(
        metrics=(values.metric(mde=0.15), guard), plan=Plan(method="sequential", sample_size=100, salt="salt")
    )


def looked(experiment: Experiment, mean: float) -> tuple[Look, list[float]]:
    """A treatment that takes 60% of the time, and what it costs."""
    draw, recorded, costs = random.Random(2), list[Content](), list[float]()
    binary = experiment.metrics[1].kind == "binary"
    for place in range(240):
        treated = place % 2 == 1
        cost = float(draw.random() < mean) if binary else draw.gauss(mean, 2)
        costs += [cost] if treated else []
        measured = {"time": draw.lognormvariate(0, 0.3) * (0.6 if treated else 1), "cost": cost}
        recorded.append(trial(("control", "treatment")[treated], 1.0).model_copy(update={"metrics": measured}))
    return look_at(experiment, entries(recorded), now=START), costs


@pytest.mark.parametrize(
    ("kind", "direction", "limit", "within", "at_it"),
    [
        ("continuous", "decrease", 12.0, 10.0, 12.0),
        ("continuous", "increase", 8.0, 10.0, 8.0),
        ("binary", "decrease", 0.3, 0.1, 0.3),
        ("binary", "increase", 0.7, 0.9, 0.7),
    ],
)
def test_a_gain_ships_with_a_guardrail_within_its_limit_and_waits_where_that_is_not_shown(
    kind: Kind, direction: str, limit: float, within: float, at_it: float
) -> None:
    experiment = guarded(kind, direction, limit)
    assert judge(experiment, looked(experiment, within)[0]).verdict == "SHIP"
    assert judge(experiment, looked(experiment, at_it)[0]).verdict != "SHIP"


@pytest.mark.parametrize(("kind", "limit", "mean"), [("continuous", 12.0, 11.0), ("binary", 0.3, 0.2)])
def test_its_statistic_is_that_of_the_one_sided_test_against_the_limit(kind: Kind, limit: float, mean: float) -> None:
    """scipy: ttest_1samp and binomtest, alternative less, as normal deviates."""
    look, costs = looked(guarded(kind, "decrease", limit), mean)
    found = next(test for test in look.tests if (test.question, test.name) == ("safe", "cost"))
    seen = costs[: look.units["treatment"]]
    if kind == "binary":
        p_value = float(binomtest(round(sum(seen)), len(seen), limit, alternative="less").pvalue)
    else:
        p_value = float(ttest_1samp(seen, limit, alternative="less").pvalue)
    assert found.statistic == pytest.approx(norm.isf(p_value), abs=1e-6)
