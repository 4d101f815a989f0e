"""Effect sizes against published values, scipy's noncentral t and enumeration of pairs."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_effectsize

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.effect_sizes import (
    bias_correction,
    cohen_d,
    cohen_h,
    dominance,
    glass_delta,
    hedges_g,
)
from experiment_tracker_tools.stats.samples import Moments, moments, moments_from_sd

MPMATH_J = [
    (2, 0.56418958354775629),
    (3, 0.72360125455826766),
    (12, 0.93594182290647495),
    (50, 0.9849119422955726),
    (198, 0.99620653238518452),
    (1e4, 0.99992499781242969),
    (5e6, 0.99999984999999125),
    (1e8, 0.99999999249999998),
]


@pytest.mark.parametrize(("df", "j"), MPMATH_J)
def test_the_exact_bias_correction_is_that_of_mpmath(df: float, j: float) -> None:
    assert bias_correction(df) == pytest.approx(j, rel=1e-11)


def test_seven_against_seven_is_the_worked_anchor() -> None:
    control, treatment = moments_from_sd(7, 27.4, 5.1), moments_from_sd(7, 45.2, 8.3)
    assert round(cohen_d(control, treatment).estimate or 0, 2) == 2.58
    assert hedges_g(control, treatment).estimate == pytest.approx(17.8 / math.sqrt(47.45) * 0.93594182290647495)


def test_d_and_g_are_those_of_borenstein_2009_table_4_1() -> None:
    """Borenstein, Hedges, Higgins & Rothstein (2009), Introduction to Meta-Analysis, 4: d = 0.5970, g = 0.5924."""
    control, treatment = moments_from_sd(50, 100.0, 4.5), moments_from_sd(50, 103.0, 5.5)
    assert cohen_d(control, treatment).estimate == pytest.approx(0.5970, abs=5e-5)
    assert hedges_g(control, treatment).estimate == pytest.approx(0.5924, abs=5e-5)


@pytest.mark.parametrize(
    ("control", "treatment"),
    [
        ((7, 27.4, 5.1), (7, 45.2, 8.3)),
        ((20, 0.0, 1.0), (25, 0.1, 1.0)),
        ((2, 0.0, 1.0), (2, 9.0, 1.0)),
        ((5, 3.0, 1.0), (900, -2.0, 1.0)),
    ],
)
def test_the_interval_of_d_is_where_scipy_nct_leaves_half_of_alpha(
    control: tuple[int, float, float], treatment: tuple[int, float, float]
) -> None:
    result = cohen_d(moments_from_sd(*control), moments_from_sd(*treatment))
    df, scale = control[0] + treatment[0] - 2, math.sqrt(1 / control[0] + 1 / treatment[0])
    t = (result.estimate or 0.0) / scale
    low, high = (result.ci_low or 0.0) / scale, (result.ci_high or 0.0) / scale
    assert float(scipy.stats.nct.cdf(t, df, low)) == pytest.approx(0.975, abs=1e-9)
    assert float(scipy.stats.nct.cdf(t, df, high)) == pytest.approx(0.025, abs=1e-9)


def test_glass_measures_by_the_control_alone() -> None:
    result = glass_delta(moments_from_sd(10, 0.0, 2.0), moments_from_sd(10, 3.0, 50.0))
    assert result.estimate == 1.5
    scale = math.sqrt(0.2)
    assert float(scipy.stats.nct.cdf(1.5 / scale, 9, (result.ci_low or 0.0) / scale)) == pytest.approx(0.975, abs=1e-9)


@pytest.mark.parametrize(("control", "treatment"), [((12, 100), (25, 100)), ((0, 10), (10, 10)), ((1, 9), (3, 4))])
def test_h_agrees_with_statsmodels_proportion_effectsize(control: tuple[int, int], treatment: tuple[int, int]) -> None:
    expected = proportion_effectsize(treatment[0] / treatment[1], control[0] / control[1])
    result = cohen_h(control, treatment)
    assert result.estimate == pytest.approx(float(expected), rel=1e-12)
    assert (result.ci_high or 0) - (result.estimate or 0) == pytest.approx(
        1.959963984540054 * math.sqrt(1 / control[1] + 1 / treatment[1])
    )


@pytest.mark.parametrize("seed", range(3))
def test_dominance_counts_the_pairs_as_scipy_mannwhitneyu_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treatment = rng.integers(0, 8, 13), rng.integers(2, 9, 17)
    result = dominance(control, treatment)
    u = float(scipy.stats.mannwhitneyu(treatment, control).statistic)
    assert result.a12 == pytest.approx(u / (13 * 17), rel=1e-12)
    assert result.cliff_delta == pytest.approx(float(np.sign(np.subtract.outer(treatment, control)).mean()), abs=1e-12)


def test_cliffs_delta_and_a12_are_those_of_vargha_and_delaney_by_hand() -> None:
    """Of the 9 pairs of (1, 2, 3) and (2, 3, 4), 6 are larger, 2 equal and 1 smaller."""
    result = dominance([1, 2, 3], [2, 3, 4])
    assert (result.cliff_delta, result.a12) == pytest.approx((5 / 9, 7 / 9))


def test_the_interval_of_cliffs_delta_covers_by_simulation() -> None:
    """Delta of two normals one sd apart is 2 Phi(1 / sqrt 2) - 1; Monte Carlo error of 1,000 runs is 0.7 points."""
    rng = np.random.default_rng(8)
    truth = 2 * float(scipy.stats.norm.cdf(1 / math.sqrt(2))) - 1
    covered = 0
    for _ in range(1000):
        result = dominance(rng.normal(0, 1, 20), rng.normal(1, 1, 25))
        covered += (result.ci_low or -1.0) <= truth <= (result.ci_high or 1.0)
    assert 0.92 <= covered / 1000 <= 0.98


def test_undefined_effect_sizes_are_none_with_a_reason() -> None:
    one, constant, sample = moments([1.0]), moments([2.0, 2.0]), moments([1.0, 3.0])
    for result in (
        cohen_d(one, one),
        cohen_d(constant, constant),
        hedges_g(one, sample),
        glass_delta(constant, sample),
        glass_delta(one, sample),
        cohen_h((0, 0), (1, 2)),
    ):
        assert result.estimate is result.ci_low is None
        assert result.reason is not None
    assert dominance([], [1.0]).a12 is None
    assert dominance([1.0], [2.0, 3.0]).ci_low is None
    assert dominance([1.0, 2.0], [3.0, 4.0])[:3] == (1.0, 1.0, None)
    assert cohen_d(one, sample).estimate is not None


def test_bad_alpha_df_and_counts_are_refused() -> None:
    sample = moments([1.0, 3.0])
    for of in (cohen_d, hedges_g, glass_delta):
        with pytest.raises(InvalidInput, match="alpha"):
            of(sample, sample, alpha=0.0)
    with pytest.raises(InvalidInput, match="df = 1"):
        bias_correction(1)
    with pytest.raises(InvalidInput, match="exceed"):
        cohen_h((3, 2), (1, 2))
    with pytest.raises(InvalidInput, match="NaN"):
        dominance([math.nan], [1.0])


samples = st.tuples(st.integers(2, 500), st.floats(-50, 50), st.floats(1.0, 20.0))


@settings(deadline=None, max_examples=30)
@given(control=samples, treatment=samples, unit=st.floats(0.01, 100))
def test_standardised_differences_flip_with_the_variants_and_ignore_the_unit(
    control: tuple[int, float, float], treatment: tuple[int, float, float], unit: float
) -> None:
    first, second = moments_from_sd(*control), moments_from_sd(*treatment)
    scaled = [Moments(each.n, each.mean * unit, each.m2 * unit**2) for each in (first, second)]
    result = cohen_d(first, second)
    assert result.ci_low == pytest.approx(-(cohen_d(second, first).ci_high or 0.0), abs=1e-8)
    assert result.ci_low == pytest.approx(cohen_d(*scaled).ci_low, rel=1e-7, abs=1e-9)
    assert (result.ci_low or 0.0) < (result.estimate or 0.0) < (result.ci_high or 0.0)
