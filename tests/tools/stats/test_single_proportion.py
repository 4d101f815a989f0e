"""Intervals of one proportion against statsmodels, scipy and published tables."""

import math

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.single_proportion import clopper_pearson, jeffreys, wilson

COUNTS = [(0, 10), (10, 10), (1, 1), (0, 1), (15, 148), (81, 263), (1, 29), (50, 100), (3, 100_000_000)]


@pytest.mark.parametrize(("x", "n"), COUNTS)
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_wilson_and_clopper_pearson_agree_with_scipy_binomtest(x: int, n: int, alpha: float) -> None:
    test = scipy.stats.binomtest(x, n)
    for result, expected in (
        (wilson(x, n, alpha=alpha), test.proportion_ci(1 - alpha, method="wilson")),
        (clopper_pearson(x, n, alpha=alpha), test.proportion_ci(1 - alpha, method="exact")),
    ):
        assert (result.ci_low, result.ci_high) == pytest.approx((expected.low, expected.high), rel=1e-9, abs=2e-12)


@pytest.mark.parametrize(("x", "n"), [(3, 100_000_000), (15, 148), (1, 29)])
def test_clopper_pearson_ends_where_scipy_binom_leaves_half_of_alpha(x: int, n: int) -> None:
    result = clopper_pearson(x, n)
    assert float(scipy.stats.binom.sf(x - 1, n, result.ci_low or 0.0)) == pytest.approx(0.025, rel=1e-7)
    assert float(scipy.stats.binom.cdf(x, n, result.ci_high or 0.0)) == pytest.approx(0.025, rel=1e-7)


@pytest.mark.parametrize(("x", "n"), [(15, 148), (81, 263), (1, 29), (50, 100)])
def test_jeffreys_agrees_with_statsmodels(x: int, n: int) -> None:
    result = jeffreys(x, n)
    assert (result.ci_low, result.ci_high) == pytest.approx(proportion_confint(x, n, method="jeffreys"), rel=1e-9)


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_that_of_newcombe_1998_table_one(x: int, n: int, low: float, high: float) -> None:
    result = wilson(x, n)
    assert (result.ci_low, result.ci_high) == pytest.approx((low, high), abs=5e-5)


def test_no_and_all_successes_close_the_interval_at_the_end_and_only_there() -> None:
    for of in (wilson, clopper_pearson, jeffreys):
        none, every = of(0, 12), of(12, 12)
        assert (none.ci_low, every.ci_high) == (0.0, 1.0)
        assert none.ci_high == pytest.approx(1 - (every.ci_low or 0.0))
        assert 0 < (none.ci_high or 0.0) < 0.4


def test_no_units_have_no_interval() -> None:
    for of in (wilson, clopper_pearson, jeffreys):
        assert of(0, 0) == (None, None, None, "n = 0: there is no unit to estimate from.")


@pytest.mark.parametrize(("x", "n"), [(-1, 10), (11, 10), (1.5, 10), (math.nan, 10), (3, math.inf)])
def test_counts_out_of_range_are_refused(x: float, n: float) -> None:
    for of in (wilson, clopper_pearson, jeffreys):
        with pytest.raises(InvalidInput, match=r"Give|Leave"):
            of(x, n)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 5000), share=st.floats(0, 1), alpha=st.floats(0.001, 0.5))
def test_the_exact_interval_holds_wilsons_estimate_and_mirrors(n: int, share: float, alpha: float) -> None:
    x = round(n * share)
    for of in (wilson, clopper_pearson, jeffreys):
        result, mirror = of(x, n, alpha=alpha), of(n - x, n, alpha=alpha)
        assert (result.ci_low or 0.0) <= x / n <= (result.ci_high or 0.0)
        assert result.ci_low == pytest.approx(1 - (mirror.ci_high or 0.0), abs=1e-9)
