"""Quantiles against scipy.stats.quantile_test, enumeration of the bootstrap, and simulation."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.quantiles import maritz_jarrett, quantile_difference, quantile_interval


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("n", [60, 500, 1001])
def test_the_interval_agrees_with_scipy_quantile_test(n: int, q: float) -> None:
    values = np.random.default_rng(n).exponential(1, n)
    result = quantile_interval(values, q)
    test = scipy.stats.quantile_test(values, q=float(np.quantile(values, q)), p=q)
    expected = test.confidence_interval(confidence_level=0.95)
    ends = expected.low, expected.high  # type: ignore[attr-defined]  # scipy-stubs take it for a float
    assert result.estimate == pytest.approx(float(np.quantile(values, q)))
    for ours, theirs in zip((result.ci_low, result.ci_high), ends, strict=True):
        if math.isnan(theirs):
            assert ours is None
        elif ours is not None:
            assert ours == pytest.approx(float(theirs))


def test_the_stated_confidence_is_the_binomials_as_scipy_has_it() -> None:
    result = quantile_interval(range(1, 21), 0.5)
    assert (result.ci_low, result.ci_high) == (6.0, 15.0)
    inside = scipy.stats.binom.cdf(14, 20, 0.5) - scipy.stats.binom.cdf(5, 20, 0.5)
    assert result.confidence == pytest.approx(float(inside), rel=1e-12)


@pytest.mark.parametrize("n", [3, 5, 7])
def test_the_standard_error_is_that_of_every_bootstrap_sample_enumerated(n: int) -> None:
    values = np.sort(np.random.default_rng(n).exponential(1, n))
    medians = [sorted(draw)[n // 2] for draw in itertools.product(values.tolist(), repeat=n)]
    assert maritz_jarrett(values, 0.5) == pytest.approx(float(np.std(medians)), rel=1e-9)


def test_cutting_off_far_weights_changes_nothing() -> None:
    """Against all weights from scipy.stats.beta."""
    values = np.sort(np.random.default_rng(5).exponential(1, 20_000))
    edges = scipy.stats.beta.cdf(np.arange(20_001) / 20_000, 19_999 * 0.9 + 1, 19_999 * 0.1 + 1)
    weights = np.diff(edges)
    expected = math.sqrt(float(weights @ values**2) - float(weights @ values) ** 2)
    assert maritz_jarrett(values, 0.9) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("q", [0.5, 0.9])
def test_the_interval_of_the_difference_covers_by_simulation(q: float) -> None:
    """Exponentials of mean 1 and 2; Monte Carlo error of 1,000 runs is 0.7 points."""
    rng = np.random.default_rng(6)
    truth = -math.log(1 - q)
    covered = 0
    for _ in range(1000):
        result = quantile_difference(rng.exponential(1, 200), rng.exponential(2, 150), q)
        covered += (result.ci_low or -9.0) <= truth <= (result.ci_high or -9.0)
    assert 0.925 <= covered / 1000 <= 0.975


def test_what_cannot_be_told_has_a_reason() -> None:
    assert quantile_interval([], 0.5).reason == "The sample is empty."
    assert quantile_interval([1.0, 2.0, 3.0], 0.5).ci_low is None
    assert "too small" in str(quantile_interval(range(50), 0.999).reason)
    assert quantile_difference([], [1.0], 0.5).effect is None
    assert quantile_difference([1.0], [3.0, 3.0], 0.5).effect == 2.0
    assert "constant" in str(quantile_difference([1.0] * 9, [3.0] * 9, 0.5).reason)


def test_swapping_and_units_behave() -> None:
    rng = np.random.default_rng(7)
    control, treatment = rng.exponential(1, 80), rng.exponential(1.5, 90)
    base, swapped = quantile_difference(control, treatment, 0.75), quantile_difference(treatment, control, 0.75)
    scaled = quantile_difference(control * 1e3, treatment * 1e3, 0.75)
    assert base.effect == -(swapped.effect or 0.0)
    assert base.p_value == pytest.approx(scaled.p_value, rel=1e-9)


@pytest.mark.parametrize("q", [0.0, 1.0, -1.0, math.nan])
def test_quantiles_outside_their_range_are_refused(q: float) -> None:
    with pytest.raises(InvalidInput, match=r"q = .* outside \(0, 1\)"):
        quantile_interval([1.0, 2.0], q)
    with pytest.raises(InvalidInput, match=r"q = .* outside \(0, 1\)"):
        quantile_difference([1.0, 2.0], [1.0, 2.0], q)
