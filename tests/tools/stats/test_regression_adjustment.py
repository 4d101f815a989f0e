"""Lin's adjustment against statsmodels' robust covariances and Welch's test."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.least_squares import fit
from experiment_tracker_tools.stats.regression_adjustment import Errors, adjusted_effect, heteroskedastic_test

Floats = NDArray[np.float64]


def sample(seed: int, *, n: int, k: int, share: float = 0.5) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    treated = (rng.permutation(n) < n * share).astype(float)
    x = rng.normal(size=(n, k))
    y = 2 + x.sum(axis=1) + treated * (0.5 + x[:, 0]) + rng.normal(size=n) * (1 + treated)
    return y, treated, x


@pytest.mark.parametrize("errors", ["hc2", "hc3"])
@pytest.mark.parametrize(("n", "k", "share"), [(20, 1, 0.5), (60, 3, 0.5), (200, 2, 0.1), (500, 5, 0.9)])
def test_is_the_interacted_regression_of_statsmodels(n: int, k: int, share: float, errors: Errors) -> None:
    """statsmodels OLS with cov_type HC2 or HC3, use_t; Lin (2013), section 4."""
    y, treated, x = sample(n + k, n=n, k=k, share=share)
    centred = x - x.mean(axis=0)
    design = np.column_stack([np.ones(n), treated, centred, treated[:, None] * centred])
    reference = sm.OLS(y, design).fit(cov_type=errors.upper(), use_t=True)
    ours = adjusted_effect(y, treated, x, errors=errors, alpha=0.1)
    assert (ours.effect, ours.se) == pytest.approx((reference.params[1], reference.bse[1]), rel=1e-9)
    assert (ours.t, ours.p_value) == pytest.approx((reference.tvalues[1], reference.pvalues[1]), rel=1e-8)
    assert (ours.ci_low, ours.ci_high) == pytest.approx(tuple(reference.conf_int(0.1)[1]), rel=1e-8)


@pytest.mark.parametrize("n", [5, 30])
def test_hc2_without_covariates_is_welch(n: int) -> None:
    """scipy.stats.ttest_ind(equal_var=False): the same standard error."""
    y, treated, _ = sample(n, n=2 * n, k=1)
    ours = heteroskedastic_test(fit(y, np.column_stack([np.ones(2 * n), treated])), 1, errors="hc2")
    reference = stats.ttest_ind(y[treated == 1], y[treated == 0], equal_var=False)
    assert ours.t == pytest.approx(reference.statistic, rel=1e-10)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from([1e-5, 1e6]))
def test_flips_with_the_variants_and_scales_with_the_unit(seed: int, unit: float) -> None:
    y, treated, x = sample(seed, n=40, k=2)
    plain, swapped = adjusted_effect(y, treated, x), adjusted_effect(y, 1 - treated, x)
    assert plain.effect is not None
    assert (swapped.effect, swapped.se) == pytest.approx((-plain.effect, plain.se), rel=1e-8)
    scaled = adjusted_effect(y * unit, treated, x / unit + 3 / unit)
    assert scaled.effect is not None
    assert (scaled.effect / unit, scaled.p_value) == pytest.approx((plain.effect, plain.p_value), rel=1e-6)
    order = np.random.default_rng(seed).permutation(y.size)
    shuffled = adjusted_effect(y[order], treated[order], x[order])
    assert shuffled.se == pytest.approx(plain.se, rel=1e-9)


def test_gives_no_error_where_one_row_decides() -> None:
    outcome = [1.0, 2.0, 1.5, 2.5, 3.0, 9.0]
    result = adjusted_effect(outcome, [0, 0, 0, 1, 1, 1], [0.0, 1.0, 2.0, 0.0, 0.0, 5.0])
    assert result.se is None
    assert result.reason is not None and "Row 5 alone determines" in result.reason


def test_gives_no_error_where_nothing_is_left_over() -> None:
    result = adjusted_effect([1.0, 2.0, 3.0, 2.0, 3.0, 4.0], [0, 0, 0, 1, 1, 1], [1.0, 2.0, 3.0, 1.0, 2.0, 3.0])
    assert result.effect == pytest.approx(1.0)
    assert result.p_value is None
    assert result.reason is not None and "residuals are all 0" in result.reason


def test_refuses_designs_that_cannot_be_fitted() -> None:
    y, treated, x = sample(0, n=20, k=1)
    with pytest.raises(InvalidInput, match="combination of the columns before it"):
        adjusted_effect(y, treated, np.column_stack([x, 2 * x]))
    with pytest.raises(InvalidInput, match="Column 2 of the design is 0 in every row"):
        adjusted_effect(y, treated, np.full(20, 4.0))
    with pytest.raises(InvalidInput, match=r"treated is 1 in every row\. Give rows of both"):
        adjusted_effect(y, np.ones(20), x)
    with pytest.raises(InvalidInput, match=r"treated has the value 2\. Give 1 for treatment"):
        adjusted_effect(y, treated * 2, x)
    with pytest.raises(InvalidInput, match="4 rows cannot carry 4 coefficients"):
        adjusted_effect(y[:4], [0, 1, 0, 1], x[:4])
    with pytest.raises(InvalidInput, match="errors = 'hc1' is unknown"):
        adjusted_effect(y, treated, x, errors="hc1")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="outcome holds <U1 values, not real numbers"):
        adjusted_effect(["a", "b"], [0, 1], [1.0, 2.0])
