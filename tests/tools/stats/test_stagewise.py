"""Inference after stopping: against rpact, multivariate normal integration, the t test and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import Boundary, boundaries
from experiment_tracker_tools.stats.checks import Sides
from experiment_tracker_tools.stats.looks import Look
from experiment_tracker_tools.stats.monitor import even_grid, first_crossing
from experiment_tracker_tools.stats.stagewise import after_stopping


def test_the_p_value_agrees_with_rpact() -> None:
    """Reference: rpact's tests (test-f_analysis_base_means.R, result1): finalPValues 0.014723218 at stage 3 of 4.

    Wang-Tsiatis 0.4 at one-sided 2.5% with binding futility at 0.5244; n, means and SDs by stage as there. Its final
    interval (26.836, 56.852) and estimate 42.083 use the normal scale for the effect: 1% of a se away.
    """
    n, means, sds = [120, 130, 130], [45.0, 41.0, 45.0], [130.0, 140.0, 120.0]
    total = sum(n)
    mean = sum(k * m for k, m in zip(n, means, strict=True)) / total
    m2 = sum((k - 1) * s * s + k * (m - mean) ** 2 for k, m, s in zip(n, means, sds, strict=True))
    se = math.sqrt(m2 / (total - 1) / total)
    upper = (2.4958484701586094, 2.3287089645346515, math.inf)
    boundary = Boundary((0.25, 0.5, 0.75), upper, (0.5244, 0.5244, -math.inf), (0.0, 0.0, 0.0))
    look = Look(0.75, mean - 25, se, total - 1)
    assert after_stopping(look, boundary=boundary, sides=1).p_value == pytest.approx(0.014723218, rel=1e-7)
    found = after_stopping(look, boundary=boundary)
    assert [25 + x for x in found[1:]] == pytest.approx([42.083, 26.836, 56.852], abs=0.012 * se)


def outcome_at_least(boundary: Boundary, z: float, drift: float) -> float:
    """The tail of the stage-wise ordering, by scipy's multivariate normal integration."""
    total, t = 0.0, np.asarray(boundary.times)
    for look in range(len(t)):
        seen = t[: look + 1]
        correlation = np.sqrt(np.minimum.outer(seen, seen) / np.maximum.outer(seen, seen))
        last = z if look == len(t) - 1 else boundary.upper[look]
        low, high = np.array([*boundary.lower[:look], last]), np.array([*boundary.upper[:look], 40.0])
        total += float(
            stats.multivariate_normal.cdf(
                high, drift * np.sqrt(seen), correlation, maxpts=10**6, abseps=1e-7, releps=1e-7, lower_limit=low
            )
        )
    return total


@pytest.mark.parametrize(("times", "z", "sides"), [
    ([0.5, 1.0], 2.5, 2), ([0.5, 1.0], -0.7, 2), ([0.3, 0.6, 1.0], 2.1, 2), ([0.25, 0.5, 0.75], -2.9, 2),
    ([0.4, 0.8, 1.0], 1.8, 1),
])  # fmt: skip
def test_limits_and_p_value_agree_with_multivariate_normal_integration(
    times: list[float], z: float, sides: Sides
) -> None:
    """Reference: scipy.stats.multivariate_normal.cdf of the stage-wise tail at the limits and under no effect."""
    boundary = boundaries(times, sides=sides)
    found = after_stopping(Look(times[-1], z, 1.0), boundary=boundary, sides=sides)
    tail = outcome_at_least(boundary, z, 0.0)
    assert found.p_value == pytest.approx(tail if sides == 1 else 2 * min(tail, 1 - tail), abs=2e-6)
    drift = 1 / math.sqrt(times[-1])
    for effect, probability in ((found.ci_low, 0.05 / sides), (found.estimate, 0.5)):
        assert outcome_at_least(boundary, z, effect * drift) == pytest.approx(probability, abs=2e-6)


@settings(deadline=None, max_examples=30)
@given(t=st.floats(-8, 8), df=st.floats(3, 500), se=st.floats(0.01, 100), alpha=st.floats(0.01, 0.3))
def test_without_earlier_looks_it_is_the_t_test(t: float, df: float, se: float, alpha: float) -> None:
    """Reference: scipy.stats.t.interval and scipy.stats.t.sf."""
    found = after_stopping(Look(0.4, t * se, se, df), boundary=boundaries([0.4]), alpha=alpha)
    low, high = stats.t.interval(1 - alpha, df, t * se, se)
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high), abs=1e-6 * se)
    assert found.estimate == pytest.approx(t * se, abs=1e-6 * se)
    assert found.p_value == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(z=st.floats(-4, 4), looks=st.integers(1, 12))
