"""Gamma posteriors against scipy's gamma distribution, adaptive quadrature and a finite sum."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bayes_count import Gamma, compare_rates, gamma_interval, gamma_posterior

PAIRS = [
    (Gamma(20.5, 100.0), Gamma(32.5, 100.0)),
    (Gamma(0.5, 10.0), Gamma(3.5, 12.0)),
    (Gamma(5.0, 1.0), Gamma(2.0, 1000.0)),
    (Gamma(1e6 + 0.5, 1e6), Gamma(1.001e6 + 0.5, 1e6)),
    (Gamma(0.5, 1.0), Gamma(0.5, 1.0)),
]
RATES = st.tuples(st.floats(0.5, 400), st.floats(0.01, 1000)).map(lambda pair: Gamma(*pair))


@pytest.mark.parametrize(("control", "treatment"), PAIRS, ids=str)
def test_p_better_and_losses_are_the_integrals(control: Gamma, treatment: Gamma) -> None:
    """scipy.integrate.quad over scipy.stats.gamma, on the scale of logs."""
    c, t = (stats.gamma(each.shape, scale=1 / each.rate) for each in (control, treatment))
    middles = [math.log(each.mean) for each in (control, treatment)]
    width = 30 / math.sqrt(min(control.shape, treatment.shape))
    points = [
        middle + step / math.sqrt(max(control.shape, treatment.shape)) for middle in middles for step in (-2, 0, 2)
    ]

    def integral(function: "object") -> float:
        def on_log(log: float) -> float:
            return function(math.exp(log)) * math.exp(log)  # type: ignore[operator, no-any-return]

        low, high = min(middles) - 2 * width, min(max(middles) + width, 12.0)
        return float(integrate.quad(on_log, low, high, points=points, epsabs=1e-15, epsrel=1e-11, limit=2000)[0])

    ours = compare_rates(control, treatment)
    assert ours.p_better == pytest.approx(integral(lambda x: t.pdf(x) * c.cdf(x)), rel=1e-7)
    assert ours.loss_treatment == pytest.approx(integral(lambda x: t.cdf(x) * c.sf(x)), rel=1e-7)
    assert ours.loss_control == pytest.approx(integral(lambda x: c.cdf(x) * t.sf(x)), rel=1e-7)


@pytest.mark.parametrize(("control", "treatment"), [((3, 2), (5, 2)), ((12, 7), (9, 4)), ((1, 1), (40, 20))])
def test_p_better_is_the_finite_sum(control: tuple[int, int], treatment: tuple[int, int]) -> None:
    """Cook (2008), Numerical computation of stochastic inequality probabilities: a negative binomial tail."""
    (a, b), (c, d) = control, treatment
    expected = stats.nbinom.cdf(c - 1, a, b / (b + d))
    ours = compare_rates(Gamma(float(a), float(b)), Gamma(float(c), float(d)))
    assert ours.p_better == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("control", "treatment"), PAIRS, ids=str)
def test_ratio_interval_is_that_of_the_f_distribution(control: Gamma, treatment: Gamma) -> None:
    """The ratio of gammas is a scaled F: scipy.stats.f.ppf."""
    scale = treatment.mean / control.mean
    reference = stats.f(2 * treatment.shape, 2 * control.shape)
    ours = compare_rates(control, treatment, alpha=0.1)
    expected = tuple(scale * reference.ppf(p) for p in (0.05, 0.5, 0.95))
    assert (ours.ci_low, ours.ratio, ours.ci_high) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("posterior", [Gamma(0.5, 1.0), Gamma(20.5, 100.0), Gamma(1e8, 3.0)], ids=str)
def test_interval_is_that_of_scipy(posterior: Gamma) -> None:
    """scipy.stats.gamma.interval."""
    assert gamma_interval(posterior) == pytest.approx(
        stats.gamma(posterior.shape, scale=1 / posterior.rate).interval(0.95), rel=1e-9
    )


@settings(deadline=None, max_examples=25)
@given(RATES, RATES, st.sampled_from([1e-3, 60.0, 1e6]))
def test_swapping_flips_and_the_unit_of_exposure_does_not_matter(control: Gamma, treatment: Gamma, unit: float) -> None:
    one, other = compare_rates(control, treatment), compare_rates(treatment, control)
    assert one.p_better == pytest.approx(1 - other.p_better, abs=1e-12)
    assert one.loss_control == pytest.approx(other.loss_treatment, rel=1e-9)
    assert one.ci_low == pytest.approx(1 / other.ci_high, rel=1e-9)
    assert one.loss_control - one.loss_treatment == pytest.approx(one.effect, rel=1e-8, abs=1e-10 * control.mean)
    slow = compare_rates(Gamma(control.shape, control.rate * unit), Gamma(treatment.shape, treatment.rate * unit))
    assert slow.ratio == pytest.approx(one.ratio, rel=1e-9)
    assert slow.loss_control * unit == pytest.approx(one.loss_control, rel=1e-7)


def test_adds_events_and_exposure_to_the_prior() -> None:
    assert gamma_posterior(7, 30.0, prior_shape=2.0, prior_rate=10.0) == Gamma(9.0, 40.0)
    assert gamma_posterior(0, 30.0) == Gamma(0.5, 30.0)


def test_refuses_counts_that_are_none() -> None:
    with pytest.raises(InvalidInput, match="events = -1"):
        gamma_posterior(-1, 10.0)
    with pytest.raises(InvalidInput, match="exposure = 0 is outside"):
        gamma_posterior(1, 0)
    with pytest.raises(InvalidInput, match="prior_rate = -1"):
        gamma_posterior(1, 1.0, prior_rate=-1)
    with pytest.raises(InvalidInput, match="rate of the gamma distribution = 0"):
        compare_rates(Gamma(1.0, 0.0), Gamma(1.0, 1.0))
