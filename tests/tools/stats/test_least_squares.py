"""Least squares against numpy and statsmodels, far from zero and far from one."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.least_squares import coefficient_test, fit, influence, leverages

RNG = np.random.default_rng(11)
DESIGN = np.column_stack([np.ones(30), RNG.normal(size=30), RNG.gamma(2, 1, size=30)])
OUTCOME = DESIGN @ [1.0, -2.0, 0.5] + RNG.normal(size=30)


@pytest.mark.parametrize("scale", [(1.0, 1.0, 1.0), (1.0, 1e-8, 1e8), (1e-6, 1e6, 1.0)])
def test_fits_as_statsmodels_does_in_any_unit(scale: tuple[float, float, float]) -> None:
    """statsmodels OLS: params, resid and the leverage of get_influence()."""
    reference, fitted = sm.OLS(OUTCOME, DESIGN).fit(), fit(OUTCOME, DESIGN * scale)
    assert fitted.coefficients * scale == pytest.approx(reference.params, rel=1e-10)
    assert fitted.residuals == pytest.approx(reference.resid, rel=1e-9, abs=1e-10)
    assert leverages(fitted) == pytest.approx(reference.get_influence().hat_matrix_diag, rel=1e-9)


def test_influence_gives_the_coefficient_back() -> None:
    fitted = fit(OUTCOME, DESIGN)
    for place in range(3):
        assert influence(fitted, place) @ OUTCOME == pytest.approx(fitted.coefficients[place], rel=1e-10)


@pytest.mark.parametrize(("effect", "variance", "df"), [(2.0, 1.0, 10.0), (-1e-9, 1e-20, 3.5), (1e5, 1.0, 1e8)])
def test_coefficient_test_is_students(effect: float, variance: float, df: float) -> None:
    """scipy.stats.t."""
    ours = coefficient_test(effect, variance, df, alpha=0.1)
    reference = stats.t(df, loc=effect, scale=variance**0.5)
    assert ours.p_value == pytest.approx(2 * stats.t.sf(abs(effect) / variance**0.5, df), rel=1e-9, abs=1e-300)
    assert (ours.ci_low, ours.ci_high) == pytest.approx(reference.interval(0.9), rel=1e-9)


def test_refuses_columns_that_are_no_columns() -> None:
    with pytest.raises(InvalidInput, match="Column 1 of the design is a combination"):
        fit([1.0, 2.0, 3.0], [[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]])
    with pytest.raises(InvalidInput, match="2 rows cannot carry 2 coefficients"):
        fit([1.0, 2.0], [[1.0, 0.0], [1.0, 1.0]])
    with pytest.raises(InvalidInput, match="design has shape"):
        fit([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(InvalidInput, match="alpha = 0"):
        coefficient_test(1.0, 1.0, 5.0, alpha=0)
