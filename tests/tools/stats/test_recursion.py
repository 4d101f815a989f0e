"""The recursion against multivariate normal integration and simulation."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import integrate, stats

from experiment_tracker_tools.stats import recursion
from experiment_tracker_tools.stats.recursion import advance, below, beyond, crossing, start

CORRIDORS = [
    ([0.5, 1.0], [-2.178, -2.178], [2.178, 2.178]),
    ([0.3, 0.7, 1.0], [-math.inf, 0.0, 1.5], [3.0, 2.2, 2.0]),
    ([0.1, 0.15, 0.9, 1.3], [-4.0, -3.5, -2.1, -2.0], [4.0, 3.5, 2.1, 2.0]),
    ([0.2, 0.21, 1.0], [-1.0, -1.0, -1.0], [1.5, 1.5, 1.5]),
]


def survival(times: Sequence[float], lower: Sequence[float], upper: Sequence[float], drift: float) -> float:
    t = np.asarray(times)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    normal = stats.multivariate_normal.cdf(
        np.asarray(upper),
        drift * np.sqrt(t),
        correlation,
        maxpts=10**6,
        abseps=1e-8,
        releps=1e-8,
        lower_limit=np.asarray(lower),
    )
    return float(normal)


@pytest.mark.parametrize("drift", [0.0, 2.8, -1.5])
@pytest.mark.parametrize(("times", "lower", "upper"), CORRIDORS)
def test_crossing_agrees_with_multivariate_normal_integration(
    times: list[float], lower: list[float], upper: list[float], drift: float
) -> None:
    """Reference: scipy.stats.multivariate_normal.cdf (Genz), the probability of staying inside up to each look."""
    found = crossing(times, lower, upper, drift=drift)
    for look in range(1, len(times) + 1):
        left = sum(found.above[:look]) + sum(found.below[:look])
        stayed = survival(times[:look], lower[:look], upper[:look], drift)
        assert 1 - left == pytest.approx(stayed, abs=2e-6)


@pytest.mark.parametrize("drift", [0.0, 3.0])
def test_two_looks_agree_with_adaptive_quadrature_to_ten_digits(drift: float) -> None:
    """Reference: scipy.integrate.quad over the first look's density."""
    t, c = 0.4, (2.5, 1.9)

    def second(z: float) -> float:
        away = (z * math.sqrt(t) + drift * (1 - t) - c[1]) / math.sqrt(1 - t)
        return float(stats.norm.pdf(z - drift * math.sqrt(t)) * stats.norm.cdf(away))

    expected = integrate.quad(second, -12, c[0], epsabs=1e-14, epsrel=1e-13, limit=200)[0]
    found = crossing([t, 1.0], [-math.inf] * 2, c, drift=drift)
    assert found.above[1] == pytest.approx(expected, rel=1e-10)


def test_halving_the_panels_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reference: the same quadrature with twice the nodes, on grids of 100 looks and on looks 0.0002 apart."""
    grids = [[i / 100 for i in range(1, 101)], [0.3, 0.3002, 0.5, 0.5002, 1.0]]
    coarse = [crossing(g, [-2.6] * len(g), [2.6] * len(g), drift=1.0) for g in grids]
    monkeypatch.setattr(recursion, "PANEL", recursion.PANEL / 2)
    fine = [crossing(g, [-2.6] * len(g), [2.6] * len(g), drift=1.0) for g in grids]
    for one, other in zip(coarse, fine, strict=True):
        assert np.abs(np.subtract(one, other)).max() < 1e-13


def test_crossing_agrees_with_simulated_paths() -> None:
    """Reference: simulation of 200,000 paths, 4 Monte Carlo errors."""
    rng = np.random.default_rng(3)
    times = np.array([0.25, 0.5, 0.75, 1.0])
    score = np.cumsum(rng.normal(1.5 * 0.25, 0.5, (200_000, 4)), axis=1)
    first = np.argmax(np.c_[score / np.sqrt(times) >= 2.3, np.ones(200_000)], axis=1)
    found = crossing(list(times), [-math.inf] * 4, [2.3] * 4, drift=1.5)
    for look in range(4):
        assert (first == look).mean() == pytest.approx(found.above[look], abs=4 * math.sqrt(0.25 / 200_000))


def test_tails_keep_their_digits() -> None:
    """Reference: scipy.stats.norm.sf at 8: 6.22e-16."""
    assert beyond(start(), 0.5, 8.0) == pytest.approx(stats.norm.sf(8.0), rel=1e-12)
    assert below(start(), 0.5, -8.0) == pytest.approx(stats.norm.sf(8.0), rel=1e-12)


def test_a_closed_corridor_lets_nothing_through() -> None:
    paths = advance(start(), 0.5, 1.0, 1.0, next_time=1.0)
    assert beyond(paths, 1.0, 0.0) == 0.0
