"""The normal mixture, mSPRT and the asymptotic confidence sequence against confseq, gbstats and quadrature."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import norm

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Alternative
from experiment_tracker_tools.stats.normal_mixture import (
    asymptotic_difference,
    asymptotic_sequence,
    information,
    log_e_normal,
    msprt,
    tuned_ratio,
    z_boundary,
)
from experiment_tracker_tools.stats.samples import Moments, moments_from_sd, moments_from_sums

CONFSEQ = "confseq uniform_boundaries_unittest.cpp (reference implementation in R)"


def test_tuning_is_the_best_rho_of_confseq() -> None:
    """confseq, TestTwoSidedNormalMixture: best_rho(100, 0.05) = 12.60056."""
    assert 100 / tuned_ratio(0.05) == pytest.approx(12.60056, abs=1e-5)


@pytest.mark.parametrize(
    ("alternative", "log_e", "bound"),
    [
        pytest.param("two_sided", -0.6510052, 30.35209, id=f"two-sided, {CONFSEQ}"),
        pytest.param("greater", -0.06502391, 27.66071, id=f"one-sided, {CONFSEQ}"),
    ],
)
def test_mixture_and_boundary_are_those_of_confseq(alternative: Alternative, log_e: float, bound: float) -> None:
    """Sum 10 at intrinsic time 100, tuned for 100 at 0.05."""
    ratio = tuned_ratio(0.05, alternative=alternative)
    assert log_e_normal(10 / 10, ratio, alternative=alternative) == pytest.approx(log_e, abs=1e-6)
    assert 10 * z_boundary(ratio, alpha=0.05, alternative=alternative) == pytest.approx(bound, abs=1e-5)


@pytest.mark.parametrize("alternative", ["two_sided", "greater", "less"])
@pytest.mark.parametrize(("z", "ratio"), [(0.0, 1.0), (1.5, 0.2), (-2.0, 8.0), (3.5, 40.0), (5.0, 500.0)])
def test_log_e_is_the_integral_of_the_likelihood_ratio(alternative: Alternative, z: float, ratio: float) -> None:
    """scipy.integrate.quad over the prior: a normal, or its half, of the standardised effect with variance `ratio`."""
    span = 12 * math.sqrt(ratio) + abs(z)
    ends = {"two_sided": (-span, span), "greater": (0, span), "less": (-span, 0)}[alternative]
    weight = 1 if alternative == "two_sided" else 2

    def integrand(theta: float) -> float:
        return float(weight * norm.pdf(theta, scale=math.sqrt(ratio)) * math.exp(theta * z - theta**2 / 2))

    expected, _ = integrate.quad(integrand, *ends, points=[min(max(z, ends[0]), ends[1])], limit=200)
    assert log_e_normal(z, ratio, alternative=alternative) == pytest.approx(math.log(expected), abs=1e-7)


@pytest.mark.parametrize("alternative", ["two_sided", "greater"])
@pytest.mark.parametrize("alpha", [1e-10, 0.01, 0.05, 0.3])
@pytest.mark.parametrize("ratio", [1e-4, 0.5, 8.0, 1e5])
def test_boundary_is_where_the_e_value_reaches_one_over_alpha(
    alternative: Alternative, alpha: float, ratio: float
) -> None:
    at = log_e_normal(z_boundary(ratio, alpha=alpha, alternative=alternative), ratio, alternative=alternative)
    assert at == pytest.approx(-math.log(alpha), rel=1e-9)


@pytest.mark.parametrize(("t", "alpha"), [(10, 0.05), (1_000, 0.05), (200, 0.01)])
def test_one_sided_boundary_is_just_inside_the_closed_bound_of_equation_134(t: int, alpha: float) -> None:
    """Waudby-Smith et al. (2024), eq. 134: sqrt(2 (t rho² + 1) / (t² rho²) · ln(1 + sqrt(t rho² + 1) / (2 alpha)))."""
    ratio = t * tuned_ratio(alpha, alternative="greater") / 500
    closed = math.sqrt(2 * (ratio + 1) / ratio * math.log(1 + math.sqrt(ratio + 1) / (2 * alpha)))
    exact = z_boundary(ratio, alpha=alpha, alternative="greater")
    assert 0.98 * closed < exact < closed


@pytest.mark.parametrize(
    ("effect", "se", "planned", "low", "high"),
    [
        pytest.param(0.50336, 0.33341, 1000, -0.55844, 1.56516, id="gbstats test_sequential_test_runs, tuning 1000"),
        pytest.param(0.50386, 0.03386, 5000, 0.40098, 0.60675, id="gbstats test_sequential_test_runs_prop"),
        pytest.param(0.50338, 0.33341, 5000, -0.50969, 1.51646, id="gbstats test_sequential_test_runs_ra"),
    ],
)
def test_two_sided_interval_is_that_of_gbstats(
    effect: float, se: float, planned: float, low: float, high: float
) -> None:
    """gbstats tests/frequentist/test_tests.py, n = 3000 + 3461; its tuning parameter is our planned information."""
    ours = asymptotic_sequence(effect, se, smallest_n=3000, information=6461, planned_information=planned)
    assert (ours.ci_low, ours.ci_high) == pytest.approx((low, high), abs=4e-5)


def test_difference_of_means_is_that_of_gbstats_one_sided_up_to_its_looser_bound() -> None:
    """gbstats test_one_sided_ttest_absolute (greater): effect 0.2343767, se 0.1298308, ci_low -0.1265684."""
    control = moments_from_sums(3000, 1396.87, 52377.9767)
    treatment = moments_from_sums(3461, 2422.7, 134698.29)
    share = information(3000, 3461) / 6461
    ours = asymptotic_difference(control, treatment, planned_information=5000 * share, alternative="greater")
    assert ours.effect == pytest.approx(0.23437666666666668, rel=1e-12)
    assert ours.se == pytest.approx(0.12983081254184736, rel=1e-4)
    assert ours.ci_low is not None and -0.1265684 < ours.ci_low < -0.1265684 + 0.005


@pytest.mark.parametrize(("effect", "se", "tau"), [(0.3, 0.1, 0.2), (-1.0, 0.5, 1.0), (0.02, 0.01, 0.05)])
def test_msprt_is_the_formula_of_johari_et_al(effect: float, se: float, tau: float) -> None:
    """Johari et al. (2022): sqrt(V / (V + tau²)) exp(tau² effect² / (2 V (V + tau²)))."""
    v = se**2
    statistic = math.sqrt(v / (v + tau**2)) * math.exp(tau**2 * effect**2 / (2 * v * (v + tau**2)))
    assert msprt(effect, se, tau=tau).p_value == pytest.approx(min(1.0, 1 / statistic), rel=1e-12)


def test_nothing_is_said_before_the_burn_in_is_over() -> None:
    early = asymptotic_sequence(9.0, 0.1, smallest_n=49, information=25, planned_information=500)
    assert (early.ci_low, early.ci_high, early.p_value) == (-math.inf, math.inf, None)
    assert early.reason == "burn-in: 49 units in the smallest variant, 50 needed"
    assert asymptotic_sequence(9.0, 0.1, smallest_n=50, information=25, planned_information=500).reason is None


@pytest.mark.parametrize(
    ("control", "treatment", "reason"),
    [
        (Moments(1, 2.0, 0.0), Moments(80, 1.0, 3.0), "fewer than two units in a variant"),
        (Moments(0, 0.0, 0.0), Moments(0, 0.0, 0.0), "fewer than two units in a variant"),
        (Moments(80, 1.0, 0.0), Moments(80, 2.0, 0.0), "no variation in the data"),
    ],
)
def test_what_cannot_be_computed_is_none_with_a_reason(control: Moments, treatment: Moments, reason: str) -> None:
    result = asymptotic_difference(control, treatment, planned_information=40)
    assert (result.p_value, result.reason) == (None, reason)


def test_evidence_beyond_the_smallest_float_stays_readable() -> None:
    result = asymptotic_sequence(50.0, 1.0, smallest_n=1000, information=500, planned_information=500)
    assert result.p_value == 0.0
    assert result.log_e == pytest.approx(log_e_normal(50.0, tuned_ratio(0.05)), rel=1e-15)
    assert result.log_e is not None and result.log_e > 1000


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-5, 5), st.floats(0.01, 5), st.integers(50, 10_000), st.floats(1e-3, 1e3), st.sampled_from([0.01, 0.05])
)
def test_swapping_variants_flips_the_sign_and_units_scale_out(
    effect: float, se: float, n: int, unit: float, alpha: float
) -> None:
    def run(effect: float, se: float, alternative: Alternative) -> tuple[float, float, float]:
        r = asymptotic_sequence(
            effect, se, smallest_n=n, information=n / 2, planned_information=300, alpha=alpha, alternative=alternative
        )
        assert r.ci_low is not None and r.ci_high is not None and r.log_e is not None
        return r.ci_low, r.ci_high, r.log_e

    low, high, log_e = run(effect, se, "greater")
    assert run(-effect, se, "less") == pytest.approx((-high, -low, log_e))
    assert run(effect * unit, se * unit, "greater") == pytest.approx((low * unit, high * unit, log_e))


@settings(deadline=None, max_examples=60)
@given(st.floats(0.01, 4), st.integers(50, 5_000), st.integers(1, 5_000))
def test_interval_narrows_with_more_units_at_the_same_spread(sd: float, n: int, more: int) -> None:
    def width(n: int) -> float:
        m = moments_from_sd(n, 0.0, sd)
        r = asymptotic_difference(m, m, planned_information=500)
        assert r.ci_low is not None and r.ci_high is not None
        return r.ci_high - r.ci_low

    assert width(n + more) < width(n)


def test_naive_peeking_rejects_often_and_the_sequence_rarely() -> None:
    """Ville: 500 A/A experiments, seed 1, looked at after every unit from 50 to 500 a variant, at most 5% + 3 SE."""
    rng = np.random.default_rng(1)
    n, looks = 500, np.arange(50, 501)
    steps = rng.normal(size=(500, n)) - rng.normal(size=(500, n))
    z = np.cumsum(steps, axis=1)[:, looks - 1] / np.sqrt(2 * looks)
    ratios = tuned_ratio(0.05) * looks / n
    boundaries = np.array([z_boundary(float(ratio), alpha=0.05) for ratio in ratios])
    assert np.mean(np.any(np.abs(z) >= boundaries, axis=1)) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 500)
    assert np.mean(np.any(np.abs(z) >= 1.96, axis=1)) > 0.2


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, math.nan])
def test_alpha_outside_its_range_is_refused(alpha: float) -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        asymptotic_sequence(0.1, 0.1, smallest_n=60, information=30, planned_information=100, alpha=alpha)


def test_one_sided_tuning_refuses_alpha_of_a_half() -> None:
    with pytest.raises(InvalidInput, match=r"alpha = 0.5 is outside \(0, 0.5\)"):
        tuned_ratio(0.5, alternative="greater")


@pytest.mark.parametrize(
    ("effect", "se", "tau"), [(math.nan, 1.0, 1.0), (0.1, 0.0, 1.0), (0.1, 1.0, 0.0), (0.1, -1.0, 1.0)]
)
def test_msprt_refuses_what_is_not_an_estimate(effect: float, se: float, tau: float) -> None:
    with pytest.raises(InvalidInput):
        msprt(effect, se, tau=tau)


def test_a_plan_without_information_is_refused() -> None:
    with pytest.raises(InvalidInput, match="planned_information = 0 is outside"):
        asymptotic_sequence(0.1, 0.1, smallest_n=60, information=30, planned_information=0)
    with pytest.raises(InvalidInput, match="n_control"):
        information(-1, 5)
