"""Tests of two proportions against scipy and statsmodels."""

import math

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportions_ztest, score_test_proportions_2indep, test_proportions_2indep

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.counts import Pair
from experiment_tracker_tools.stats.proportions import chi_square, g_test, pooled_z, score_test, unpooled_z

compare_proportions = test_proportions_2indep
compare_proportions.__test__ = False
del test_proportions_2indep

PAIRS: list[tuple[Pair, Pair]] = [
    ((12, 100), (25, 100)),
    ((990, 99_000), (15, 1_000)),
    ((0, 50), (7, 60)),
    ((60, 60), (50, 60)),
    ((1, 2), (2, 3)),
    ((5_000_000, 100_000_000), (5_010_000, 100_000_000)),
    ((100, 1000), (500, 1000)),
]


def table(control: Pair, treatment: Pair) -> list[list[int]]:
    return [[control[0], control[1] - control[0]], [treatment[0], treatment[1] - treatment[0]]]


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
@pytest.mark.parametrize("continuity", [True, False])
def test_chi_square_agrees_with_scipy_chi2_contingency(control: Pair, treatment: Pair, continuity: bool) -> None:
    result = chi_square(control, treatment, continuity=continuity)
    expected = scipy.stats.chi2_contingency(table(control, treatment), correction=continuity)
    assert (result.statistic, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-7)


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
def test_g_agrees_with_scipy_chi2_contingency_by_log_likelihood(control: Pair, treatment: Pair) -> None:
    result = g_test(control, treatment)
    expected = scipy.stats.chi2_contingency(table(control, treatment), correction=False, lambda_="log-likelihood")
    assert (result.statistic, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-6)


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
def test_the_pooled_z_agrees_with_statsmodels_proportions_ztest(control: Pair, treatment: Pair) -> None:
    result = pooled_z(control, treatment)
    z, p = proportions_ztest([treatment[0], control[0]], [treatment[1], control[1]])
    assert (result.z, result.p_value) == pytest.approx((z, p), rel=1e-7)
    assert (result.z or 0.0) ** 2 == pytest.approx(chi_square(control, treatment).statistic, rel=1e-9)


@pytest.mark.parametrize(("control", "treatment"), [pair for pair in PAIRS if pair[0][0]])
def test_the_unpooled_z_agrees_with_statsmodels_wald(control: Pair, treatment: Pair) -> None:
    result = unpooled_z(control, treatment)
    expected = compare_proportions(*treatment, *control, method="wald")
    assert (result.z, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-7)


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
def test_the_score_test_agrees_with_statsmodels_at_no_difference(control: Pair, treatment: Pair) -> None:
    result = score_test(control, treatment)
    expected = score_test_proportions_2indep(*treatment, *control, value=0)
    assert (result.z, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-7)


def test_a_p_value_below_1e_100_is_right_to_the_digits_as_scipy_has_it() -> None:
    control, treatment = (1_000, 100_000), (2_500, 100_000)
    expected = scipy.stats.chi2_contingency(table(control, treatment), correction=False).pvalue
    result = pooled_z(control, treatment)
    assert float(expected) < 1e-100
    assert result.p_value == pytest.approx(float(expected), rel=1e-9)
    assert pooled_z((10, 1_000_000), (500_000, 1_000_000)).log10_p == pytest.approx(
        float(scipy.stats.norm.logsf(816.4839) + math.log(2)) / math.log(10), rel=1e-4
    )


@pytest.mark.parametrize("of", [score_test, pooled_z, unpooled_z, chi_square, g_test])
@pytest.mark.parametrize(
    ("control", "treatment"), [((0, 10), (0, 20)), ((10, 10), (20, 20)), ((0, 0), (1, 2)), ((1, 2), (0, 0))]
)
def test_tables_without_variation_or_units_have_no_p_value_but_a_reason(
    of: object, control: Pair, treatment: Pair
) -> None:
    for test in (score_test, pooled_z, unpooled_z, chi_square, g_test):
        if test is of:
            result = test(control, treatment)
            assert result.p_value is result.log10_p is None
            assert result.reason is not None


def test_the_score_test_keeps_its_interval_where_there_is_no_p_value() -> None:
    result = score_test((0, 10), (0, 10))
    assert (result.p_value, result.effect) == (None, 0.0)
    assert (result.ci_low, result.ci_high) == pytest.approx((-0.28793, 0.28793), abs=1e-5)


def test_differences_and_counts_out_of_range_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"difference = 1\.0 is outside \(-1, 1\)"):
        score_test((1, 2), (1, 2), difference=1.0)
    for of in (score_test, pooled_z, unpooled_z, chi_square, g_test):
        with pytest.raises(InvalidInput, match="exceed n = 2"):
            of((3, 2), (1, 2))


counts = st.integers(2, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None, max_examples=80)
@given(control=counts, treatment=counts, alpha=st.sampled_from([0.01, 0.05, 0.3]))
def test_the_score_interval_excludes_zero_exactly_when_the_score_test_rejects(
    control: Pair, treatment: Pair, alpha: float
) -> None:
    result = score_test(control, treatment, alpha=alpha)
    if result.p_value is not None and abs(result.p_value - alpha) > 1e-9:
        outside = not (result.ci_low or 0.0) <= 0 <= (result.ci_high or 0.0)
        assert outside == (result.p_value < alpha)


@settings(deadline=None, max_examples=60)
@given(control=counts, treatment=counts)
def test_swapping_the_variants_flips_the_sign_and_keeps_the_p_value(control: Pair, treatment: Pair) -> None:
    for of in (score_test, pooled_z, unpooled_z):
        there, back = of(control, treatment), of(treatment, control)
        assert there.effect == pytest.approx(-(back.effect or 0.0))
        if there.log10_p is not None and back.log10_p is not None:
            assert there.log10_p == pytest.approx(back.log10_p, rel=1e-6, abs=1e-9)
        assert there.reason == back.reason
