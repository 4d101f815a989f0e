"""Sequential SRM against gbstats' published figures, the posterior predictive, quadrature and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import xlogy
from scipy.stats import beta

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.evalues import always_valid_p_values
from experiment_tracker_tools.stats.sequential_srm import log_e_counts, sequential_srm

# Figures of gbstats ssrm.sequential_p_values, pinned in growthbook back-end/test/ssrm.test.ts.
GBSTATS = "gbstats ssrm"


@pytest.mark.parametrize(
    ("daily", "shares", "concentration", "p_value"),
    [
        pytest.param([[800, 200]], [0.5, 0.5], 1e4, 8.126155715401769e-08, id=f"{GBSTATS}: 800 v 200"),
        pytest.param([[800, 200]], [0.5, 0.5], 100, 2.253273013435552e-75, id=f"{GBSTATS}: concentration 100"),
        pytest.param([[500, 500], [600, 400]], [0.5, 0.5], 1e4, 0.20685901461423034, id=f"{GBSTATS}: two days"),
        pytest.param(
            [[500, 500], [600, 400], [700, 300]], [0.5, 0.5], 1e4, 1.099173293697608e-06, id=f"{GBSTATS}: three days"
        ),
        pytest.param(
            [[500, 500], [600, 400], [700, 300], [800, 200]],
            [0.5, 0.5],
            1e4,
            5.115536116778213e-23,
            id=f"{GBSTATS}: four days",
        ),
        pytest.param(
            [[500, 500], [0, 0], [600, 400]], [0.5, 0.5], 1e4, 0.20685901461423034, id=f"{GBSTATS}: empty day"
        ),
        pytest.param(
            [[600, 200, 200]], [0.34, 0.33, 0.33], 1e4, 1.4343631225400445e-06, id=f"{GBSTATS}: three variants"
        ),
        pytest.param([[400, 200, 400], [400, 200, 400]], [0.4, 0.2, 0.4], 1e4, 1.0, id=f"{GBSTATS}: as planned"),
    ],
)
def test_p_value_is_that_of_gbstats(
    daily: list[list[int]], shares: list[float], concentration: float, p_value: float
) -> None:
    path = log_e_counts(np.cumsum(daily, axis=0), shares=shares, concentrations=[concentration])
    assert always_valid_p_values(path.tolist())[-1] == pytest.approx(p_value, rel=1e-7)


@pytest.mark.parametrize(("x", "share", "k"), [([30, 10], 0.5, 100.0), ([3, 40], 0.1, 10.0), ([700, 600], 0.5, 1000.0)])
def test_two_variants_are_the_integral_over_a_beta_prior(x: list[int], share: float, k: float) -> None:
    """scipy.integrate.quad of the binomial likelihood ratio over Beta(k share, k (1 - share))."""
    reference = float(xlogy(x[0], share) + xlogy(x[1], 1 - share))

    def integrand(p: float) -> float:
        return float(
            math.exp(xlogy(x[0], p) + xlogy(x[1], 1 - p) - reference) * beta.pdf(p, k * share, k * (1 - share))
        )

    expected, _ = integrate.quad(integrand, 0, 1, points=[share, x[0] / sum(x)], limit=400)
    ours = log_e_counts([x], shares=[share, 1 - share], concentrations=[k])
    assert float(ours[0]) == pytest.approx(math.log(expected), abs=1e-6)


def test_evidence_is_the_product_of_posterior_predictions() -> None:
    """Lindon & Malek (2022): unit after unit, the share under the posterior over the planned share."""
    units = np.random.default_rng(3).integers(0, 3, size=50)
    theta, k = np.array([0.2, 0.3, 0.5]), 20.0
    counts, log_e = np.zeros(3), 0.0
    for unit in units:
        log_e += math.log((k * theta[unit] + counts[unit]) / (k + counts.sum()) / theta[unit])
        counts[unit] += 1
    ours = log_e_counts([counts], shares=theta.tolist(), concentrations=[k])
    assert float(ours[0]) == pytest.approx(log_e, abs=1e-10)


def test_the_default_averages_the_evidence_over_its_concentrations() -> None:
    each = [float(log_e_counts([[60, 40]], shares=[0.5, 0.5], concentrations=[k])[0]) for k in (10, 100, 1000)]
    ours = float(log_e_counts([[60, 40]], shares=[0.5, 0.5])[0])
    assert ours == pytest.approx(math.log(np.mean(np.exp(each))), abs=1e-10)


@pytest.mark.parametrize(
    ("counts", "verdict"), [([520, 480], "ok"), ([567, 433], "warn"), ([600, 400], "halt"), ([40, 0], "halt")]
)
def test_verdict_follows_the_e_value(counts: list[int], verdict: str) -> None:
    """HALT at e >= 1000 (STATISTICS.md), WARN at e >= 100."""
    result = sequential_srm([counts], shares=[0.5, 0.5])
    assert result.verdict == verdict
    assert result.log_e == pytest.approx(float(log_e_counts([counts], shares=[0.5, 0.5])[0]))


def test_a_halt_stays_a_halt_when_later_counts_look_sound() -> None:
    result = sequential_srm([[200, 200], [600, 400], [5000, 5000]], shares=[0.5, 0.5])
    assert (result.verdict, result.first_halt) == ("halt", 1)
    assert result.log_e < math.log(100) < result.highest_log_e


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.01, 0.99], [0.2, 0.3, 0.5]])
def test_sound_experiments_are_hardly_ever_halted(shares: list[float]) -> None:
    """Ville: 2,000 experiments of 28 days at 500 units a day, seed 6; P(e >= 1000) <= 0.001, 3 SE allowed."""
    rng = np.random.default_rng(6)
    days = rng.multinomial(500, shares, size=(2000, 28)).cumsum(axis=1)
    halted = [sequential_srm(counts, shares=shares).verdict == "halt" for counts in days]
    assert np.mean(halted) <= 0.001 + 3 * math.sqrt(0.001 / 2000)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 5000), min_size=3, max_size=3), st.permutations([0, 1, 2]))
def test_the_order_of_the_variants_does_not_matter(counts: list[int], order: list[int]) -> None:
    shares = [0.2, 0.3, 0.5]
    ours = log_e_counts([counts], shares=shares)
    moved = log_e_counts([[counts[i] for i in order]], shares=[shares[i] for i in order])
    assert float(moved[0]) == pytest.approx(float(ours[0]), abs=1e-7)


@settings(deadline=None, max_examples=60)
@given(st.integers(50, 5000), st.integers(0, 24), st.integers(1, 25))
def test_a_larger_imbalance_is_more_evidence(n: int, step: int, more: int) -> None:
    def at(x: int) -> float:
        return float(log_e_counts([[n + x, n - x]], shares=[0.5, 0.5])[0])

    assert at(step + more) > at(step)


def test_a_hundred_million_units_are_no_trouble() -> None:
    assert sequential_srm([[50_005_000, 49_995_000]], shares=[0.5, 0.5]).verdict == "ok"
    assert sequential_srm([[50_050_000, 49_950_000]], shares=[0.5, 0.5]).verdict == "halt"


@pytest.mark.parametrize(
    ("counts", "shares", "message"),
    [
        ([[1, 2, 3]], [0.5, 0.5], "do not fit 2 shares"),
        ([1, 2], [0.5, 0.5], "do not fit 2 shares"),
        ([[-1, 2]], [0.5, 0.5], "counts = -1 is negative"),
        ([[1.5, 2]], [0.5, 0.5], r"counts = 1\.5 is negative or fractional"),
        ([[math.nan, 2]], [0.5, 0.5], "counts has 1 NaN"),
        ([[5, 5], [4, 6]], [0.5, 0.5], "fall from one look"),
        ([[1, 2]], [0.5, 0.6], "add up to 1.1"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts: list[list[float]], shares: list[float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        sequential_srm(counts, shares=shares)


def test_concentrations_must_be_positive_and_present() -> None:
    for concentrations in ([], [0.0], [-1.0]):
        with pytest.raises(InvalidInput):
            log_e_counts([[1, 2]], shares=[0.5, 0.5], concentrations=concentrations)
