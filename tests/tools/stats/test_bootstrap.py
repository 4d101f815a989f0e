"""BCa against scipy.stats.bootstrap on many resamples."""

import math

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bootstrap import bca

Array = NDArray[np.float64]


def mean_of(*samples: Array) -> Array:
    return np.asarray(samples[0].mean(axis=-1))


def ratio_of_means(*samples: Array) -> Array:
    return np.asarray(samples[1].mean(axis=-1) / samples[0].mean(axis=-1))


def variance_of(*samples: Array) -> Array:
    return np.asarray(samples[0].var(axis=-1, ddof=1))


@pytest.mark.parametrize("of", [mean_of, variance_of])
def test_one_sample_agrees_with_scipy_bootstrap(of: object) -> None:
    statistic = mean_of if of is mean_of else variance_of
    data = np.random.default_rng(1).exponential(1, 60)
    result = bca([data], statistic, seed=2, resamples=60_000)
    expected = scipy.stats.bootstrap(
        (data,),
        (lambda x, axis: x.mean(axis=axis)) if of is mean_of else (lambda x, axis: x.var(axis=axis, ddof=1)),
        n_resamples=60_000,
        rng=np.random.default_rng(3),
    )
    tolerance = 5 * (result.mc_error or 0.0)
    assert result.estimate == pytest.approx(float(statistic(data)))
    assert result.ci_low == pytest.approx(float(expected.confidence_interval.low), abs=tolerance)
    assert result.ci_high == pytest.approx(float(expected.confidence_interval.high), abs=tolerance)
    assert result.se == pytest.approx(float(expected.standard_error), rel=0.02)


def test_two_samples_agree_with_scipy_bootstrap() -> None:
    rng = np.random.default_rng(4)
    control, treatment = rng.lognormal(0, 1, 55), rng.lognormal(0.2, 1, 80)
    result = bca([control, treatment], ratio_of_means, seed=5, resamples=60_000)
    expected = scipy.stats.bootstrap(
        (control, treatment),
        lambda a, b, axis: b.mean(axis=axis) / a.mean(axis=axis),
        n_resamples=60_000,
        rng=np.random.default_rng(6),
    ).confidence_interval
    tolerance = 5 * (result.mc_error or 0.0)
    assert (result.ci_low, result.ci_high) == pytest.approx((float(expected.low), float(expected.high)), abs=tolerance)


def test_the_seed_decides_and_the_mean_of_a_symmetric_sample_has_nearly_the_t_interval() -> None:
    data = scipy.stats.norm.ppf((np.arange(200) + 0.5) / 200)
    result = bca([data], mean_of, seed=7)
    assert result == bca([data], mean_of, seed=7)
    assert result.ci_high == pytest.approx(1.96 * float(data.std()) / math.sqrt(200), rel=0.05)


def test_what_has_no_interval_says_why() -> None:
    assert bca([[1.0]], mean_of, seed=1).reason == "It needs 2 or more units in each sample."
    assert bca([], mean_of, seed=1).estimate is None
    assert "constant" in str(bca([[2.0] * 60], mean_of, seed=1).reason)

    def broken(*samples: Array) -> Array:
        return np.full(samples[0].shape[:-1], np.nan)

    assert "not finite" in str(bca([[1.0, 2.0]], broken, seed=1).reason)


def test_too_few_resamples_and_nan_are_refused() -> None:
    with pytest.raises(InvalidInput, match="resamples = 10 is below 999"):
        bca([[1.0, 2.0]], mean_of, seed=1, resamples=10)
    with pytest.raises(InvalidInput, match="20001 units are more than 20000"):
        bca([range(20_001)], mean_of, seed=1)
    with pytest.raises(InvalidInput, match="NaN"):
        bca([[1.0, math.nan]], mean_of, seed=1)
    with pytest.raises(InvalidInput, match="alpha"):
        bca([[1.0, 2.0]], mean_of, seed=1, alpha=0.0)
