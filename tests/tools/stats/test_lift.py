"""Lift against tea-tasting, published Fieller sets and direct inversion by scipy."""

import math

import numpy as np
import pytest
import scipy.stats
import tea_tasting
from hypothesis import given, settings
from hypothesis import strategies as st
from tea_tasting.aggr import Aggregates

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.lift import (
    Estimate,
    delta_lift,
    fieller,
    fieller_lift,
    lift_of_estimates,
    log_delta_lift,
    relative_lift,
)
from experiment_tracker_tools.stats.samples import Moments, moments, moments_from_sd

PRECISE = [
    ((100, 10.0, 2.0), (120, 11.0, 2.4)),
    ((10, 5.0, 1.0), (10, 4.0, 2.0)),
    ((100_000_000, 1.0, 30.0), (100_000_000, 1.001, 30.0)),
    ((9_900, 3.0, 5.0), (100, 4.0, 5.0)),
    ((2, 100.0, 1.0), (3, 130.0, 2.0)),
]


@pytest.mark.parametrize(("control", "treatment"), PRECISE)
def test_the_log_delta_interval_agrees_with_tea_tasting(
    control: tuple[int, float, float], treatment: tuple[int, float, float]
) -> None:
    def aggregates(n: int, mean: float, sd: float) -> Aggregates:
        return Aggregates(count_=n, mean_={"x": mean}, var_={"x": sd**2}, cov_={})

    metric = tea_tasting.Mean("x", use_t=True, equal_var=False)
    expected = metric.analyze_aggregates(aggregates(*control), aggregates(*treatment))
    result = relative_lift(moments_from_sd(*control), moments_from_sd(*treatment))
    assert result.method == "log-delta"
    assert result.lift == pytest.approx(expected.rel_effect_size, rel=1e-9)
    assert (result.ci_low, result.ci_high) == pytest.approx(
        (expected.rel_effect_size_ci_lower, expected.rel_effect_size_ci_upper), rel=1e-8
    )


@pytest.mark.parametrize(
    ("control", "treatment"),
    [((3.0, 0.5, 12), (2.0, 0.9, 20)), ((1.0, 0.3, 30), (-0.4, 0.2, 9)), ((-2.0, 0.3, 30), (0.4, 0.2, 9))],
)
def test_fieller_limits_are_where_scipy_t_rejects_the_ratio(
    control: tuple[float, float, int], treatment: tuple[float, float, int]
) -> None:
    first, second = (Estimate(mean, se**2, df) for mean, se, df in (control, treatment))
    result = fieller(first, second)
    ratio = second.mean / first.mean
    parts = second.variance, ratio**2 * first.variance
    df = sum(parts) ** 2 / (parts[0] ** 2 / second.df + parts[1] ** 2 / first.df)
    for limit in (result.ci_low, result.ci_high):
        assert limit is not None
        r = 1 + limit if first.mean > 0 else 1 - limit
        t = (second.mean - r * first.mean) / math.sqrt(second.variance + r * r * first.variance)
        assert 2 * float(scipy.stats.t.sf(abs(t), df)) == pytest.approx(0.05, rel=1e-9)


def test_fiellers_set_covers_a_known_textbook_case() -> None:
    """Cox (1990), The American Statistician: with equal se the limits are those of a t cone around the line."""
    result = fieller(Estimate(10.0, 1.0, 1e9), Estimate(10.0, 1.0, 1e9))
    angle = math.asin(scipy.stats.norm.ppf(0.975) / math.hypot(10, 10))
    expected = math.tan(math.pi / 4 - angle) - 1, math.tan(math.pi / 4 + angle) - 1
    assert (result.ci_low, result.ci_high) == pytest.approx(expected, rel=1e-7)


def test_a_control_near_zero_gives_a_gap_and_not_an_interval() -> None:
    result = fieller(Estimate(0.5, 1.0, 100), Estimate(10.0, 1.0, 100))
    assert result.ci_low is result.ci_high is None
    assert result.gap_low is not None
    assert result.gap_high is not None
    assert result.gap_low < 0 < result.gap_high
    assert "not distinguishable from 0" in str(result.reason)
    r = 1 + result.gap_high
    t = (10.0 - r * 0.5) / math.sqrt(1 + r * r)
    df = (1 + 400.0) ** 2 / (1 / 100 + 400.0**2 / 100)
    assert 2 * float(scipy.stats.t.sf(abs(t), df)) == pytest.approx(0.05, rel=1e-9)


def test_two_means_lost_in_noise_exclude_no_lift() -> None:
    result = relative_lift(moments_from_sd(5, 0.1, 10.0), moments_from_sd(5, 0.2, 10.0))
    assert (result.method, result.ci_low, result.gap_low) == ("fieller", None, None)
    assert "exclude" in str(result.reason)


def test_the_rule_takes_fieller_below_five_standard_errors_or_for_unlike_signs() -> None:
    assert lift_of_estimates(Estimate(4.99, 1.0, 50), Estimate(20.0, 1.0, 50)).method == "fieller"
    assert lift_of_estimates(Estimate(5.01, 1.0, 50), Estimate(20.0, 1.0, 50)).method == "log-delta"
    assert lift_of_estimates(Estimate(50.0, 1.0, 50), Estimate(-20.0, 1.0, 50)).method == "fieller"


