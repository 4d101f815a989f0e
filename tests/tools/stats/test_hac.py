"""Newey-West errors against statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.hac import default_lags, time_block_effect

Floats = NDArray[np.float64]


def series(seed: int, n: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=n)
    for t in range(1, n):
        noise[t] += 0.6 * noise[t - 1]
    treated = (rng.random(n) < 0.5).astype(float)
    treated[:2] = 0, 1
    return 3 + 0.7 * treated + noise, treated


@pytest.mark.parametrize("n", [12, 60, 400])
@pytest.mark.parametrize("lags", [0, 1, 5])
def test_is_the_hac_covariance_of_statsmodels(n: int, lags: int) -> None:
    """statsmodels OLS, cov_type="HAC" with use_correction and use_t, Bartlett kernel."""
    y, treated = series(n + lags, n)
    hour = np.sin(np.arange(n) / 4)
    reference = sm.OLS(y, np.column_stack([np.ones(n), treated, hour])).fit(
        cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True}, use_t=True
    )
    ours = time_block_effect(y, treated, covariates=hour, lags=lags, alpha=0.1)
    assert (ours.effect, ours.se) == pytest.approx((reference.params[1], reference.bse[1]), rel=1e-9)
    assert ours.p_value == pytest.approx(reference.pvalues[1], rel=1e-8)
    assert (ours.ci_low, ours.ci_high) == pytest.approx(tuple(reference.conf_int(0.1)[1]), rel=1e-8)


@pytest.mark.parametrize(("blocks", "lags"), [(2, 1), (10, 2), (50, 3), (100, 4), (200, 4), (1000, 6)])
def test_chooses_the_usual_number_of_lags(blocks: int, lags: int) -> None:
    """Newey & West (1994): the integer part of 4 (n / 100)^(2/9)."""
    assert default_lags(blocks) == lags


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([1e-6, 1e3]))
def test_flips_with_the_variants_scales_with_the_unit_and_reads_both_ways(seed: int, unit: float) -> None:
    y, treated = series(seed, 40)
    plain, swapped = time_block_effect(y, treated), time_block_effect(y, 1 - treated)
    assert plain.effect is not None
    assert (swapped.effect, swapped.se) == pytest.approx((-plain.effect, plain.se), rel=1e-8)
    scaled = time_block_effect(y[::-1] * unit, treated[::-1])
    assert scaled.effect is not None
    assert (scaled.effect / unit, scaled.p_value) == pytest.approx((plain.effect, plain.p_value), rel=1e-8)


def test_refuses_lags_and_rows_out_of_range() -> None:
    y, treated = series(1, 12)
    with pytest.raises(InvalidInput, match="lags = 12 reach past the 12 blocks"):
        time_block_effect(y, treated, lags=12)
    with pytest.raises(InvalidInput, match="lags = -1 is below 0"):
        time_block_effect(y, treated, lags=-1)
    with pytest.raises(InvalidInput, match="treated has 3 values for 12 rows"):
        time_block_effect(y, treated[:3])
