"""Assurance and expected loss against quadrature, simulation and limits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.assurance import assurance, expected_loss, n_for_assurance, n_for_expected_loss
from experiment_tracker_tools.stats.bayes_normal import Normal


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize(("mean", "tau", "n"), [(0.5, 0.2, 64), (0.1, 0.3, 20), (-0.2, 0.4, 100), (0.0, 1.0, 5)])
def test_assurance_is_power_averaged_over_the_prior(mean: float, tau: float, n: int, sides: int) -> None:
    """Reference: scipy.integrate.quad of the z test's power over the prior density."""
    se, z = math.sqrt(2 / n), stats.norm.isf(0.05 / sides)
    expected = integrate.quad(lambda d: stats.norm.pdf(d, mean, tau) * stats.norm.cdf(d / se - z), -12, 12, limit=400)[
        0
    ]
    found = assurance(Normal(mean, tau), n_control=n, n_treatment=n, sides=sides)  # type: ignore[arg-type]
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_certain_prior_makes_assurance_power() -> None:
    """Reference: scipy.stats.norm."""
    found = assurance(Normal(0.4, 1e-9), n_control=80, n_treatment=120)
    assert found == pytest.approx(stats.norm.cdf(0.4 / math.sqrt(1 / 80 + 1 / 120) - stats.norm.isf(0.025)), rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(mean=st.floats(0.05, 1), tau=st.floats(0.05, 0.5), wanted=st.floats(0.2, 0.95), ratio=st.floats(0.2, 4))
def test_n_reaches_the_assurance_or_none_can(mean: float, tau: float, wanted: float, ratio: float) -> None:
    size = n_for_assurance(Normal(mean, tau), assurance=wanted, allocation=ratio)
    if size is None:
        assert stats.norm.cdf(mean / tau) <= wanted
    else:
        assert size.power >= wanted - 1e-9
        if size.n_control > 1 and (size.n_control - 1) * ratio >= 1:
            fewer = assurance(Normal(mean, tau), n_control=size.n_control - 1, n_treatment=(size.n_control - 1) * ratio)
            assert fewer < wanted + 1e-9


@pytest.mark.parametrize(("mean", "tau", "n"), [(0.0, 0.2, 100), (0.1, 0.2, 50), (-0.3, 0.5, 10)])
def test_expected_loss_and_right_choices_agree_with_simulated_choices(mean: float, tau: float, n: int) -> None:
    """Reference: simulation, 400,000 effects drawn from the prior, the better posterior mean chosen."""
    rng = np.random.default_rng(1)
    effect, se = rng.normal(mean, tau, 400_000), math.sqrt(2 / n)
    estimate = effect + rng.normal(0, se, 400_000)
    chosen = estimate / se**2 + mean / tau**2 > 0
    loss = np.maximum(effect, 0) - np.where(chosen, effect, 0)
    found = expected_loss(Normal(mean, tau), n_control=n, n_treatment=n)
    assert found == pytest.approx(loss.mean(), abs=5 * loss.std() / math.sqrt(400_000))
    size = n_for_expected_loss(Normal(mean, tau), loss=found)
    assert abs(size.n_control - n) <= 1
    assert size.power == pytest.approx((chosen == (effect > 0)).mean(), abs=0.005)


def test_a_loss_that_is_tolerated_anyway_needs_one_unit() -> None:
    assert n_for_expected_loss(Normal(0.0, 0.1), loss=1.0)[:2] == (1, 1)


@pytest.mark.parametrize(("call", "named"), [
    (lambda: assurance(Normal(0.1, 0), n_control=9, n_treatment=9), "prior sd"),
    (lambda: assurance(Normal(math.nan, 1), n_control=9, n_treatment=9), "prior mean"),
    (lambda: assurance(Normal(0, 1), n_control=0, n_treatment=9), "n_control"),
    (lambda: n_for_assurance(Normal(0, 1), assurance=1), "assurance"),
    (lambda: n_for_expected_loss(Normal(0, 1), loss=0), "loss"),
])  # fmt: skip
def test_impossible_beliefs_are_refused(call, named: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput, match=named):
        call()
