"""Welch's analysis of variance against statsmodels and Welch's t test."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.oneway import anova_generic, anova_oneway

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.omnibus import welch_anova
from experiment_tracker_tools.stats.samples import Moments, merge, moments, moments_from_sd

MOMENTS = st.tuples(st.integers(2, 50), st.floats(-10, 10), st.floats(0.1, 10)).map(lambda m: moments_from_sd(*m))


@pytest.mark.parametrize("k", [2, 3, 5, 9])
@pytest.mark.parametrize("seed", range(3))
def test_is_that_of_statsmodels(seed: int, k: int) -> None:
    """statsmodels.stats.oneway.anova_oneway(use_var="unequal")."""
    rng = np.random.default_rng(seed)
    rows = [rng.normal(0.3 * place, 1 + place, size=int(rng.integers(4, 30))) for place in range(k)]
    reference = anova_oneway(rows, use_var="unequal")
    ours = welch_anova([moments(row) for row in rows])
    assert (ours.f, ours.p_value) == pytest.approx((reference.statistic, reference.pvalue), rel=1e-9)
    assert (ours.df_between, ours.df_within) == pytest.approx(tuple(reference.df), rel=1e-9)


def test_is_that_of_statsmodels_from_summaries_of_many_units() -> None:
    """statsmodels.stats.oneway.anova_generic with n = 1e8."""
    n, means, sds = [100_000_000] * 3, [10.0, 10.001, 10.0005], [3.0, 4.0, 5.0]
    reference = anova_generic(np.array(means), np.square(sds), np.array(n), use_var="unequal")
    ours = welch_anova([moments_from_sd(*each) for each in zip(n, means, sds, strict=True)])
    assert (ours.f, ours.p_value) == pytest.approx((reference.statistic, reference.pvalue), rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(MOMENTS, MOMENTS)
def test_two_samples_give_the_square_of_welchs_t(one: Moments, other: Moments) -> None:
    """scipy.stats.ttest_ind_from_stats(equal_var=False)."""
    assert one.sd is not None and other.sd is not None
    first = one.mean, one.sd, one.n
    reference = stats.ttest_ind_from_stats(*first, other.mean, other.sd, other.n, equal_var=False)
    ours = welch_anova([one, other])
    assert ours.f == pytest.approx(reference.statistic**2, rel=1e-8)
    assert ours.p_value == pytest.approx(reference.pvalue, rel=1e-7)


@settings(deadline=None, max_examples=40)
@given(st.lists(MOMENTS, min_size=2, max_size=6), st.sampled_from([1e-5, 1e4]))
def test_follows_neither_order_nor_unit_nor_place(samples: list[Moments], unit: float) -> None:
    plain = welch_anova(samples)
    moved = welch_anova([Moments(n, (mean + 2) * unit, m2 * unit**2) for n, mean, m2 in samples[::-1]])
    assert moved.f == pytest.approx(plain.f, rel=1e-6, abs=1e-9)
    assert moved.df_within == pytest.approx(plain.df_within, rel=1e-9)


def test_merged_parts_are_the_whole() -> None:
    parts = [[1.0, 2.0, 4.0], [3.0, 5.0]], [[2.0, 2.5], [7.0, 1.0, 3.0]]
    merged = [merge(moments(first), moments(second)) for first, second in parts]
    whole = [moments([*first, *second]) for first, second in parts]
    assert welch_anova(merged)[:4] == pytest.approx(welch_anova(whole)[:4], rel=1e-12)


@pytest.mark.parametrize(
    ("sample", "reason"), [(Moments(1, 2.0, 0.0), "Variant 1 has n = 1"), (Moments(5, 2.0, 0.0), "no variation")]
)
def test_has_no_test_without_a_known_error(sample: Moments, reason: str) -> None:
    result = welch_anova([moments([1.0, 2.0]), sample])
    assert result.p_value is None
    assert result.reason is not None and reason in result.reason


def test_refuses_a_single_sample() -> None:
    with pytest.raises(InvalidInput, match="1 samples leave nothing to compare"):
        welch_anova([moments([1.0, 2.0])])
