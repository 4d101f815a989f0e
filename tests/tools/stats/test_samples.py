"""Sufficient statistics against numpy and exact fractions."""

import math
import statistics
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.means import welch
from experiment_tracker_tools.stats.samples import (
    BivariateMoments,
    Moments,
    bivariate_moments,
    checked_bivariate,
    checked_moments,
    merge,
    merge_all,
    merge_bivariate,
    moments,
    moments_from_counts,
    moments_from_frequencies,
    moments_from_sd,
    moments_from_sums,
    moments_of_logs,
)

numbers = st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=40)


def same(first: Moments, second: Moments) -> bool:
    scale = abs(first.mean) + math.sqrt(first.m2) + 1e-6
    return (
        first.n == second.n
        and abs(first.mean - second.mean) <= 1e-9 * scale
        and abs(first.m2 - second.m2) <= 1e-9 * scale**2
    )


@settings(deadline=None, max_examples=80)
@given(first=numbers, second=numbers)
def test_merging_two_samples_is_the_moments_of_the_whole(first: list[float], second: list[float]) -> None:
    assert same(merge(moments(first), moments(second)), moments(first + second))


@settings(deadline=None, max_examples=80)
@given(first=numbers, second=numbers)
def test_merging_does_not_depend_on_the_order(first: list[float], second: list[float]) -> None:
    assert same(merge(moments(first), moments(second)), merge(moments(second), moments(first)))


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)), min_size=2, max_size=30),
    cut=st.integers(0, 30),
)
def test_merging_joint_moments_is_the_joint_moments_of_the_whole(rows: list[tuple[float, float]], cut: int) -> None:
    y, x = [row[0] for row in rows], [row[1] for row in rows]
    whole = bivariate_moments(y, x)
    merged = merge_bivariate(bivariate_moments(y[:cut], x[:cut]), bivariate_moments(y[cut:], x[cut:]))
    assert same(merged.y, whole.y)
    assert same(merged.x, whole.x)
    assert merged.c_yx == pytest.approx(whole.c_yx, abs=1e-6)


@pytest.mark.parametrize(
    "values", [[1.5], [0.1, 0.1, 0.1], [1.0, 2.0, 4.0], [1e15 + 1, 1e15 + 2, 1e15 + 4], [-3.0, 3.0]]
)
def test_moments_are_those_of_exact_fractions(values: list[float]) -> None:
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    result = moments(values)
    assert result.n == len(values)
    assert result.mean == pytest.approx(float(mean), rel=1e-15)
    assert result.m2 == pytest.approx(float(sum((value - mean) ** 2 for value in exact)), rel=1e-14)


def test_a_constant_sample_has_exactly_no_variance() -> None:
    assert moments([0.1] * 1001).m2 == 0.0
    assert merge_all(moments([0.1] * 7) for _ in range(13)).m2 == 0.0
    assert moments_from_sums(3, 0.1 + 0.1 + 0.1, 3 * 0.1**2).m2 == 0.0


def test_variance_and_sd_are_those_of_the_statistics_module() -> None:
    values = [2.5, 3.1, 9.7, -1.2]
    assert moments(values).variance == pytest.approx(statistics.variance(values), rel=1e-14)
    assert moments(values).sd == pytest.approx(statistics.stdev(values), rel=1e-14)
    assert moments([1.0]).variance is None
    assert moments([]).sd is None


def test_joint_moments_are_those_of_numpy_cov() -> None:
    rng = np.random.default_rng(1)
    y, x = rng.normal(1e3, 1, 50), rng.normal(-1e3, 1, 50)
    result = bivariate_moments(y, x)
    expected = np.cov(y, x) * 49
    assert (result.m2_y, result.c_yx, result.m2_x) == pytest.approx((expected[0, 0], expected[0, 1], expected[1, 1]))