def test_the_interval_leaves_zero_out_exactly_when_p_is_small(z: float, looks: int) -> None:
    boundary = boundaries(even_grid(12)[:looks])
    found = after_stopping(Look(boundary.times[-1], z, 1.0), boundary=boundary)
    assert (found.p_value < 0.05) == (found.ci_low > 0 or found.ci_high < 0) or abs(found.p_value - 0.05) < 1e-6
    assert found.ci_low < found.estimate < found.ci_high


@settings(deadline=None, max_examples=20)
@given(z=st.floats(-4, 4))
def test_swapping_the_variants_flips_the_answer(z: float) -> None:
    boundary = boundaries([0.4, 0.7, 1.0])
    one, other = (after_stopping(Look(1.0, sign * z, 1.0), boundary=boundary) for sign in (1, -1))
    assert one.p_value == pytest.approx(other.p_value, rel=1e-9)
    assert one.estimate == pytest.approx(-other.estimate, abs=1e-7)
    assert (one.ci_low, one.ci_high) == pytest.approx((-other.ci_high, -other.ci_low), abs=1e-7)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_the_metric_does_not_matter(unit: float) -> None:
    boundary = boundaries([0.5, 1.0])
    one, other = (after_stopping(Look(1.0, 2.2 * u, u, 40), boundary=boundary) for u in (1.0, unit))
    assert other.p_value == pytest.approx(one.p_value, rel=1e-9)
    assert [limit / unit for limit in other[1:]] == pytest.approx(one[1:], abs=1e-7)


def test_a_crossed_boundary_has_a_p_value_below_alpha_and_an_earlier_one_a_smaller() -> None:
    boundary = boundaries([0.5, 0.75, 1.0])
    p_values = [
        after_stopping(
            Look(time, boundary.upper[k], 1.0), boundary=Boundary(*(part[: k + 1] for part in boundary))
        ).p_value
        for k, time in enumerate(boundary.times)
    ]
    assert p_values == pytest.approx(boundary.spent, rel=1e-9)


@pytest.mark.parametrize("drift", [0.0, 3.0])
def test_coverage_and_median_hold_after_stopping(drift: float) -> None:
    """Reference: simulation of 400 experiments of 5 looks, 4 Monte Carlo errors."""
    rng = np.random.default_rng(8)
    boundary, times = boundaries(even_grid(5)), np.array(even_grid(5))
    z = np.cumsum(rng.normal(drift / 5, math.sqrt(0.2), (400, 5)), axis=1) / np.sqrt(times)
    stops = first_crossing(z, boundary)
    covered, above = 0, 0
    for row, stop in zip(z, stops, strict=True):
        k = 4 if stop < 0 else int(stop)
        look = Look(times[k], row[k] / math.sqrt(times[k]), 1 / math.sqrt(times[k]))
        found = after_stopping(look, boundary=Boundary(*(part[: k + 1] for part in boundary)))
        covered += found.ci_low <= drift <= found.ci_high
        above += found.estimate > drift
    assert covered / 400 == pytest.approx(0.95, abs=4 * math.sqrt(0.05 * 0.95 / 400))
    assert above / 400 == pytest.approx(0.5, abs=4 * math.sqrt(0.25 / 400))


def test_a_far_effect_after_a_look_without_boundary_is_still_measured() -> None:
    boundary = boundaries([0.01, 0.5])
    found = after_stopping(Look(0.5, 30.0, 1.0), boundary=boundary)
    assert (found.ci_low, found.ci_high) == pytest.approx((30 - 1.959964, 30 + 1.959964), abs=1e-5)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(30), rel=1e-9)


def test_a_look_that_is_not_the_boundarys_last_is_refused() -> None:
    with pytest.raises(InvalidInput, match="last"):
        after_stopping(Look(0.5, 1.0, 1.0), boundary=boundaries([0.5, 1.0]))
    with pytest.raises(InvalidInput, match="alpha"):
        after_stopping(Look(0.5, 1.0, 1.0), boundary=boundaries([0.5]), alpha=1.0)
