"""Tests on means against scipy, statsmodels and tea-tasting."""

import math

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
import tea_tasting
from hypothesis import given, settings
from hypothesis import strategies as st
from tea_tasting.aggr import Aggregates

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.means import blocked, log_ratio, one_sample, paired, student, welch
from experiment_tracker_tools.stats.samples import Moments, merge, moments, moments_from_sd, moments_of_logs

SUMMARIES = [
    ("worked anchor", (7, 27.4, 5.1), (7, 45.2, 8.3)),
    ("unequal n", (5, 1.0, 2.0), (50, 3.0, 0.5)),
    ("99:1 shares", (990_000, 10.0, 3.0), (10_000, 10.05, 3.1)),
    ("two units each", (2, 0.0, 1.0), (2, 5.0, 0.1)),
    ("1e8 units", (100_000_000, 1.0, 5.0), (100_000_000, 1.0012, 5.0)),
    ("p below 1e-100", (500, 0.0, 1.0), (500, 2.0, 1.0)),
    ("large offset", (30, 1e9, 1.0), (30, 1e9 + 1, 1.0)),
    ("one constant", (10, 3.0, 0.0), (10, 4.0, 2.0)),
    ("negative means", (12, -5.0, 2.0), (15, -7.0, 3.0)),
]


@pytest.mark.parametrize(
    ("control", "treatment"), [case[1:] for case in SUMMARIES], ids=[case[0] for case in SUMMARIES]
)
@pytest.mark.parametrize("test", [welch, student])
def test_it_agrees_with_scipy_ttest_ind_from_stats(
    control: tuple[int, float, float], treatment: tuple[int, float, float], test: object
) -> None:
    result = (welch if test is welch else student)(moments_from_sd(*control), moments_from_sd(*treatment))
    (n0, m0, s0), (n1, m1, s1) = control, treatment
    expected = scipy.stats.ttest_ind_from_stats(m1, s1, n1, m0, s0, n0, equal_var=test is student)
    assert result.t == pytest.approx(float(expected.statistic), rel=1e-9)
    assert result.p_value == pytest.approx(float(expected.pvalue), rel=1e-8)
    assert result.log10_p == pytest.approx(math.log10(float(expected.pvalue)), rel=1e-9)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("equal_variances", [True, False])
