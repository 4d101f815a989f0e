"""Beta posteriors against exact rational sums, scipy's beta distribution and adaptive quadrature."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bayes_binary import (
    Beta,
    beta_interval,
    beta_posterior,
    compare_shares,
    difference_interval,
)

WHOLE = [
    ((1, 1), (1, 1)),
    ((11, 91), (19, 83)),
    ((1, 11), (3, 9)),
    ((101, 901), (121, 881)),
    ((2, 3000), (40, 20)),
    ((1, 500), (60, 441)),
    ((500, 1), (1, 1)),
    ((3, 1000), (2, 10)),
]
SMOOTH = [((0.5, 0.5), (0.5, 1.5)), ((3.0, 8.0), (0.5, 0.5)), ((1.0, 21.0), (2.0, 20.0)), ((30.5, 70.5), (44.5, 56.5))]
SIZES = st.tuples(st.floats(0.3, 300), st.floats(0.3, 300)).map(lambda pair: Beta(*pair))


def beta_function(a: int, b: int) -> Fraction:
    return Fraction(math.factorial(a - 1) * math.factorial(b - 1), math.factorial(a + b - 1))


def exact_p_better(control: tuple[int, int], treatment: tuple[int, int]) -> float:
    """Cook (2005), Exact calculation of beta inequalities; Miller (2015): a finite sum, here in whole numbers."""
    (a, b), (c, d) = control, treatment
    terms = (beta_function(a + i, b + d) / ((d + i) * beta_function(1 + i, d) * beta_function(a, b)) for i in range(c))
    return float(sum(terms, Fraction(0)))


@pytest.mark.parametrize(("control", "treatment"), WHOLE)
def test_p_better_is_the_exact_sum(control: tuple[int, int], treatment: tuple[int, int]) -> None:
    """Cook (2005) and Miller (2015), in exact rational arithmetic."""
    ours = compare_shares(Beta(*map(float, control)), Beta(*map(float, treatment)))
    assert ours.p_better == pytest.approx(exact_p_better(control, treatment), rel=1e-12)


@pytest.mark.parametrize(("control", "treatment"), SMOOTH)
def test_p_better_and_losses_are_the_integrals(control: tuple[float, float], treatment: tuple[float, float]) -> None:
    """scipy.integrate.quad over scipy.stats.beta."""
    c, t = stats.beta(*control), stats.beta(*treatment)
    ours = compare_shares(Beta(*control), Beta(*treatment))

    def integral(function: "object") -> float:
        def on_angle(angle: float) -> float:
            share = math.sin(angle) ** 2
            return function(share) * 2 * math.sin(angle) * math.cos(angle)  # type: ignore[operator, no-any-return]

        return float(integrate.quad(on_angle, 0, math.pi / 2, epsabs=1e-13, limit=400)[0])

    assert ours.p_better == pytest.approx(integral(lambda x: t.pdf(x) * c.cdf(x)), rel=1e-8)
    assert ours.loss_treatment == pytest.approx(integral(lambda x: t.cdf(x) * c.sf(x)), rel=1e-8)
    assert ours.loss_control == pytest.approx(integral(lambda x: c.cdf(x) * t.sf(x)), rel=1e-8)


@pytest.mark.parametrize(
    ("control", "treatment", "p_better"),
    [((10, 1000), (20, 1000), 0.96567), ((100, 1000), (130, 1000), 0.98211), ((0, 50), (5, 50), 0.98658)],
)
def test_p_better_agrees_with_simulation(control: tuple[int, int], treatment: tuple[int, int], p_better: float) -> None:
    """4,000,000 draws of numpy's Generator.beta, uniform priors, standard errors below 1e-4 (seed 0)."""
    ours = compare_shares(beta_posterior(*control), beta_posterior(*treatment))
    assert ours.p_better == pytest.approx(p_better, abs=3e-4)


@pytest.mark.parametrize(("control", "treatment"), [*WHOLE, *SMOOTH])
def test_difference_interval_leaves_its_tails_outside(
    control: tuple[float, float], treatment: tuple[float, float]
) -> None:
    """scipy.integrate.quad over scipy.stats.beta, split at the kinks."""
    low, high = difference_interval(Beta(*map(float, control)), Beta(*map(float, treatment)), alpha=0.1)
    c, t = stats.beta(*control), stats.beta(*treatment)

    def below(difference: float) -> float:
        """P(treatment - control <= difference) over the quantiles of the control, where the density is 1."""
        kink = float(c.cdf(1 - difference if difference > 0 else -difference))
        points = sorted({0.0, kink, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0})
        pieces = (
            integrate.quad(lambda q: float(t.cdf(c.ppf(q) + difference)), a, b, epsabs=1e-11, limit=200)[0]
            for a, b in itertools.pairwise(points)
            if b - a > 1e-12
        )
        return float(sum(pieces))

    assert below(low) == pytest.approx(0.05, abs=2e-7)
    assert below(high) == pytest.approx(0.95, abs=2e-7)