def test_one_pass_statistics_equal_rows_at_a_hundred_million_units() -> None:
    blocks = [Moments(1_000_000, 10.0 + (k % 7) / 100, 4e6 + k) for k in range(100)]
    result = merge_all(blocks)
    means = [Fraction(block.mean) for block in blocks]
    mean = sum(means) / 100
    m2 = sum(Fraction(block.m2) for block in blocks) + 1_000_000 * sum((each - mean) ** 2 for each in means)
    assert result.n == 100_000_000
    assert result.mean == pytest.approx(float(mean), rel=1e-12)
    assert result.m2 == pytest.approx(float(m2), rel=1e-12)


def test_counts_frequencies_and_sums_agree_with_the_rows() -> None:
    rows = moments([1.0] * 3 + [0.0] * 9)
    assert same(moments_from_counts(3, 12), rows)
    assert same(moments_from_frequencies([0, 1], [9, 3]), rows)
    assert same(moments_from_sums(12, 3.0, 3.0), rows)
    assert same(moments_from_sd(12, 0.25, rows.sd or 0.0), rows)


def test_a_binary_sample_of_a_hundred_million_is_tested_like_its_proportions() -> None:
    test = welch(moments_from_counts(5_000_000, 100_000_000), moments_from_counts(5_010_000, 100_000_000))
    p0, p1, n = 0.05, 0.0501, 1e8
    assert test.se == pytest.approx(math.sqrt((p0 * (1 - p0) + p1 * (1 - p1)) / (n - 1)), rel=1e-12)


def test_logs_give_the_log_of_the_geometric_mean() -> None:
    assert math.exp(moments_of_logs([1.0, 10.0, 100.0]).mean) == pytest.approx(
        statistics.geometric_mean([1.0, 10.0, 100.0])
    )


def test_empty_samples_are_the_neutral_element() -> None:
    sample = moments([1.0, 5.0])
    assert merge(sample, moments([])) == merge(moments([]), sample) == sample
    assert merge_all([]) == Moments(0, 0.0, 0.0) == moments_from_counts(0, 0) == moments_from_frequencies([], [])


@pytest.mark.parametrize(
    "values", [[1.0, math.nan], [math.inf], [[1.0], [2.0]], 3.0, ["a"], ["1.5"], [1j], [None], [1e200, -1e200]]
)
def test_what_is_no_sample_is_refused(values: object) -> None:
    with pytest.raises(InvalidInput, match=r"Give|Leave|larger unit"):
        moments(values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (Moments(-1, 0.0, 0.0), "n = -1"),
        (Moments(3, math.nan, 1.0), "mean = nan"),
        (Moments(3, 1.0, -1.0), "m2 = -1.0"),
        (Moments(3, 1.0, math.inf), "m2 = inf"),
        (Moments(2.5, 1.0, 1.0), "n = 2.5"),  # type: ignore[arg-type]
    ],
)
def test_moments_that_no_sample_has_are_refused(sample: Moments, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        checked_moments("control", sample)


def test_a_covariance_beyond_the_variances_is_refused() -> None:
    with pytest.raises(InvalidInput, match="c_yx = 3"):
        checked_bivariate("control", BivariateMoments(3, 0.0, 0.0, 1.0, 4.0, 3.0))


def test_unequal_lengths_zeros_in_logs_and_impossible_counts_are_refused() -> None:
    with pytest.raises(InvalidInput, match="y has 2 values and x has 1"):
        bivariate_moments([1.0, 2.0], [1.0])
    with pytest.raises(InvalidInput, match="no logarithm"):
        moments_of_logs([1.0, 0.0])
    with pytest.raises(InvalidInput, match="exceed n = 2"):
        moments_from_counts(3, 2)
    with pytest.raises(InvalidInput, match=r"counts = 1\.5"):
        moments_from_frequencies([1.0], [1.5])
    with pytest.raises(InvalidInput, match="2 values and 1 counts"):
        moments_from_frequencies([1.0, 2.0], [1.0])
    with pytest.raises(InvalidInput, match="no sample has"):
        moments_from_sums(3, 6.0, 1.0)
