"""Time-uniform bounds against confseq's unit tests, quadrature, the paper's recursions written out, and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import gamma

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bounds import (
    Bounds,
    empirical_bernstein,
    gamma_exponential_bound,
    gamma_exponential_log_e,
    gamma_exponential_sequence,
    predictable_bets,
    stitching_bound,
)
from experiment_tracker_tools.stats.normal_mixture import tuned_ratio

RHO = 100 / tuned_ratio(0.05, alternative="greater")


def test_gamma_exponential_mixture_is_that_of_confseq() -> None:
    """confseq, TestGammaExponentialMixture: c = 2, tuned for v = 100 at 0.05; s = 10, v = 100."""
    assert gamma_exponential_log_e(10, 100, rho=RHO, c=2) == pytest.approx(-0.2490165, abs=1e-6)
    assert gamma_exponential_bound(100, alpha=0.05, planned_v=100, c=2) == pytest.approx(33.02017, abs=1e-5)


@pytest.mark.parametrize(
    ("v", "v_min", "c", "eta", "bound"),
    [
        pytest.param(100, 10, 3.0, 2.0, 64.48755, id="confseq PolyStitchingTest.BasicTest"),
        pytest.param(100, 10, -1.0, 2.0, 28.99389, id="confseq PolyStitchingTest.NegativeC"),
        pytest.param(25, 2.5, 0.0, 2.04, 17.8119, id="quantile_bai StitchedCITest, R confseq, p = 0.5"),
        pytest.param(9, 0.9, -0.8 / 3, 2.04, 8.88042, id="quantile_bai StitchedCITest, R confseq, p = 0.9"),
    ],
)
def test_stitching_is_that_of_confseq(v: float, v_min: float, c: float, eta: float, bound: float) -> None:
    assert stitching_bound(v, alpha=0.05, v_min=v_min, c=c, eta=eta) == pytest.approx(bound, rel=2e-6)


@pytest.mark.parametrize(
    ("s", "v", "rho", "c"),
    [
        (10, 100, 16.0, 2.0),
        (0, 50, 5.0, 1.0),
        (-8, 40, 5.0, 1.0),
        (-60, 40, 5.0, 1.0),
        (30, 10, 2.0, 0.5),
        (5, 0, 3, 1),
    ],
)
def test_gamma_exponential_mixture_is_the_integral_over_its_prior(s: float, v: float, rho: float, c: float) -> None:
    """scipy.integrate.quad of exp(lambda s - psi_E(lambda) v), 1 - c lambda from a gamma cut off at 1 (prop. 8)."""
    tuning = rho / c**2
    prior = gamma(tuning, scale=1 / tuning)

    def integrand(y: float) -> float:
        psi = (-math.log(y) - (1 - y)) / c**2
        return float(math.exp((1 - y) / c * s - psi * v) * prior.pdf(y))

    total, _ = integrate.quad(integrand, 0, 1, limit=300, epsabs=0, epsrel=1e-10)
    assert gamma_exponential_log_e(s, v, rho=rho, c=c) == pytest.approx(math.log(total / prior.cdf(1)), abs=1e-7)


def test_gamma_exponential_mixture_stays_finite_far_below_zero() -> None:
    """scipy.integrate.quad, s = -5,000 at v = 10, with the integrand's peak at y = 1 taken out."""
    prior = gamma(5.0, scale=1 / 5.0)

    def log_integrand(y: float) -> float:
        return float((1 - y) * -5000 + (math.log(y) + 1 - y) * 10 + prior.logpdf(y))

    total, _ = integrate.quad(lambda y: math.exp(log_integrand(y) - log_integrand(1.0)), 0.99, 1, epsabs=0)
    expected = math.log(total) + log_integrand(1.0) - float(prior.logcdf(1))
    assert gamma_exponential_log_e(-5000, 10, rho=5, c=1) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(("v", "alpha"), [(0.0, 0.05), (1.0, 0.2), (100.0, 0.001), (1e6, 0.05)])
def test_boundary_is_where_the_e_value_reaches_one_over_alpha(v: float, alpha: float) -> None:
    rho = 100 / tuned_ratio(alpha, alternative="greater")
    bound = gamma_exponential_bound(v, alpha=alpha, planned_v=100, c=1)
    assert gamma_exponential_log_e(bound, v, rho=rho, c=1) == pytest.approx(-math.log(alpha), abs=1e-8)


@pytest.mark.parametrize("seed", [1, 2])
def test_empirical_bernstein_is_theorem_2_written_out(seed: int) -> None:
    """Waudby-Smith & Ramdas (2024), theorem 2, one value at a time in plain Python."""
    values = np.random.default_rng(seed).beta(2, 5, size=60).tolist()
    log_term = math.log(2 / 0.05)
    bet_sum = weighted = paid = squares = total = 0.0
    mean, variance, low, high = 0.5, 0.25, 0.0, 1.0
    for t, x in enumerate(values, 1):
        bet = min(math.sqrt(2 * log_term / (variance * t * math.log(1 + t))), 0.5)
        bet_sum += bet
        weighted += bet * x
        paid += 4 * (x - mean) ** 2 * (-math.log(1 - bet) - bet) / 4
        low = max(low, (weighted - log_term - paid) / bet_sum)
        high = min(high, (weighted + log_term + paid) / bet_sum)
        total += x
        mean = (0.5 + total) / (t + 1)
        squares += (x - mean) ** 2
        variance = (0.25 + squares) / (t + 1)
    ours = empirical_bernstein(values, low=0, high=1)
    assert ours == pytest.approx((total / 60, low, high), rel=1e-12)


