"""The score statistic against the likelihood equations and direct maximisation."""

import math

import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.stats.counts import Pair
from experiment_tracker_tools.stats.score import (
    crossing,
    rates_at_difference,
    rates_at_ratio,
    score_at_difference,
    score_at_ratio,
)

CASES: list[tuple[Pair, Pair, float]] = [
    ((3, 10), (7, 10), -0.3),
    ((3, 10), (7, 10), 0.9),
    ((90, 100), (88, 100), -0.1),
    ((0, 20), (5, 30), 0.4),
    ((20, 20), (5, 30), -0.2),
    ((40, 5000), (3, 50), 0.01),
]


def log_likelihood(control: Pair, treatment: Pair, p0: float, p1: float) -> float:
    return float(scipy.stats.binom.logpmf(*control, p0) + scipy.stats.binom.logpmf(*treatment, p1))


@pytest.mark.parametrize(("control", "treatment", "difference"), CASES)
def test_the_constrained_rates_are_those_that_scipy_optimize_finds(
    control: Pair, treatment: Pair, difference: float
) -> None:
    found = scipy.optimize.minimize_scalar(
        lambda p0: -log_likelihood(control, treatment, p0, p0 + difference),
        bounds=(max(0.0, -difference), min(1.0, 1 - difference)),
        method="bounded",
        options={"xatol": 1e-12},
    )
    p0, p1 = rates_at_difference(control, treatment, difference)
    assert p0 == pytest.approx(float(found.x), abs=2e-6)
    assert p1 == pytest.approx(p0 + difference, abs=1e-12)


@pytest.mark.parametrize("ratio", [0.2, 0.9, 1.0, 1.5])
def test_the_rates_at_a_ratio_are_those_that_scipy_optimize_finds(ratio: float) -> None:
    control, treatment = (30, 100), (24, 60)
    found = scipy.optimize.minimize_scalar(
        lambda p0: -log_likelihood(control, treatment, p0, p0 * ratio),
        bounds=(0.0, min(1.0, 1 / ratio)),
        method="bounded",
        options={"xatol": 1e-12},
    )
    p0, p1 = rates_at_ratio(control, treatment, ratio)
    assert p0 == pytest.approx(float(found.x), abs=2e-6)
    assert p1 == pytest.approx(p0 * ratio, rel=1e-12)


@pytest.mark.parametrize("n", [1_000, 100_000_000])
def test_rare_events_among_many_units_keep_their_digits(n: int) -> None:
    """At no difference the constrained rate is the pooled one, whatever n (closed form)."""
    p0, p1 = rates_at_difference((1, n), (2, n), 0.0)
    assert p0 == p1 == pytest.approx(1.5 / n, rel=1e-9)
    p0, _ = rates_at_difference((n - 1, n), (n - 2, n), 0.0)
    assert 1 - p0 == pytest.approx(1.5 / n, rel=1e-6)


counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None, max_examples=100)
@given(control=counts, treatment=counts)
def test_at_no_difference_the_score_is_the_pooled_z(control: Pair, treatment: Pair) -> None:
    (x0, n0), (x1, n1) = control, treatment
    pooled = (x0 + x1) / (n0 + n1)
    variance = pooled * (1 - pooled) * (1 / n0 + 1 / n1)
    expected = (x1 / n1 - x0 / n0) / math.sqrt(variance) if variance else 0.0
    assert score_at_difference(control, treatment, 0.0, inflated=False) == pytest.approx(expected, rel=1e-7, abs=1e-9)
    assert score_at_ratio(control, treatment, 1.0, inflated=False) == pytest.approx(expected, rel=1e-7, abs=1e-7)


@settings(deadline=None, max_examples=60)
@given(control=counts, treatment=counts, low=st.floats(-0.99, 0.99), step=st.floats(0.001, 0.5))
def test_the_score_falls_as_the_supposed_difference_grows(
    control: Pair, treatment: Pair, low: float, step: float
) -> None:
    high = min(low + step, 1.0)
    below = score_at_difference(control, treatment, low)
    assert score_at_difference(control, treatment, high) <= below + 1e-7 * (1 + abs(below))


def test_a_level_out_of_reach_gives_the_nearer_end() -> None:
    assert crossing(lambda x: -x, 5.0, -1.0, 1.0) == -1.0
    assert crossing(lambda x: -x, -5.0, -1.0, 1.0) == 1.0
