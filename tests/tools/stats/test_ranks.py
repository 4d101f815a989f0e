"""Rank tests against scipy, and the exact distribution with ties against full enumeration."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.ranks import brunner_munzel, mann_whitney

HOLLANDER_CONTROL = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
HOLLANDER_TREATMENT = [1.15, 0.88, 0.90, 0.74, 1.21]


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 4), (5, 5), (12, 20), (30, 30)])
def test_the_exact_p_value_agrees_with_scipy_mannwhitneyu_without_ties(n: int, m: int) -> None:
    rng = np.random.default_rng(n * 100 + m)
    control, treatment = rng.normal(0, 1, n), rng.normal(0.8, 1, m)
    result = mann_whitney(control, treatment)
    expected = scipy.stats.mannwhitneyu(treatment, control, method="exact")
    assert result.exact
    assert (result.u, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_normal_p_value_agrees_with_scipy_mannwhitneyu_with_ties_and_continuity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treatment = rng.integers(0, 9, 70), rng.integers(1, 10, 55)
    result = mann_whitney(control, treatment)
    expected = scipy.stats.mannwhitneyu(treatment, control, method="asymptotic")
    assert not result.exact
    assert (result.u, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_with_ties_the_exact_p_value_is_that_of_every_assignment_enumerated(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pooled, n = rng.integers(0, 4, 9), 4
    ranks = scipy.stats.rankdata(pooled)
    sums = [ranks[list(chosen)].sum() for chosen in itertools.combinations(range(9), 9 - n)]
    centre = float(np.mean(sums))
    observed = abs(ranks[n:].sum() - centre)
    expected = np.mean([abs(each - centre) >= observed - 1e-9 for each in sums])
    assert mann_whitney(pooled[:n], pooled[n:]).p_value == pytest.approx(float(expected), rel=1e-12)


def test_the_shift_and_its_interval_are_those_of_r_wilcox_test() -> None:
    """R's help page of wilcox.test: Hollander & Wolfe (1973), 69f, permeability; W = 35, one-sided p = 0.1272."""
    result = mann_whitney(HOLLANDER_TREATMENT, HOLLANDER_CONTROL)
    assert result.u == 35
    assert result.p_value == pytest.approx(0.2544, abs=5e-5)
    assert result.shift == pytest.approx(0.305, abs=1e-9)
    assert (result.ci_low, result.ci_high) == pytest.approx((-0.15, 0.76), abs=1e-9)


def test_the_exact_interval_ends_where_the_shifted_test_by_scipy_stops_rejecting() -> None:
    rng = np.random.default_rng(11)
    control, treatment = rng.normal(0, 1, 8), rng.normal(1, 1, 9)
    result = mann_whitney(control, treatment)
    for limit, inside, outside in ((result.ci_low, 1e-9, -1e-9), (result.ci_high, -1e-9, 1e-9)):
        for step, rejected in ((inside, False), (outside, True)):
            p = scipy.stats.mannwhitneyu(treatment - (limit or 0.0) - step, control, method="exact").pvalue
            assert (p <= 0.05) == rejected


def test_many_units_give_the_shift_without_forming_all_pairs() -> None:
    rng = np.random.default_rng(12)
    control, treatment = rng.exponential(1, 1500), rng.exponential(1, 1400) + 0.25
    result = mann_whitney(control, treatment)
    assert result.shift == pytest.approx(float(np.median(np.subtract.outer(treatment, control))), rel=1e-12)
    assert (result.ci_low or 1.0) < 0.25 < (result.ci_high or 0.0)


@pytest.mark.parametrize("seed", range(4))
def test_brunner_munzel_agrees_with_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treatment = rng.integers(0, 20, 25), rng.integers(3, 30, 14)
    result = brunner_munzel(control, treatment)
    expected = scipy.stats.brunnermunzel(control, treatment)
    assert (result.t, result.p_value) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


def test_brunner_munzel_is_the_pain_score_example_of_neubert_and_brunner_2007() -> None:
    """R's lawstat and scipy's documentation: estimate 0.788961, p = 0.005786, 95% interval 0.595217 to 0.982705."""
    control = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1]
    result = brunner_munzel(control, [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4])
    assert (result.a12, result.p_value) == pytest.approx((0.788961, 0.005786), abs=1e-6)
    assert (result.ci_low, result.ci_high) == pytest.approx((0.5952169, 0.9827052), abs=1e-6)


def test_all_values_tied_is_no_evidence_and_no_overlap_no_brunner_munzel() -> None:
    assert mann_whitney([2.0] * 5, [2.0] * 6).p_value == 1.0
    assert mann_whitney([2.0] * 50, [2.0] * 60).p_value == 1.0
    assert "do not overlap" in str(brunner_munzel([1.0, 2.0], [3.0, 4.0]).reason)


def test_too_few_units_for_an_interval_say_so() -> None:
    result = mann_whitney([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])
    assert result.p_value == pytest.approx(0.1)
    assert result.ci_low is None
    assert result.reason == "n = 3 and 3 are too few for an interval of confidence 0.95."


def test_empty_or_single_units_have_reasons_and_nan_is_refused() -> None:
    assert mann_whitney([], [1.0]).reason == "A variant is empty."
    assert brunner_munzel([], [1.0]).a12 is None
    assert brunner_munzel([1.0], [2.0, 3.0]).a12 == 1.0
    for of in (mann_whitney, brunner_munzel):
        with pytest.raises(InvalidInput, match="NaN"):
            of([math.nan], [1.0])
        with pytest.raises(InvalidInput, match="alpha"):
            of([1.0], [1.0], alpha=0.0)


values = st.lists(st.integers(-20, 20), min_size=2, max_size=12)


@settings(deadline=None, max_examples=60)
@given(control=values, treatment=values)
def test_swapping_flips_the_shift_and_monotone_changes_keep_the_p_value(
    control: list[int], treatment: list[int]
) -> None:
    there, back = mann_whitney(control, treatment), mann_whitney(treatment, control)
    assert there.shift == -(back.shift or 0.0)
    assert there.p_value == pytest.approx(back.p_value)
    cubed = mann_whitney([value**3 for value in control], [value**3 for value in treatment])
    assert there.p_value == pytest.approx(cubed.p_value)
