"""The noncentral t against scipy where it works and mpmath where it does not."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.noncentral_t import noncentral_t_cdf, noncentrality_limits

MPMATH = [
    (3, 2e8, 2.2, 0.788144597723036),
    (1000, 4, 900, 0.5184947454830251),
    (100, 98, 90, 0.9134943329260403),
    (0.3, 1, 5, 1.561516110072928e-6),
    (60, 20, 50, 0.8346770609590291),
]


@pytest.mark.parametrize(("t", "df", "noncentrality", "probability"), MPMATH)
def test_the_distribution_is_that_of_mpmath(t: float, df: float, noncentrality: float, probability: float) -> None:
    assert noncentral_t_cdf(t, df, noncentrality) == pytest.approx(probability, abs=1e-11)


@pytest.mark.parametrize("t", [-3.0, 0.0, 0.7, 4.8, 30.0])
@pytest.mark.parametrize("df", [1, 3, 12, 200, 1e5])
@pytest.mark.parametrize("noncentrality", [-2.0, 0.0, 1.3, 4.0])
def test_the_distribution_agrees_with_scipy_nct(t: float, df: float, noncentrality: float) -> None:
    expected = float(scipy.stats.nct.cdf(t, df, noncentrality))
    assert noncentral_t_cdf(t, df, noncentrality) == pytest.approx(expected, abs=3e-12)


@pytest.mark.parametrize("df", [1, 3, 1e5])
def test_it_has_a_value_where_scipy_nct_gives_none(df: float) -> None:
    assert np.isnan(scipy.stats.nct.cdf(-3.0, df, 9.0))
    assert 0 < noncentral_t_cdf(-3.0, df, 9.0) < float(scipy.stats.norm.cdf(-9.0))


@settings(deadline=None, max_examples=30)
@given(t=st.floats(-200, 200), df=st.floats(1, 1e7), alpha=st.floats(0.001, 0.5))
def test_the_limits_leave_half_of_alpha_on_each_side(t: float, df: float, alpha: float) -> None:
    low, high = noncentrality_limits(t, df, alpha=alpha)
    assert low < high
    assert noncentral_t_cdf(t, df, low) == pytest.approx(1 - alpha / 2, abs=1e-8)
    assert noncentral_t_cdf(t, df, high) == pytest.approx(alpha / 2, abs=1e-8)


def test_alpha_outside_its_range_is_refused() -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        noncentrality_limits(1.0, 5, alpha=2.0)
