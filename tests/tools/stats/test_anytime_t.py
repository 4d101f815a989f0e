"""Anytime-valid t against avlm's published output, quadrature over the noncentral t, and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import nct, norm, t

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.anytime_t import (
    anytime_paired_t,
    anytime_t,
    anytime_t_estimate,
    log_e_t,
    prior_precision,
    t_boundary,
)
from experiment_tracker_tools.stats.normal_mixture import log_e_normal, z_boundary
from experiment_tracker_tools.stats.samples import Moments, moments

# avlm's README was printed by its early version with n - p - 1 = 91 for the 92 residual degrees of freedom.
AVLM_RESIDUAL_SD, AVLM_DF = 1.065, 91
AVLM = [
    ("(Intercept)", 0.9163, 0.1586, 5.776, 5.632e-06, 0.4021, 1.430),
    ("X1", 1.8723, 0.1809, 10.352, 7.565e-15, 1.2921, 2.453),
    ("X2", 2.8503, 0.1828, 15.590, 1.838e-24, 2.2643, 3.436),
    ("X3", 3.9056, 0.1594, 24.499, 1.051e-37, 3.3891, 4.422),
    ("trt", 2.3224, 0.2157, 10.769, 1.842e-15, 1.6393, 3.006),
    ("X1:trt", 2.2998, 0.2414, 9.527, 6.110e-13, 1.5404, 3.059),
    ("X2:trt", 3.3117, 0.2325, 14.243, 1.523e-21, 2.5786, 4.045),
    ("X3:trt", 0.4801, 0.2112, 2.273, 4.471e-01, -0.1899, 1.150),
]


@pytest.mark.parametrize(
    ("effect", "se", "statistic", "p_value", "low", "high"),
    [pytest.param(*row[1:], id=f"avlm README, {row[0]}") for row in AVLM],
)
def test_coefficients_are_those_that_avlm_prints(
    effect: float, se: float, statistic: float, p_value: float, low: float, high: float
) -> None:
    """avlm README, phi = 1, four digits: the formula, at the degrees of freedom it was run with."""
    amount = (AVLM_RESIDUAL_SD / se) ** 2
    assert log_e_t(statistic, df=AVLM_DF, r=1 / (1 + amount)) == pytest.approx(-math.log(p_value), abs=4e-3)
    ours = anytime_t_estimate(effect, se, df=AVLM_DF, information=amount, phi=1.0)
    assert (ours.ci_low, ours.ci_high) == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize(
    ("statistic", "df", "amount", "phi"),
    [(0.0, 5, 3.0, 1.0), (2.1, 8, 5.0, 0.6), (-3.0, 18, 5.0, 2.0), (4.0, 30, 16.0, 1.0), (2.5, 100, 51.0, 6.0)],
)
def test_log_e_is_the_mixture_of_noncentral_t_densities(statistic: float, df: float, amount: float, phi: float) -> None:
    """scipy.stats.nct averaged over the normal prior of the effect in standard deviations, by scipy.integrate.quad."""

    def integrand(delta: float) -> float:
        density = nct.pdf(statistic, df, delta * math.sqrt(amount))
        return float(density * norm.pdf(delta, scale=1 / math.sqrt(phi)))

    mixture, _ = integrate.quad(integrand, -8 / math.sqrt(phi), 8 / math.sqrt(phi), limit=200, epsabs=1e-12)
    expected = math.log(mixture / float(t.pdf(statistic, df)))
    assert log_e_t(statistic, df=df, r=phi / (phi + amount)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("df", "r", "alpha"), [(20, 0.1, 0.05), (3, 0.01, 0.2), (500, 0.11, 1e-6), (8, 0.05, 0.01)])
def test_boundary_is_where_the_e_value_reaches_one_over_alpha(df: float, r: float, alpha: float) -> None:
    assert log_e_t(t_boundary(df=df, r=r, alpha=alpha), df=df, r=r) == pytest.approx(-math.log(alpha), rel=1e-9)


@pytest.mark.parametrize(
    ("df", "r", "defined"), [(1, 0.5, False), (3, 0.9, False), (7, 0.5, False), (9, 0.3, True), (30, 0.5, True)]
)
def test_interval_is_infinite_until_the_formula_of_the_notes_defines_it(df: float, r: float, *, defined: bool) -> None:
    """STATISTICS_NOTES 1.7: infinite until (r alpha²)^(1 / (df + 1)) > r."""
    assert ((r * 0.05**2) ** (1 / (df + 1)) > r) is defined
    assert math.isfinite(t_boundary(df=df, r=r, alpha=0.05)) is defined


def test_an_infinite_interval_says_why_and_still_has_a_p_value() -> None:
    result = anytime_t(moments([1.0, 2.0]), moments([3.0]), planned_information=20)
    assert (result.ci_low, result.ci_high) == (-math.inf, math.inf)
    assert result.reason == "too few units: no effect can be excluded yet"
    assert result.p_value is not None and 0 < result.p_value <= 1


@pytest.mark.parametrize(("z", "ratio"), [(1.0, 3.0), (2.5, 8.0), (4.0, 20.0)])
def test_with_many_degrees_of_freedom_it_becomes_the_normal_mixture(z: float, ratio: float) -> None:
    """Limit of Lindon et al. (2022): r = 1 / (1 + ratio)."""
    assert log_e_t(z, df=1e9, r=1 / (1 + ratio)) == pytest.approx(log_e_normal(z, ratio), rel=1e-6)
    assert t_boundary(df=1e9, r=1 / (1 + ratio), alpha=0.05) == pytest.approx(z_boundary(ratio, alpha=0.05), rel=1e-6)


def test_two_samples_are_the_regression_on_the_treatment_indicator() -> None:
    """numpy.linalg.lstsq: coefficient, residual variance with n - 2 degrees of freedom, S_xx of the indicator."""
    rng = np.random.default_rng(3)
    control, treatment = rng.normal(5, 2, 9), rng.normal(6, 2, 14)
    x = np.repeat([0.0, 1.0], [9, 14])
    y = np.concatenate([control, treatment])
    design = np.column_stack([np.ones_like(x), x])
    beta, residual, _, _ = np.linalg.lstsq(design, y)
    s_xx = float(np.sum((x - x.mean()) ** 2))
    se = math.sqrt(float(residual[0]) / 21 / s_xx)
    phi = prior_precision(20, alpha=0.05)
    expected = anytime_t_estimate(float(beta[1]), se, df=21, information=s_xx, phi=phi)
    ours = anytime_t(moments(control), moments(treatment), planned_information=20)
    assert ours[:6] == pytest.approx(expected[:6], rel=1e-10)


def test_paired_differences_are_a_regression_on_the_constant() -> None:
    """t and n of scipy.stats.ttest_1samp: t = sqrt(n) mean / sd, df = n - 1, information n."""
    d = moments([0.3, 0.1, 0.4, -0.2, 0.5, 0.25])
    assert d.sd is not None
    phi = prior_precision(10, alpha=0.05)
    expected = log_e_t(math.sqrt(6) * d.mean / d.sd, df=5, r=phi / (phi + 6))
    assert anytime_paired_t(d, planned_n=10).log_e == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [10, 30])
def test_error_under_looking_after_every_pair_of_units_stays_below_alpha(n: int) -> None:
    """Ville: 2,000 normal A/A experiments from the second unit a variant on, seed 5, at most 5% + 3 SE."""
    rng = np.random.default_rng(5)
    runs, k = 2_000, np.arange(2, n + 1)
    a, b = rng.normal(size=(2, runs, n))
    se2 = (_m2(a)[:, 1:] + _m2(b)[:, 1:]) / (2 * k - 2) * 2 / k
    t2 = (np.cumsum(b - a, axis=1)[:, 1:] / k) ** 2 / se2
    boundary = [t_boundary(df=2 * m - 2, r=_share(m, n), alpha=0.05) for m in k.tolist()]
    rejected = np.any(t2 >= np.square(boundary), axis=1)
    assert np.mean(rejected) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def _m2(x: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]") -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    count = np.arange(1, x.shape[1] + 1)
    return np.asarray(np.cumsum(x**2, axis=1) - np.cumsum(x, axis=1) ** 2 / count)


def _share(m: int, planned: int) -> float:
    phi = prior_precision(planned / 2, alpha=0.05)
    return phi / (phi + m / 2)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.floats(-10, 10), min_size=3, max_size=12),
    st.lists(st.floats(-10, 10), min_size=3, max_size=12),
    st.floats(0.1, 100),
)
def test_swapping_variants_flips_the_sign_and_units_scale_out(a: list[float], b: list[float], unit: float) -> None:
    control, treatment = moments(a), moments(b)
    forward = anytime_t(control, treatment, planned_information=10)
    backward = anytime_t(treatment, control, planned_information=10)
    if forward.log_e is None or control.m2 + treatment.m2 < 1e-9:
        return
    assert backward.log_e == pytest.approx(forward.log_e)
    assert (backward.ci_low, backward.ci_high) == pytest.approx((-(forward.ci_high or 0), -(forward.ci_low or 0)))
    larger = anytime_t(moments(np.multiply(a, unit)), moments(np.multiply(b, unit)), planned_information=10)
    assert larger.log_e == pytest.approx(forward.log_e, rel=1e-6, abs=1e-9)


@settings(deadline=None, max_examples=50)
@given(st.floats(0, 20), st.floats(0.01, 5), st.integers(2, 300), st.floats(0.01, 0.99))
def test_a_larger_t_is_never_weaker_evidence(t_value: float, more: float, df: int, r: float) -> None:
    assert log_e_t(t_value + more, df=df, r=r) >= log_e_t(t_value, df=df, r=r)


@pytest.mark.parametrize(
    ("control", "treatment", "reason"),
    [
        (Moments(0, 0.0, 0.0), Moments(5, 1.0, 2.0), "fewer than three units, or an empty variant"),
        (Moments(1, 1.0, 0.0), Moments(1, 2.0, 0.0), "fewer than three units, or an empty variant"),
        (Moments(3, 1.0, 0.0), Moments(3, 2.0, 0.0), "no variation in the data"),
    ],
)
def test_what_cannot_be_computed_is_none_with_a_reason(control: Moments, treatment: Moments, reason: str) -> None:
    result = anytime_t(control, treatment, planned_information=10)
    assert (result.p_value, result.ci_low, result.reason) == (None, None, reason)


def test_a_single_pair_has_no_spread() -> None:
    assert anytime_paired_t(Moments(1, 0.4, 0.0), planned_n=10).reason == "fewer than two pairs"


@pytest.mark.parametrize(
    ("t_value", "df", "r"), [(math.nan, 5, 0.5), (1.0, 0, 0.5), (1.0, 5, 0.0), (1.0, 5, 1.5), (math.inf, 5, 0.5)]
)
def test_bad_numbers_are_refused(t_value: float, df: float, r: float) -> None:
    with pytest.raises(InvalidInput):
        log_e_t(t_value, df=df, r=r)


@pytest.mark.parametrize("planned", [0.0, -1.0, math.nan])
def test_a_plan_without_information_is_refused(planned: float) -> None:
    with pytest.raises(InvalidInput, match="planned_information"):
        prior_precision(planned, alpha=0.05)