def test_intervals_agree_with_scipy_ttest_ind(alpha: float, equal_variances: bool) -> None:
    rng = np.random.default_rng(3)
    control, treatment = rng.normal(10, 1, 12), rng.normal(11, 4, 31)
    result = (student if equal_variances else welch)(moments(control), moments(treatment), alpha=alpha)
    expected = scipy.stats.ttest_ind(treatment, control, equal_var=equal_variances)
    interval = expected.confidence_interval(1 - alpha)
    assert (result.ci_low, result.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert result.df == pytest.approx(float(expected.df), rel=1e-12)


@pytest.mark.parametrize(
    ("control", "treatment"), [case[1:] for case in SUMMARIES], ids=[case[0] for case in SUMMARIES]
)
def test_welch_agrees_with_tea_tasting(control: tuple[int, float, float], treatment: tuple[int, float, float]) -> None:
    def aggregates(n: int, mean: float, sd: float) -> Aggregates:
        return Aggregates(count_=n, mean_={"x": mean}, var_={"x": sd**2}, cov_={})

    metric = tea_tasting.Mean("x", use_t=True, equal_var=False)
    expected = metric.analyze_aggregates(aggregates(*control), aggregates(*treatment))
    result = welch(moments_from_sd(*control), moments_from_sd(*treatment))
    assert result.effect == pytest.approx(expected.effect_size, rel=1e-9)
    assert (result.ci_low, result.ci_high) == pytest.approx(
        (expected.effect_size_ci_lower, expected.effect_size_ci_upper), rel=1e-8
    )


def test_seven_against_seven_is_the_worked_anchor() -> None:
    control, treatment = moments_from_sd(7, 27.4, 5.1), moments_from_sd(7, 45.2, 8.3)
    pooled, unequal = student(control, treatment), welch(control, treatment)
    assert (round(pooled.t or 0, 2), pooled.df, round(pooled.p_value or 0, 5)) == (4.83, 12, 0.00041)
    assert (round(pooled.ci_low or 0, 1), round(pooled.ci_high or 0, 1)) == (9.8, 25.8)
    assert (round(unequal.ci_low or 0, 1), round(unequal.ci_high or 0, 1)) == (9.6, 26.0)
    assert round(unequal.p_value or 0, 5) == 0.00069


def test_the_paired_test_agrees_with_scipy_ttest_rel() -> None:
    rng = np.random.default_rng(4)
    control = rng.lognormal(0, 1, 15)
    treatment = control * rng.lognormal(0.2, 0.3, 15)
    result = paired(control, treatment)
    expected = scipy.stats.ttest_rel(treatment, control)
    interval = expected.confidence_interval()
    assert (result.t, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-12)
    assert (result.ci_low, result.ci_high) == pytest.approx((interval.low, interval.high), rel=1e-12)


@pytest.mark.parametrize("sizes", [[(2, 3), (4, 1), (5, 5)], [(1, 1)] * 8, [(3, 0), (2, 2), (0, 4), (1, 6)]], ids=str)
def test_blocks_agree_with_statsmodels_least_squares_with_block_dummies(sizes: list[tuple[int, int]]) -> None:
    rng = np.random.default_rng(5)
    y: list[float] = []
    rows: list[list[float]] = []
    blocks = []
    for index, (n0, n1) in enumerate(sizes):
        first, second = rng.normal(index, 1, n0), rng.normal(index + 0.7, 1, n1)
        blocks.append((moments(first), moments(second)))
        for values, treated in ((first, 0.0), (second, 1.0)):
            for value in values:
                y.append(float(value))
                rows.append([treated] + [float(index == block) for block in range(len(sizes))])
    fit = sm.OLS(np.array(y), np.array(rows)).fit()
    result = blocked(blocks)
    assert (result.effect, result.se, result.df) == pytest.approx((fit.params[0], fit.bse[0], fit.df_resid), rel=1e-9)
    assert result.p_value == pytest.approx(fit.pvalues[0], rel=1e-8)


def test_blocks_of_one_pair_are_the_paired_test() -> None:
    control, treatment = [1.0, 2.0, 4.0, 8.0], [2.0, 2.5, 5.0, 7.0]
    blocks = [(moments([first]), moments([second])) for first, second in zip(control, treatment, strict=True)]
    assert blocked(blocks)[:7] == pytest.approx(paired(control, treatment)[:7], rel=1e-12)


def test_the_ratio_of_geometric_means_agrees_with_scipy_gmean_and_ttest_ind_on_logs() -> None:
    rng = np.random.default_rng(6)
    control, treatment = rng.lognormal(1, 0.5, 20), rng.lognormal(0.6, 0.8, 25)
    result = log_ratio(moments_of_logs(control), moments_of_logs(treatment))
    expected = scipy.stats.ttest_ind(np.log(treatment), np.log(control), equal_var=False)
    interval = expected.confidence_interval()
    assert result.ratio == pytest.approx(scipy.stats.gmean(treatment) / scipy.stats.gmean(control), rel=1e-12)
    assert (result.ci_low, result.ci_high) == pytest.approx((np.exp(interval.low), np.exp(interval.high)), rel=1e-12)
    assert result.on_logs.p_value == pytest.approx(float(expected.pvalue), rel=1e-12)


def test_a_p_value_below_every_float_keeps_its_logarithm() -> None:
    result = welch(moments_from_sd(10_000, 0.0, 1.0), moments_from_sd(10_000, 1.0, 1.0))
    assert result.p_value == 0.0
    assert result.log10_p is not None
    assert -1100 < result.log10_p < -900


@pytest.mark.parametrize("test", [welch, student])
@pytest.mark.parametrize(
    ("control", "treatment", "says"),
    [
        (moments([]), moments([1.0, 2.0]), "control has n = 0"),
        (moments([1.0, 2.0]), moments([]), "treatment has n = 0"),
        (moments([1.0]), moments([2.0]), "n = 1|constant"),
        (moments([2.0] * 5), moments([3.0] * 5), "constant"),
    ],
)
def test_what_cannot_be_tested_has_no_p_value_but_a_reason(
    test: object, control: Moments, treatment: Moments, says: str
) -> None:
    result = (welch if test is welch else student)(control, treatment)
    assert result.p_value is result.ci_low is result.t is result.log10_p is None
    assert result.reason is not None
    assert pytest.approx(result.effect) == (treatment.mean - control.mean if control.n and treatment.n else None)


def test_student_tests_one_unit_against_two_and_welch_does_not() -> None:
    control, treatment = moments([1.0]), moments([2.0, 4.0])
    assert student(control, treatment).df == 1
    assert welch(control, treatment).p_value is None


def test_single_equal_or_missing_differences_have_a_reason() -> None:
    assert one_sample(moments([])).effect is None
    assert one_sample(moments([3.0])).effect == 3.0
    assert one_sample(moments([3.0, 3.0])).reason == "All differences are equal: there is no variation to test against."
    assert blocked([]).reason == "No block holds both variants."
    assert blocked([(moments([1.0]), moments([2.0]))]).effect == 1.0
    assert blocked([(moments([1.0, 1.0]), moments([2.0, 2.0]))]).p_value is None
    assert log_ratio(moments([]), moments([])).ratio is None


def test_a_standard_error_below_floating_point_is_no_evidence() -> None:
    result = welch(Moments(2, 0.0, 1e-310), Moments(2, 1e200, 1e-310))
    assert (result.effect, result.p_value) == (1e200, None)
    assert "larger unit" in str(result.reason)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.05, 5.0, math.nan])
