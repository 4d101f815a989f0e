"""The normal posterior against scipy's normal distribution, quadrature and published sceptical priors."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bayes_normal import (
    FLAT,
    Normal,
    describe_effect,
    normal_posterior,
    prior_sensitivity,
    region_of_equivalence,
    sceptical_prior,
)

POSTERIORS = [Normal(0.0, 1.0), Normal(1.3, 0.7), Normal(-2.0, 0.5), Normal(4.0, 1.0), Normal(1e-6, 1e-5)]
EFFECTS = st.floats(-50, 50)
ERRORS = st.floats(0.01, 20)


@pytest.mark.parametrize("posterior", POSTERIORS, ids=str)
def test_describes_a_posterior_as_scipy_does(posterior: Normal) -> None:
    """scipy.stats.norm: cdf, ppf, and the losses by adaptive quadrature (scipy.integrate.quad)."""
    ours, reference = describe_effect(posterior, alpha=0.1), stats.norm(*posterior)
    assert ours.p_better == pytest.approx(reference.sf(0), rel=1e-12)
    assert (ours.ci_low, ours.ci_high) == pytest.approx(reference.interval(0.9), rel=1e-12)
    low, high = posterior.mean - 12 * posterior.sd, posterior.mean + 12 * posterior.sd
    lost = integrate.quad(lambda x: -x * reference.pdf(x), low, min(0.0, high), epsabs=0)[0] if low < 0 else 0.0
    gained = integrate.quad(lambda x: x * reference.pdf(x), max(0.0, low), high, epsabs=0)[0] if high > 0 else 0.0
    assert ours.loss_treatment == pytest.approx(lost, rel=1e-8)
    assert ours.loss_control == pytest.approx(gained, rel=1e-8)


@pytest.mark.parametrize("z", [5.0, 10.0, 20.0, 35.0])
def test_keeps_its_digits_in_the_tail(z: float) -> None:
    """The asymptotic series of the normal loss: phi(z) / z² (1 - 3 / z² + 15 / z⁴ - 105 / z⁶ ...)."""
    series = sum((-1) ** k * math.prod(range(1, 2 * k + 2, 2)) / z ** (2 * k) for k in range(8))
    expected = stats.norm.pdf(z) / z**2 * series
    assert describe_effect(Normal(z, 1.0)).loss_treatment == pytest.approx(expected, rel=2e-3 if z < 8 else 1e-7)


def test_weights_data_and_prior_by_precision() -> None:
    """Gelman et al. (2013), Bayesian Data Analysis, section 2.5: prior N(0, 10²), data N(10, 5²)."""
    posterior = normal_posterior(10.0, 5.0, prior=Normal(0.0, 10.0))
    assert posterior == pytest.approx((10 / 25 / (1 / 25 + 1 / 100), (1 / 25 + 1 / 100) ** -0.5), rel=1e-12)
    assert normal_posterior(10.0, 5.0) == Normal(10.0, 5.0)


@pytest.mark.parametrize(("z", "expected"), [(2.0, 1.43), (2.5, 0.87), (3.0, 0.65), (4.0, 0.45)])
def test_finds_the_prior_at_which_the_answer_tips(z: float, expected: float) -> None:
    """Held (2020), JRSS A 183: relative variance 1 / (z² / z_c² - 1), here with z_c = 1.645."""
    result = prior_sensitivity(z, 1.0, stated=Normal(0.0, 1.0), sceptical=Normal(0.0, 0.5))
    assert result.tipping_sd == pytest.approx(math.sqrt(1 / (z**2 / stats.norm.ppf(0.95) ** 2 - 1)), rel=1e-12)
    assert result.tipping_sd == pytest.approx(expected, abs=0.02)
    assert result.tipping_sd is not None
    tipped = describe_effect(normal_posterior(z, 1.0, prior=Normal(0.0, result.tipping_sd)))
    assert tipped.p_better == pytest.approx(0.95, rel=1e-12)


def test_says_so_when_no_prior_around_zero_tips_the_answer() -> None:
    result = prior_sensitivity(1.0, 1.0, stated=Normal(0.0, 1.0), sceptical=sceptical_prior(1.0))
    assert result.tipping_sd is None
    assert result.reason is not None and "flat prior" in result.reason


def test_draws_the_sceptic_nearer_to_zero_than_the_plan() -> None:
    result = prior_sensitivity(3.0, 1.0, stated=Normal(0.0, 2.0), sceptical=sceptical_prior(1.0))
    assert result.flat.mean > result.stated.mean > result.sceptical.mean > 0
    assert result.flat == describe_effect(Normal(3.0, 1.0))


def test_gives_the_sceptic_his_probability_beyond_the_mde() -> None:
    """Spiegelhalter, Freedman & Parmar (1994): P(effect > mde) = 0.05."""
    assert stats.norm(*sceptical_prior(0.4)).sf(0.4) == pytest.approx(0.05, rel=1e-12)
    assert sceptical_prior(-0.4) == sceptical_prior(0.4)


@settings(deadline=None)
@given(EFFECTS, ERRORS)
def test_losses_differ_by_the_effect_and_flip_with_it(mean: float, sd: float) -> None:
    one, other = describe_effect(Normal(mean, sd)), describe_effect(Normal(-mean, sd))
    assert one.loss_control - one.loss_treatment == pytest.approx(mean, rel=1e-9, abs=1e-12)
    assert (one.p_better, one.loss_control) == pytest.approx((1 - other.p_better, other.loss_treatment), abs=1e-15)


@settings(deadline=None)
@given(EFFECTS, ERRORS, st.floats(0.01, 100), st.sampled_from([1e-6, 1e-3, 1e4]))
def test_does_not_depend_on_the_unit(estimate: float, se: float, prior_sd: float, unit: float) -> None:
    plain = describe_effect(normal_posterior(estimate, se, prior=Normal(0.0, prior_sd)))
    scaled = describe_effect(normal_posterior(estimate * unit, se * unit, prior=Normal(0.0, prior_sd * unit)))
    assert scaled.p_better == pytest.approx(plain.p_better, rel=1e-9)
    assert scaled.loss_treatment == pytest.approx(plain.loss_treatment * unit, rel=1e-6)


@settings(deadline=None)
@given(EFFECTS, ERRORS, st.floats(0.01, 10))
def test_splits_the_posterior_around_the_region(mean: float, sd: float, margin: float) -> None:
    rope = region_of_equivalence(Normal(mean, sd), low=-margin, high=margin)
    assert sum(rope) == pytest.approx(1, abs=1e-12)
    reference = stats.norm(mean, sd)
    assert rope.above == pytest.approx(reference.sf(margin), rel=1e-9, abs=1e-300)
    assert rope.below == pytest.approx(reference.cdf(-margin), rel=1e-9, abs=1e-300)


def test_refuses_distributions_that_are_none() -> None:
    with pytest.raises(InvalidInput, match="se = 0 is outside"):
        normal_posterior(1.0, 0)
    with pytest.raises(InvalidInput, match="is not above 0"):
        normal_posterior(1.0, 1.0, prior=Normal(0.0, -1.0))
    with pytest.raises(InvalidInput, match="posterior sd = inf is outside"):
        describe_effect(FLAT)
    with pytest.raises(InvalidInput, match="estimate = nan"):
        normal_posterior(math.nan, 1.0)
    with pytest.raises(InvalidInput, match=r"low = 1\.0 is outside"):
        region_of_equivalence(Normal(0.0, 1.0), low=1.0, high=-1.0)
    with pytest.raises(InvalidInput, match="conclusive = "):
        prior_sensitivity(1.0, 1.0, stated=FLAT, sceptical=Normal(0.0, 1.0), conclusive=0.4)
    with pytest.raises(InvalidInput, match="alpha = 1"):
        describe_effect(Normal(0.0, 1.0), alpha=1)
