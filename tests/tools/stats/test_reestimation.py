"""Looking ahead and re-estimated sizes: against rpact, closed forms and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bayes_normal import Normal
from experiment_tracker_tools.stats.boundaries import Boundary, boundaries
from experiment_tracker_tools.stats.looks import z_from_t
from experiment_tracker_tools.stats.power_means import n_per_variant
from experiment_tracker_tools.stats.reestimation import (
    blinded_n,
    conditional_power,
    inverse_normal,
    predictive_power,
    promising_zone,
)
from experiment_tracker_tools.stats.samples import moments, moments_from_sd

BINDING = Boundary(
    (0.25, 0.5, 0.75, 1.0),
    (2.4958484701586094, 2.3287089645346515, 2.23617655131923, 2.172762291598347),
    (0.5244, 0.5244, 0.5244, -math.inf),
    (0.0,) * 4,
)


@pytest.mark.parametrize(("look", "drift", "expected"), [
    (0, 0.0, 0.11438278), (1, 0.0, 0.24787613), (2, 0.0, 0.68016764), (2, -0.03 * math.sqrt(130) * 2, 0.55017955),
])  # fmt: skip
def test_conditional_power_agrees_with_rpact(look: int, drift: float, expected: float) -> None:
    """Reference: rpact's tests (test-f_analysis_base_means.R, result1): conditional rejection probabilities and power.

    Wang-Tsiatis 0.4 at 2.5% with binding futility at 0.5244, three stages seen, 130 more units planned.
    """
    n, means, sds = [120, 130, 130][: look + 1], [45.0, 41.0, 45.0], [130.0, 140.0, 120.0]
    total = sum(n)
    mean = sum(k * m for k, m in zip(n, means, strict=False)) / total
    m2 = sum((k - 1) * s * s + k * (m - mean) ** 2 for k, m, s in zip(n, means, sds, strict=False))
    z = float(z_from_t((mean - 25) / math.sqrt(m2 / (total - 1) / total), total - 1))
    assert conditional_power(z, boundary=BINDING, look=look, drift=drift) == pytest.approx(expected, abs=1e-7)


@settings(deadline=None, max_examples=20)
@given(z=st.floats(-3, 4), time=st.floats(0.05, 0.95), drift=st.floats(-4, 6))
def test_with_one_look_to_come_conditional_and_predictive_power_have_closed_forms(
    z: float, time: float, drift: float
) -> None:
    """Reference: Lan & Wittes (1988); Spiegelhalter et al. (1986) with a flat prior; by scipy.stats.norm."""
    boundary = boundaries([time, 1.0])
    c, left = boundary.upper[1], math.sqrt(1 - time)
    known = stats.norm.cdf((z * math.sqrt(time) + drift * (1 - time) - c) / left)
    assert conditional_power(z, boundary=boundary, look=0, drift=drift) == pytest.approx(known, abs=1e-10)
    trend = conditional_power(z, boundary=boundary, look=0, drift=z / math.sqrt(time))
    assert conditional_power(z, boundary=boundary, look=0) == trend
    predicted = stats.norm.cdf((z - c * math.sqrt(time)) / left)
    assert predictive_power(z, boundary=boundary, look=0) == pytest.approx(predicted, abs=1e-9)


def test_predictive_power_with_a_prior_agrees_with_quadrature() -> None:
    """Reference: scipy.integrate.quad of conditional power over the posterior, three looks to come."""
    boundary, z, prior = boundaries([0.25, 0.5, 0.75, 1.0]), 1.1, Normal(2.0, 1.5)
    precision = 0.25 + 1 / 1.5**2
    mean, sd = (z * 0.5 + 2.0 / 1.5**2) / precision, 1 / math.sqrt(precision)
    expected = integrate.quad(
        lambda d: stats.norm.pdf(d, mean, sd) * conditional_power(z, boundary=boundary, look=0, drift=d),
        mean - 7 * sd,
        mean + 7 * sd,
    )[0]
    assert predictive_power(z, boundary=boundary, look=0, prior=prior) == pytest.approx(expected, abs=1e-7)


def test_conditional_power_agrees_with_simulated_futures() -> None:
    """Reference: simulation of 100,000 futures, 4 Monte Carlo errors."""
    boundary = boundaries([0.25, 0.5, 0.75, 1.0])
    rng = np.random.default_rng(1)
    score = 1.2 * 0.5 + np.cumsum(rng.normal(2.5 * 0.25, 0.5, (100_000, 3)), axis=1)
    z = score / np.sqrt([0.5, 0.75, 1.0])
    out = np.c_[(z >= boundary.upper[1:]), np.ones(len(z), bool)].argmax(axis=1)
    down = np.c_[(z <= boundary.lower[1:]), np.ones(len(z), bool)].argmax(axis=1)
    expected = ((out < 3) & (out < down)).mean()
    found = conditional_power(1.2, boundary=boundary, look=0, drift=2.5)
    assert found == pytest.approx(expected, abs=4 * 0.5 / math.sqrt(100_000))


@settings(deadline=None, max_examples=40)
@given(z=st.floats(-1, 3), time=st.floats(0.2, 0.8), at_most=st.floats(1, 4))
def test_only_a_promising_experiment_is_made_larger(z: float, time: float, at_most: float) -> None:
    found = promising_zone(z, time=time, critical=1.97, at_most=at_most)
    assert 1 <= found.information <= at_most
    assert found.reached >= found.conditional_power - 1e-12
    if found.zone == "promising":
        assert 0.5 <= found.conditional_power < 0.8
        assert found.reached == pytest.approx(0.8, abs=1e-9) or found.information == at_most
    else:
        assert found.information == 1


def test_the_promising_zone_keeps_the_error_rate_with_planned_weights_only() -> None:
    """Reference: simulation of 200,000 experiments without effect, 4 Monte Carlo errors."""
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=200_000), rng.normal(size=200_000)
    larger = np.array([promising_zone(z, time=0.5, critical=1.959964, at_most=4).information for z in first[:20_000]])
    assert (larger > 1).any()
    combined = (math.sqrt(0.5) * first + math.sqrt(0.5) * second) >= 1.959964
    assert inverse_normal([first[0], second[0]], times=[0.5, 1.0])[1] == pytest.approx(
        math.sqrt(0.5) * (first[0] + second[0])
    )
    assert combined.mean() == pytest.approx(0.025, abs=4 * math.sqrt(0.025 * 0.975 / 200_000))


def test_stages_as_planned_combine_to_the_plain_statistic() -> None:
    """Reference: the z statistic of all data together."""
    rng = np.random.default_rng(3)
    data = rng.normal(0.1, 1, 100)
    stages = [data[a:b].mean() * math.sqrt(b - a) for a, b in ((0, 20), (20, 65), (65, 100))]
    found = inverse_normal(stages, times=[0.2, 0.65, 1.0])
    assert found == pytest.approx([data[:b].mean() * math.sqrt(b) for b in (20, 65, 100)], rel=1e-12)


def test_the_blinded_size_is_that_of_the_pooled_variance_within_its_limits() -> None:
    """Reference: Kieser & Friede (2003), the unadjusted one-sample variance; n by `n_per_variant`."""
    rng = np.random.default_rng(4)
    pooled = moments(np.concatenate([rng.normal(0, 2, 40), rng.normal(0.8, 2, 40)]))
    needed = n_per_variant(0.8, sd=pooled.sd or math.nan).n_control
    assert blinded_n(pooled, 0.8, planned=10, at_most=1000).n_control == needed
    assert blinded_n(pooled, 0.8, planned=needed + 5, at_most=1000).n_control == needed + 5
    capped = blinded_n(pooled, 0.8, planned=10, at_most=needed - 9, allocation=0.5)
    assert capped.n_control == needed - 9
    assert capped.power < 0.8


def test_blinded_re_estimation_keeps_the_error_rate() -> None:
    """Reference: simulation, 1,500 experiments without effect, n re-estimated at 20 a variant; 4 Monte Carlo errors."""
    rng = np.random.default_rng(5)
    control, treatment = rng.normal(0, 1.5, (1500, 200)), rng.normal(0, 1.5, (1500, 200))
    rejected = 0
    for x, y in zip(control, treatment, strict=True):
        n = blinded_n(moments(np.r_[x[:20], y[:20]]), 0.8, planned=30, at_most=200).n_control
        rejected += stats.ttest_ind(x[:n], y[:n]).pvalue < 0.05
    assert rejected / 1500 == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 1500))


@pytest.mark.parametrize(("call", "named"), [
    (lambda: conditional_power(1, boundary=boundaries([0.5, 1]), look=1), "look"),
    (lambda: conditional_power(math.nan, boundary=boundaries([0.5, 1]), look=0), "z"),
    (lambda: promising_zone(1, time=1, critical=2, at_most=2), "time"),
    (lambda: promising_zone(1, time=0.5, critical=2, at_most=0.5), "at_most"),
    (lambda: inverse_normal([1, 2], times=[0.5]), "stages"),
    (lambda: inverse_normal([1, 2], times=[0.5, 0.4]), "time"),
    (lambda: blinded_n(moments_from_sd(9, 1, 0), 0.5, planned=9, at_most=20), "variance"),
    (lambda: blinded_n(moments_from_sd(9, 1, 1), 0.5, planned=30, at_most=20), "at_most"),
])  # fmt: skip
def test_impossible_interim_data_are_refused(call, named: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInput, match=named):
        call()
