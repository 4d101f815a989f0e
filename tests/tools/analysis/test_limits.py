"""Limits of a rollout's step: passed only by a test that may be asked after every unit, kept only by a bound."""

import random

import pytest
from scipy.stats import beta

from experiment_tracker_tools.analysis.limits import BUDGET, limits_of
from experiment_tracker_tools.domain.ramp import Outcome, Ramp

RAMP = Ramp(errors="failed", latency="latency")


def outcomes(values: list[float], *, metric: str = "failed") -> list[Outcome]:
    return [Outcome(variant="treatment", metrics={metric: value}) for value in values]


def test_without_units_nothing_is_passed_or_kept() -> None:
    errors, p95 = limits_of(RAMP, [], bad=1)
    assert (errors.standing, errors.n, errors.more) == ("open", 0, 299)
    assert (p95.standing, p95.n, p95.more) == ("open", 0, 59)


@pytest.mark.parametrize(("events", "n"), [(0, 298), (0, 299), (1, 472), (1, 473), (5, 1000), (3, 900)])
def test_kept_is_the_exact_one_sided_bound(events: int, n: int) -> None:
    # The events come last, so that no early run of them trips the e-process.
    found = limits_of(Ramp(errors="failed"), outcomes([0.0] * (n - events) + [1.0] * events), bad=1)[0]
    bound = float(beta.ppf(0.95, events + 1, n - events))
    assert (found.standing == "kept") == (bound <= 0.01)
    if found.standing == "open":
        more = found.more
        assert beta.ppf(0.95, events + 1, n + more - events) <= 0.01 < beta.ppf(0.95, events + 1, n + more - 1 - events)


def test_the_bad_value_is_the_metrics_own() -> None:
    assert limits_of(Ramp(errors="worked"), outcomes([1.0] * 300, metric="worked"), bad=0)[0].events == 0


def test_a_metric_without_a_limit_is_not_watched() -> None:
    assert limits_of(Ramp(), outcomes([1.0] * 300), bad=1) == ()


def test_slow_units_are_those_above_the_limit_and_not_at_it() -> None:
    found = limits_of(Ramp(latency="latency"), outcomes([200.0] * 90 + [200.1] * 10, metric="latency"), bad=1)[0]
    assert (found.events, found.n) == (10, 100)


@pytest.mark.parametrize(("rate", "most"), [(0.01, BUDGET), (0.03, 1.0)])
def test_asked_after_every_unit_a_kept_limit_is_seldom_called_passed(rate: float, most: float) -> None:
    draw, ramp, passed = random.Random(3), Ramp(steps=(1.0,), errors="failed"), 0
    for _ in range(300):
        path = [float(draw.random() < rate) for _ in range(1500)]
        # The e-process remembers its whole path: one question at the end asks all of them.
        passed += limits_of(ramp, outcomes(path), bad=1)[0].standing == "passed"
    assert passed / 300 <= most
    if most == 1.0:
        assert passed / 300 > 0.9
