"""Ratio metrics against tea-tasting and the bootstrap of units."""

import math

import numpy as np
import pytest
import scipy.stats
import tea_tasting
from hypothesis import given, settings
from hypothesis import strategies as st
from tea_tasting.aggr import Aggregates

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.means import welch
from experiment_tracker_tools.stats.ratios import ratio_difference, ratio_estimate
from experiment_tracker_tools.stats.samples import BivariateMoments, bivariate_moments

Summary = tuple[int, float, float, float, float, float]

SUMMARIES: list[tuple[Summary, Summary]] = [
    ((100, 10.0, 4.0, 3.0, 2.0, 1.0), (120, 11.0, 4.1, 3.0, 2.0, 1.0)),
    ((5, 1.0, 4.0, 0.5, 1.0, -0.3), (7, 2.0, 4.0, 0.5, 1.0, 0.3)),
    ((100_000_000, 0.1, 2.0, 0.09, 1.0, 0.1), (1_000_000, 0.101, 2.0, 0.09, 1.0, 0.1)),
    ((9_900, 3.0, 1.5, 2.0, 1.0, 1.2), (100, 3.4, 1.4, 2.0, 1.0, 1.2)),
]


def ours(summary: Summary) -> BivariateMoments:
    n, y, x, variance_y, variance_x, covariance = summary
    return BivariateMoments(n, y, x, variance_y * (n - 1), variance_x * (n - 1), covariance * (n - 1))


def theirs(summary: Summary) -> Aggregates:
    n, y, x, variance_y, variance_x, covariance = summary
    return Aggregates(
        count_=n, mean_={"y": y, "x": x}, var_={"y": variance_y, "x": variance_x}, cov_={("x", "y"): covariance}
    )


@pytest.mark.parametrize(("control", "treatment"), SUMMARIES)
def test_the_difference_and_the_lift_agree_with_tea_tasting_ratio_of_means(
    control: Summary, treatment: Summary
) -> None:
    metric = tea_tasting.RatioOfMeans("y", "x", use_t=True, equal_var=False)
    expected = metric.analyze_aggregates(theirs(control), theirs(treatment))
    result = ratio_difference(ours(control), ours(treatment))
    assert (result.control, result.treatment) == pytest.approx((expected.control, expected.treatment))
    assert result.test.t == pytest.approx(expected.statistic, rel=1e-9)
    assert result.test.p_value == pytest.approx(expected.pvalue, rel=1e-8)
    assert (result.test.ci_low, result.test.ci_high) == pytest.approx(
        (expected.effect_size_ci_lower, expected.effect_size_ci_upper), rel=1e-8
    )
    assert result.lift is not None
    if result.lift.method == "log-delta":
        assert (result.lift.ci_low, result.lift.ci_high) == pytest.approx(
            (expected.rel_effect_size_ci_lower, expected.rel_effect_size_ci_upper), rel=1e-8
        )


def test_the_standard_error_is_near_that_of_scipy_bootstrap_over_units() -> None:
    rng = np.random.default_rng(1)
    x = rng.poisson(5, 400) + 1.0
    y = rng.binomial(x.astype(int), 0.3) + 0.0
    estimate = ratio_estimate(bivariate_moments(y, x))
    expected = scipy.stats.bootstrap(
        (y, x), lambda a, b, axis: a.mean(axis=axis) / b.mean(axis=axis), paired=True, rng=np.random.default_rng(2)
    )
    assert estimate is not None
    assert estimate.mean == pytest.approx(y.sum() / x.sum())
    assert math.sqrt(estimate.variance) == pytest.approx(float(expected.standard_error), rel=0.05)


def test_a_constant_denominator_of_one_is_the_test_of_means() -> None:
    rng = np.random.default_rng(3)
    control, treatment = (
        bivariate_moments(rng.normal(5, 1, 20), [1.0] * 20),
        bivariate_moments(rng.normal(6, 2, 9), [1.0] * 9),
    )
    assert ratio_difference(control, treatment).test == pytest.approx((*welch(control.y, treatment.y)[:8], None))


def test_ratios_that_do_not_exist_are_none_with_a_reason() -> None:
    good = bivariate_moments([1.0, 2.0], [2.0, 3.0])
    for bad in (bivariate_moments([], []), bivariate_moments([1.0], [1.0]), bivariate_moments([1.0, 2.0], [-1.0, 1.0])):
        result = ratio_difference(good, bad)
        assert result.test.p_value is None
        assert "2 or more units" in str(result.reason)
    assert ratio_difference(good, bivariate_moments([], [])).treatment is None
    constant = bivariate_moments([1.0, 2.0], [2.0, 4.0])
    result = ratio_difference(constant, constant)
    assert (result.test.effect, result.test.p_value) == (0.0, None)


def test_impossible_moments_and_alpha_are_refused() -> None:
    good = bivariate_moments([1.0, 2.0], [2.0, 3.0])
    with pytest.raises(InvalidInput, match="c_yx"):
        ratio_difference(good, good._replace(c_yx=9.0))
    with pytest.raises(InvalidInput, match="alpha"):
        ratio_difference(good, good, alpha=1.0)


def test_a_variance_that_underflows_is_no_contradiction() -> None:
    """The squares of 4e-249 are below the smallest float, the products with x are not."""
    tiny = bivariate_moments([0.0, 0.0, 4e-249], [1.0, 1.0, 2.0])
    assert ratio_difference(tiny, tiny).test.effect == 0.0


rows = st.lists(st.tuples(st.floats(0, 10), st.floats(1, 10)), min_size=3, max_size=20)


@settings(deadline=None, max_examples=40)
@given(control=rows, treatment=rows)
def test_swapping_the_variants_flips_the_sign(
    control: list[tuple[float, float]], treatment: list[tuple[float, float]]
) -> None:
    first, second = (bivariate_moments([y for y, _ in each], [x for _, x in each]) for each in (control, treatment))
    there, back = ratio_difference(first, second).test, ratio_difference(second, first).test
    assert there.effect == -(back.effect or 0.0)
    if there.p_value is not None:
        assert there.p_value == pytest.approx(back.p_value)
