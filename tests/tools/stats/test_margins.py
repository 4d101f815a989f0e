"""Margin tests against scipy, statsmodels and direct maximisation of the likelihood."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.weightstats import ttost_ind

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.counts import Pair
from experiment_tracker_tools.stats.margins import (
    equivalence_lift,
    equivalence_means,
    equivalence_proportions,
    non_inferiority_lift,
    non_inferiority_means,
    non_inferiority_proportions,
    non_inferiority_rate_ratio,
)
from experiment_tracker_tools.stats.proportion_intervals import miettinen_nurminen
from experiment_tracker_tools.stats.proportions import pooled_z
from experiment_tracker_tools.stats.samples import moments, moments_from_sd


@pytest.mark.parametrize("margin", [0.0, 0.4, 3.0])
@pytest.mark.parametrize("larger_is_better", [True, False])
def test_non_inferiority_of_means_agrees_with_scipy_one_sided_welch(margin: float, larger_is_better: bool) -> None:
    rng = np.random.default_rng(1)
    control, treatment = rng.normal(10, 1, 20), rng.normal(9.8, 2, 35)
    result = non_inferiority_means(
        moments(control), moments(treatment), margin=margin, larger_is_better=larger_is_better
    )
    shift, side = (margin, "greater") if larger_is_better else (-margin, "less")
    if side == "greater":
        expected = scipy.stats.ttest_ind(treatment + shift, control, equal_var=False, alternative="greater")
    else:
        expected = scipy.stats.ttest_ind(treatment + shift, control, equal_var=False, alternative="less")
    assert result.p_value == pytest.approx(float(expected.pvalue), rel=1e-10)
    assert result.df == pytest.approx(float(expected.df))


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (-0.3, 2.0)])
def test_equivalence_of_means_agrees_with_statsmodels_ttost_ind(low: float, high: float) -> None:
    rng = np.random.default_rng(2)
    control, treatment = rng.normal(10, 1, 40), rng.normal(10.1, 1.5, 30)
    result = equivalence_means(moments(control), moments(treatment), low=low, high=high)
    p, lower, upper = ttost_ind(treatment, control, low, high, usevar="unequal")
    assert (result.p_value, result.p_low, result.p_high) == pytest.approx((p, lower[1], upper[1]), rel=1e-9)


@pytest.mark.parametrize("margin", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("larger_is_better", [True, False])
def test_a_relative_margin_is_a_test_of_scaled_control_by_scipy(margin: float, larger_is_better: bool) -> None:
    rng = np.random.default_rng(3)
    control, treatment = rng.normal(10, 1, 25), rng.normal(10.2, 2, 15)
    result = non_inferiority_lift(
        moments(control), moments(treatment), margin=margin, larger_is_better=larger_is_better
    )
    ratio = 1 - margin if larger_is_better else 1 + margin
    test = scipy.stats.ttest_ind(treatment, ratio * control, equal_var=False)
    p = float(test.pvalue) / 2
    above = float(test.statistic) > 0
    assert result.p_value == pytest.approx(p if above == larger_is_better else 1 - p, rel=1e-9)
    assert result.effect == pytest.approx(float(treatment.mean() / control.mean() - 1))


def test_equivalence_of_lifts_is_its_two_one_sided_tests() -> None:
    control, treatment = moments_from_sd(60, 10.0, 2.0), moments_from_sd(70, 10.1, 2.0)
    result = equivalence_lift(control, treatment, low=-0.1, high=0.12)
    assert result.p_low == non_inferiority_lift(control, treatment, margin=0.1).p_value
    assert result.p_high == non_inferiority_lift(control, treatment, margin=0.12, larger_is_better=False).p_value
    assert result.p_value == max(result.p_low or 0.0, result.p_high or 0.0)


def farrington_manning(control: Pair, treatment: Pair, bound: float, *, ratio: bool) -> float:
    """The score statistic with the constrained maximum found by scipy.optimize."""
    (x0, n0), (x1, n1) = control, treatment

    def rate(p0: float) -> float:
        return p0 * bound if ratio else p0 + bound

    def loss(p0: float) -> float:
        return -float(scipy.stats.binom.logpmf(x0, n0, p0) + scipy.stats.binom.logpmf(x1, n1, rate(p0)))

    bounds = (0.0, min(1.0, 1 / bound)) if ratio else (max(0.0, -bound), min(1.0, 1 - bound))
    p0 = float(scipy.optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-13}).x)
    p1, factor = rate(p0), bound if ratio else 1.0
    gap = x1 / n1 - bound * x0 / n0 if ratio else x1 / n1 - x0 / n0 - bound
    return gap / math.sqrt(factor**2 * p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1)


PAIRS: list[tuple[Pair, Pair]] = [
    ((90, 100), (88, 100)),
    ((40, 60), (200, 280)),
    ((950, 990), (9, 10)),
    ((30, 80), (31, 75)),
]


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
@pytest.mark.parametrize("margin", [0.05, 0.1])
def test_non_inferiority_of_proportions_agrees_with_direct_maximisation(
    control: Pair, treatment: Pair, margin: float
) -> None:
    """Farrington and Manning (1990); statsmodels mistakes a count for n here (its issue 10269)."""
    z = farrington_manning(control, treatment, -margin, ratio=False)
    result = non_inferiority_proportions(control, treatment, margin=margin)
    assert result.statistic == pytest.approx(z, abs=2e-6)
    assert result.p_value == pytest.approx(float(scipy.stats.norm.sf(z)), abs=1e-6)


@pytest.mark.parametrize(("control", "treatment"), PAIRS)
def test_non_inferiority_of_a_rate_ratio_agrees_with_direct_maximisation(control: Pair, treatment: Pair) -> None:
    z = farrington_manning(control, treatment, 0.9, ratio=True)
    assert non_inferiority_rate_ratio(control, treatment, ratio=0.9).statistic == pytest.approx(z, rel=1e-6, abs=2e-6)
    z = farrington_manning(control, treatment, 1.1, ratio=True)
    result = non_inferiority_rate_ratio(control, treatment, ratio=1.1, larger_is_better=False)
    assert result.statistic == pytest.approx(-z, rel=1e-6, abs=2e-6)


def test_a_margin_of_zero_is_one_side_of_the_pooled_z_test() -> None:
    two_sided = pooled_z((12, 100), (25, 100)).p_value or 0.0
    assert non_inferiority_proportions((12, 100), (25, 100), margin=0.0).p_value == pytest.approx(two_sided / 2)
    worse = non_inferiority_proportions((12, 100), (25, 100), margin=0.0, larger_is_better=False)
    assert (worse.p_value, worse.effect) == pytest.approx((1 - two_sided / 2, 0.13))


def test_smaller_is_better_mirrors_failures_for_successes() -> None:
    crashes = non_inferiority_proportions((10, 100), (12, 100), margin=0.1, larger_is_better=False)
    safe = non_inferiority_proportions((90, 100), (88, 100), margin=0.1)
    assert (crashes.statistic, crashes.p_value) == pytest.approx((safe.statistic, safe.p_value))


def test_undefined_margin_tests_are_none_with_a_reason() -> None:
    empty, constant, sample = moments([]), moments([1.0, 1.0]), moments([1.0, 2.0, 4.0])
    for result in (
        non_inferiority_means(empty, sample, margin=1.0),
        non_inferiority_means(constant, constant, margin=1.0),
        non_inferiority_lift(moments([-1.0, -2.0]), sample, margin=0.1),
        non_inferiority_lift(empty, sample, margin=0.1),
        equivalence_means(sample, empty, low=-1.0, high=1.0),
        equivalence_lift(sample, empty, low=-0.1, high=0.1),
        non_inferiority_proportions((0, 0), (1, 2), margin=0.1),
        equivalence_proportions((0, 0), (1, 2), low=-0.1, high=0.1),
        non_inferiority_rate_ratio((1, 2), (0, 0), ratio=0.9),
        non_inferiority_rate_ratio((0, 9), (0, 9), ratio=0.9),
        non_inferiority_proportions((0, 9), (0, 9), margin=0.0),
        non_inferiority_proportions((9, 9), (9, 9), margin=0.0, larger_is_better=False),
    ):
        assert result.p_value is None
        assert result.reason is not None


def test_all_successes_can_still_be_non_inferior_within_a_margin() -> None:
    result = non_inferiority_proportions((60, 60), (60, 60), margin=0.1)
    assert 0 < (result.p_value or 0.0) < 0.05


def test_margins_out_of_range_are_refused_with_the_value() -> None:
    sample = moments([1.0, 2.0])
    for margin in (-0.1, math.nan, math.inf):
        with pytest.raises(InvalidInput, match="margin = "):
            non_inferiority_means(sample, sample, margin=margin)
    with pytest.raises(InvalidInput, match=r"margin = 1\.0 lets"):
        non_inferiority_lift(sample, sample, margin=1.0)
    with pytest.raises(InvalidInput, match=r"margin = 1\.5"):
        non_inferiority_proportions((1, 2), (1, 2), margin=1.5)
    with pytest.raises(InvalidInput, match=r"ratio = 1\.2 is not a loss"):
        non_inferiority_rate_ratio((1, 2), (1, 2), ratio=1.2)
    with pytest.raises(InvalidInput, match="low = "):
        equivalence_means(sample, sample, low=0.1, high=1.0)
    with pytest.raises(InvalidInput, match="high = "):
        equivalence_proportions((1, 2), (1, 2), low=-0.1, high=1.0)
    with pytest.raises(InvalidInput, match="low = "):
        equivalence_lift(sample, sample, low=-1.5, high=1.0)


counts = st.integers(5, 800).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(deadline=None, max_examples=60)
@given(control=counts, treatment=counts, margin=st.floats(0.01, 0.4))
def test_non_inferiority_agrees_with_the_score_interval(control: Pair, treatment: Pair, margin: float) -> None:
    """The interval's lower end passes the margin only when the test, without N / (N - 1), rejects too."""
    low = miettinen_nurminen(control, treatment, alpha=0.05).ci_low or 0.0
    p = non_inferiority_proportions(control, treatment, margin=margin).p_value
    if p is not None and low > -margin + 1e-9:
        assert p <= 0.025 + 1e-9


@settings(deadline=None, max_examples=60)
@given(control=counts, treatment=counts, margin=st.floats(0.01, 0.3), step=st.floats(0.001, 0.3))
def test_a_wider_margin_is_never_harder_to_keep(control: Pair, treatment: Pair, margin: float, step: float) -> None:
    narrow = non_inferiority_proportions(control, treatment, margin=margin).p_value
    wide = non_inferiority_proportions(control, treatment, margin=margin + step).p_value
    if narrow is not None and wide is not None:
        assert wide <= narrow + 1e-9