def test_alpha_outside_its_range_is_refused_with_the_value_and_the_range(alpha: float) -> None:
    sample = moments([1.0, 2.0])
    for test in (welch, student, log_ratio):
        with pytest.raises(InvalidInput, match=r"alpha = .* outside \(0, 1\)"):
            test(sample, sample, alpha=alpha)


def test_unequal_pairs_impossible_moments_and_raw_values_taken_for_logs_are_refused() -> None:
    with pytest.raises(InvalidInput, match="one of each a pair"):
        paired([1.0], [1.0, 2.0])
    with pytest.raises(InvalidInput, match="m2 = -1"):
        welch(Moments(2, 0.0, -1.0), Moments(2, 0.0, 1.0))
    with pytest.raises(InvalidInput, match="natural logs"):
        log_ratio(moments([1.0, 2.0]), moments([9000.0, 9001.0]))


samples = st.tuples(st.integers(2, 10_000), st.floats(-1e3, 1e3), st.floats(0.1, 1e2))


@settings(deadline=None, max_examples=60)
@given(control=samples, treatment=samples)
def test_swapping_the_variants_flips_the_sign_and_nothing_else(
    control: tuple[int, float, float], treatment: tuple[int, float, float]
) -> None:
    first, second = moments_from_sd(*control), moments_from_sd(*treatment)
    for test in (welch, student):
        there, back = test(first, second), test(second, first)
        assert there.effect == -(back.effect or 0.0)
        assert there.ci_low == pytest.approx(-(back.ci_high or 0.0))
        assert there.log10_p == pytest.approx(back.log10_p)


@settings(deadline=None, max_examples=60)
@given(control=samples, treatment=samples, unit=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3))
def test_units_and_offsets_do_not_change_the_p_value(
    control: tuple[int, float, float], treatment: tuple[int, float, float], unit: float, offset: float
) -> None:
    first, second = moments_from_sd(*control), moments_from_sd(*treatment)
    moved = [Moments(each.n, each.mean * unit + offset, each.m2 * unit**2) for each in (first, second)]
    assert welch(*moved).log10_p == pytest.approx(welch(first, second).log10_p, rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(control=samples, treatment=samples)
def test_more_of_the_same_data_narrows_the_interval(
    control: tuple[int, float, float], treatment: tuple[int, float, float]
) -> None:
    first, second = moments_from_sd(*control), moments_from_sd(*treatment)
    assert (welch(merge(first, first), merge(second, second)).se or 0) < (welch(first, second).se or 0)