@pytest.mark.parametrize(
    "posterior", [Beta(1.0, 1.0), Beta(0.5, 10.5), Beta(3.0, 8.0), Beta(1e7 + 1, 9e7 + 1)], ids=str
)
def test_interval_is_that_of_scipy(posterior: Beta) -> None:
    """scipy.stats.beta.interval."""
    assert beta_interval(posterior) == pytest.approx(stats.beta(*posterior).interval(0.95), rel=1e-9)


def test_sd_does_not_overflow_at_a_hundred_million_units() -> None:
    """scipy 1.17.1: stats.beta(10000001, 90000001).var() is 4.3e-4 in int64; the right one is 9.0e-10."""
    assert beta_posterior(10_000_000, 100_000_000).sd ** 2 == pytest.approx(9.0e-10, rel=1e-3)


@settings(deadline=None, max_examples=25)
@given(SIZES, SIZES)
def test_losses_differ_by_the_effect(control: Beta, treatment: Beta) -> None:
    result = compare_shares(control, treatment)
    assert result.loss_control - result.loss_treatment == pytest.approx(treatment.mean - control.mean, abs=1e-12)
    assert result.effect == pytest.approx(treatment.mean - control.mean, abs=1e-14)


@settings(deadline=None, max_examples=25)
@given(SIZES, SIZES)
def test_swapping_the_variants_flips_everything(control: Beta, treatment: Beta) -> None:
    one, other = compare_shares(control, treatment), compare_shares(treatment, control)
    assert one.p_better == pytest.approx(1 - other.p_better, abs=1e-12)
    assert (one.loss_control, one.loss_treatment) == pytest.approx((other.loss_treatment, other.loss_control))
    assert (one.ci_low, one.ci_high) == pytest.approx((-other.ci_high, -other.ci_low), abs=1e-9)


@settings(deadline=None, max_examples=25)
@given(SIZES, SIZES)
def test_counting_failures_flips_everything(control: Beta, treatment: Beta) -> None:
    one = compare_shares(control, treatment)
    other = compare_shares(Beta(control.b, control.a), Beta(treatment.b, treatment.a))
    assert one.p_better == pytest.approx(1 - other.p_better, abs=1e-12)
    assert one.loss_treatment == pytest.approx(other.loss_control, rel=1e-9)


@pytest.mark.parametrize("n", [10_000, 1_000_000, 100_000_000])
def test_becomes_normal_for_many_units(n: int) -> None:
    """The normal limit of the beta distribution (scipy.stats.norm)."""
    control, treatment = beta_posterior(n // 2, n), beta_posterior(n // 2 + int(n**0.5), n)
    z = (treatment.mean - control.mean) / math.hypot(control.sd, treatment.sd)
    result = compare_shares(control, treatment)
    assert result.p_better == pytest.approx(stats.norm.cdf(z), abs=0.01 / n**0.5)
    half = stats.norm.ppf(0.975) * math.hypot(control.sd, treatment.sd)
    assert (result.ci_low, result.ci_high) == pytest.approx((result.effect - half, result.effect + half), rel=0.02)


def test_resolves_a_probability_far_in_the_tail() -> None:
    """Exact sum: Beta(1, 301) against Beta(301, 1), P = B(301 + 1, 301) / B(1, 301) by symmetry of the sum."""
    ours = compare_shares(Beta(301.0, 1.0), Beta(1.0, 301.0)).p_better
    assert ours == pytest.approx(exact_p_better((301, 1), (1, 301)), rel=1e-9)
    assert ours < 1e-100


def test_refuses_counts_that_are_none() -> None:
    with pytest.raises(InvalidInput, match="successes = 11 of the sample exceed n = 10"):
        beta_posterior(11, 10)
    with pytest.raises(InvalidInput, match="successes of the sample = -1 is below 0"):
        beta_posterior(-1, 10)
    with pytest.raises(InvalidInput, match="a of the beta distribution = 0 is outside"):
        beta_posterior(1, 2, prior=Beta(0, 1.0))
    with pytest.raises(InvalidInput, match="b of the beta distribution = inf"):
        compare_shares(Beta(1.0, 1.0), Beta(1.0, math.inf))
    with pytest.raises(InvalidInput, match="alpha = 0"):
        beta_interval(Beta(1.0, 1.0), alpha=0)