def test_gamma_exponential_sequence_is_theorem_4_written_out() -> None:
    """Howard et al. (2021), theorem 4: mean -/+ u(V) / t, V the sum of squared errors of the running mean."""
    values = np.random.default_rng(4).uniform(10, 20, size=80)
    before = [(15 + values[:i].sum()) / (i + 1) for i in range(80)]
    v = float(np.sum((values - before) ** 2))
    half = gamma_exponential_bound(v, alpha=0.025, planned_v=80 * 100 / 12, c=10) / 80
    ours = gamma_exponential_sequence(values, low=10, high=20, planned_v=80 * 100 / 12)
    assert ours == pytest.approx(
        (values.mean(), max(values.mean() - half, 10), min(values.mean() + half, 20)), rel=1e-9
    )


@pytest.mark.parametrize("shape", [(1.0, 1.0), (0.3, 3.0), (8.0, 2.0)])
def test_the_true_mean_is_almost_always_inside_at_every_look(shape: tuple[float, float]) -> None:
    """Ville: 200 streams of 150 beta values, seed 9; the intersected sequence misses in at most 5% + 3 SE."""
    rng = np.random.default_rng(9)
    mean = shape[0] / sum(shape)
    results = [empirical_bernstein(rng.beta(*shape, size=150), low=0, high=1) for _ in range(200)]
    missed = [not r.ci_low <= mean <= r.ci_high for r in results]
    assert np.mean(missed) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


@pytest.mark.parametrize("bound", ["gamma-exponential", "stitching"])
def test_a_bounded_random_walk_stays_below_the_boundary(bound: str) -> None:
    """Ville: 300 fair +-1 walks of 400 steps, seed 2, crossing at 10% or less (+ 3 SE); v = steps, sub-Gaussian."""
    walks = np.cumsum(np.random.default_rng(2).choice([-1.0, 1.0], size=(300, 400)), axis=1)
    v = range(1, 401)
    line = (
        [gamma_exponential_bound(t, alpha=0.1, planned_v=100, c=0.1) for t in v]
        if bound == "gamma-exponential"
        else [stitching_bound(t, alpha=0.1, v_min=10) for t in v]
    )
    assert np.mean((walks >= np.array(line)).any(axis=1)) <= 0.1 + 3 * math.sqrt(0.09 / 300)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(-50, 50), st.floats(0.1, 50))
def test_mirroring_and_rescaling_the_metric_mirror_and_rescale_the_bounds(
    values: list[float], shift: float, unit: float
) -> None:
    ours = empirical_bernstein(values, low=0, high=1)
    mirrored = empirical_bernstein([1 - x for x in values], low=0, high=1)
    assert (1 - mirrored.ci_high, 1 - mirrored.ci_low) == pytest.approx((ours.ci_low, ours.ci_high), abs=1e-9)
    high = shift + unit
    moved = empirical_bernstein([min(max(shift + unit * x, shift), high) for x in values], low=shift, high=high)
    assert (moved.ci_low, moved.ci_high) == pytest.approx(
        (shift + unit * ours.ci_low, shift + unit * ours.ci_high), abs=1e-6 * (1 + abs(shift) + unit)
    )


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1e4), st.floats(0.1, 1e4), st.floats(0.001, 0.2))
def test_boundaries_rise_with_time_and_with_certainty(v: float, more: float, alpha: float) -> None:
    assert gamma_exponential_bound(v + more, alpha=alpha, planned_v=50, c=1) > gamma_exponential_bound(
        v, alpha=alpha, planned_v=50, c=1
    )
    assert stitching_bound(v, alpha=alpha / 2, v_min=1) > stitching_bound(v, alpha=alpha, v_min=1)


def test_bets_look_only_backwards() -> None:
    first, second = np.array([0.1, 0.9, 0.4, 0.2]), np.array([0.1, 0.9, 1.0, 1.0])
    assert predictable_bets(first, alpha=0.05)[:3] == pytest.approx(predictable_bets(second, alpha=0.05)[:3])


def test_without_values_the_whole_range_remains() -> None:
    assert empirical_bernstein([], low=-1, high=3) == Bounds(None, -1, 3)
    assert gamma_exponential_sequence([], low=-1, high=3, planned_v=5) == Bounds(None, -1, 3)


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [([0.5, 1.5], 0, 1), ([0.5, math.nan], 0, 1), ([[0.5]], 0, 1), ([0.5], 1, 0), ([1], 1, 1)],
)
def test_values_that_break_their_bounds_are_refused(values: list[float], low: float, high: float) -> None:
    with pytest.raises(InvalidInput):
        empirical_bernstein(values, low=low, high=high)


@pytest.mark.parametrize(
    ("v", "alpha", "v_min", "s"), [(-1, 0.05, 1, 1.4), (1, 0, 1, 1.4), (1, 0.1, 0, 1.4), (1, 0.1, 1, 1)]
)
def test_stitching_refuses_numbers_out_of_range(v: float, alpha: float, v_min: float, s: float) -> None:
    with pytest.raises(InvalidInput):
        stitching_bound(v, alpha=alpha, v_min=v_min, s=s)
