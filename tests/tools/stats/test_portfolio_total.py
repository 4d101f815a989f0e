"""The total of picked experiments against numerical integration, and against the truth in simulated portfolios."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.portfolio_total import shrunk_total

SCHOOLS, SES = [28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0], [15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]


def conditional(tau: float, weights: NDArray[np.float64]) -> tuple[float, float]:
    """Marginal density of the estimates given tau (but for a factor), and the total's mean given tau, by matrices."""
    v, y = np.square(SES), np.array(SCHOOLS)
    covariance = np.diag(v + tau**2)
    inverse, ones = np.linalg.inv(covariance), np.ones(len(y))
    of_mean = 1 / (ones @ inverse @ ones)
    mean = of_mean * (ones @ inverse @ y)
    density = np.sqrt(of_mean / np.linalg.det(covariance)) * np.exp(-(y - mean) @ inverse @ (y - mean) / 2)
    return float(density), float(weights @ (mean + tau**2 * inverse @ (y - mean)))


def test_is_the_posterior_mean_by_integration_over_tau() -> None:
    """Gelman et al. (2013), equations 5.17 and 5.21, integrated by scipy with matrices, not on a grid."""
    weights = np.array([1.0, 0, 0, 0, 0, 0, 2.0, 0])

    def at(tau: float, *, power: int) -> float:
        density, total = conditional(tau, weights)
        return density * total**power

    top = 4 * float(np.std(SCHOOLS, ddof=1))
    mass = integrate.quad(lambda tau: at(tau, power=0), 0, top)[0]
    wanted = integrate.quad(lambda tau: at(tau, power=1), 0, top)[0] / mass
    found = shrunk_total(SCHOOLS, SES, weights)
    assert found.shrunk == pytest.approx(wanted, rel=2e-3)
    assert found.naive == 64.0


def test_takes_the_luck_of_the_winners_out_and_its_interval_holds() -> None:
    """300 portfolios of 12, true effects of sd 0.2: winners are summed; the naive sum is above the truth."""
    draw = np.random.default_rng(7)
    naive, shrunk, held = list[float](), list[float](), list[bool]()
    for _ in range(300):
        truth, ses = draw.normal(0, 0.2, 12), draw.uniform(0.05, 0.2, 12)
        seen = truth + draw.normal(0, 1, 12) * ses
        picked = (seen > 1.96 * ses).astype(float)
        found, true = shrunk_total(seen, ses, picked), float(picked @ truth)
        naive.append(found.naive - true)
        shrunk.append(found.shrunk - true)
        held.append(found.ci_low - 1e-12 <= true <= found.ci_high + 1e-12)
    assert np.mean(naive) > 0.1
    assert abs(np.mean(shrunk)) < 0.3 * np.mean(naive)
    assert np.mean(held) > 0.92


def test_twice_the_weights_are_twice_the_total_and_no_weight_is_none() -> None:
    once, twice = shrunk_total(SCHOOLS, SES, [1.0] * 8), shrunk_total(SCHOOLS, SES, [2.0] * 8)
    assert (twice.shrunk, twice.ci_high) == pytest.approx((2 * once.shrunk, 2 * once.ci_high))
    assert shrunk_total(SCHOOLS, SES, [0.0] * 8) == (0, 0, 0, 0)


def test_equal_estimates_stay_what_they_are() -> None:
    assert shrunk_total([3.0] * 6, [1.0] * 6, [1.0, 0, 0, 0, 0, 0]).shrunk == pytest.approx(3.0)


@pytest.mark.parametrize(("estimates", "weights"), [([1.0, 2.0], [1.0, 1.0]), ([1.0, 2.0, 3.0], [1.0, 1.0])])
def test_too_few_estimates_and_weights_of_another_number_are_refused(
    estimates: list[float], weights: list[float]
) -> None:
    with pytest.raises(InvalidInput, match="three or more, and a weight for each"):
        shrunk_total(estimates, [1.0] * len(estimates), weights)