def test_a_negative_control_is_measured_against_its_size() -> None:
    result = relative_lift(moments_from_sd(50, -10.0, 1.0), moments_from_sd(50, -9.0, 1.0))
    assert result.lift == pytest.approx(0.1)
    assert result.ci_low is not None
    assert result.ci_high is not None
    assert result.ci_low < 0.1 < result.ci_high


@pytest.mark.parametrize(
    ("control", "treatment", "says"),
    [
        ([], [1.0, 2.0], "control is empty"),
        ([1.0, 2.0], [], "treatment is empty"),
        ([-1.0, 1.0], [1.0, 2.0], "mean is 0"),
        ([1.0], [1.0, 2.0], "n = 1"),
    ],
)
def test_a_lift_that_does_not_exist_is_none_with_a_reason(
    control: list[float], treatment: list[float], says: str
) -> None:
    for of in (relative_lift, log_delta_lift, delta_lift, fieller_lift):
        result = of(moments(control), moments(treatment))
        assert result.ci_low is None
        assert says in str(result.reason)


def test_unlike_signs_have_no_log_delta_interval_and_too_much_noise_none_either() -> None:
    unlike = log_delta_lift(moments_from_sd(9, 1.0, 1.0), moments_from_sd(9, -1.0, 1.0))
    assert (unlike.lift, unlike.ci_low) == (-2.0, None)
    assert "wider than floating point" in str(log_delta_lift(Moments(2, 1.0, 1e9), Moments(2, 1.0, 1e9)).reason)


def test_constant_samples_have_a_lift_without_width() -> None:
    result = relative_lift(Moments(5, 2.0, 0.0), Moments(5, 3.0, 0.0))
    assert (result.lift, result.ci_low, result.ci_high) == (0.5, 0.5, 0.5)


def test_the_delta_interval_is_the_quotient_rule() -> None:
    result = delta_lift(moments_from_sd(40, 10.0, 2.0), moments_from_sd(40, 12.0, 3.0))
    se = math.sqrt(9 / 40 / 100 + 144 * 4 / 40 / 10**4)
    low, high = result.ci_low or 0.0, result.ci_high or 0.0
    parts = 9 / 40, 1.44 * 4 / 40
    df = sum(parts) ** 2 / (parts[0] ** 2 / 39 + parts[1] ** 2 / 39)
    assert (high - low) / 2 == pytest.approx(float(scipy.stats.t.ppf(0.975, df)) * se, rel=1e-12)


def test_alpha_outside_its_range_is_refused() -> None:
    sample = moments_from_sd(10, 1.0, 0.1)
    for of in (relative_lift, log_delta_lift, delta_lift, fieller_lift):
        with pytest.raises(InvalidInput, match="alpha"):
            of(sample, sample, alpha=1.0)


samples = st.tuples(st.integers(10, 1000), st.floats(5.0, 1e3), st.floats(0.01, 1.0))


@settings(deadline=None, max_examples=60)
@given(control=samples, treatment=samples, unit=st.floats(1e-3, 1e3))
def test_the_unit_of_the_metric_does_not_matter(
    control: tuple[int, float, float], treatment: tuple[int, float, float], unit: float
) -> None:
    first, second = moments_from_sd(*control), moments_from_sd(*treatment)
    scaled = [Moments(each.n, each.mean * unit, each.m2 * unit**2) for each in (first, second)]
    for of in (relative_lift, fieller_lift, delta_lift):
        assert of(*scaled).ci_low == pytest.approx(of(first, second).ci_low, rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=60)
@given(control=samples, treatment=samples)
def test_swapping_the_variants_inverts_the_ratio(
    control: tuple[int, float, float], treatment: tuple[int, float, float]
) -> None:
    first, second = moments_from_sd(*control), moments_from_sd(*treatment)
    for of in (log_delta_lift, fieller_lift):
        there, back = of(first, second), of(second, first)
        if there.ci_low is not None and back.ci_high is not None and back.ci_high > -1:
            assert 1 + there.ci_low == pytest.approx(1 / (1 + back.ci_high), rel=1e-9)


def test_the_log_delta_interval_covers_at_ten_units_by_simulation() -> None:
    """Monte Carlo error of 2,000 runs is 0.5 points; the plain delta method gives 90% here."""
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(2000):
        first, second = moments(rng.normal(10, 2, 10)), moments(rng.normal(11, 2, 10))
        result = relative_lift(first, second)
        covered += (result.ci_low or 0.0) <= 0.1 <= (result.ci_high or 0.0)
    assert 0.935 <= covered / 2000 <= 0.965


@pytest.mark.parametrize("exponent", [-480, -100, 100, 480])
def test_fiellers_set_does_not_overflow_in_another_unit(exponent: int) -> None:
    """The same sets as in a unit near 1, whose squares floating point holds."""
    for control, treatment in (
        (Estimate(1.5, 0.25, 1), Estimate(4.0, 1.0, 1)),
        (Estimate(9.0, 1.0, 30), Estimate(8.0, 1.0, 30)),
    ):
        unit = 2.0**exponent
        one, two = (Estimate(mean * unit, variance * unit * unit, df) for mean, variance, df in (control, treatment))
        assert fieller(one, two) == fieller(control, treatment)
