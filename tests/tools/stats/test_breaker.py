"""The binomial e-process breaker against quadrature, exact expectations and simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate
from scipy.special import xlog1py, xlogy
from scipy.stats import beta, binom

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.breaker import breaker, log_e_rate, share_of_events


@pytest.mark.parametrize(
    ("x", "n", "limit"),
    [(0, 1, 0.5), (12, 100, 0.03), (3, 10, 0.1), (40, 1000, 0.03), (0, 200, 0.05), (70, 100, 0.6), (5, 5, 0.9)],
)
def test_log_e_is_the_integral_over_rates_above_the_limit(x: int, n: int, limit: float) -> None:
    """scipy.integrate.quad of the likelihood ratio over both scipy.stats.beta(1, b) priors, cut off below."""
    near, wide = beta(1, max(1.0, 1 / limit - 1)), beta(1, 1)
    reference = float(xlogy(x, limit) + xlog1py(n - x, -limit))

    def integrand(p: float) -> float:
        density = float(near.pdf(p) / near.sf(limit) + wide.pdf(p) / wide.sf(limit)) / 2
        return math.exp(float(xlogy(x, p) + xlog1py(n - x, -p)) - reference) * density

    mode = min(max(x / n, limit + 1e-6), 1 - 1e-9)
    total, _ = integrate.quad(integrand, limit, 1, points=[mode], limit=400)
    assert float(log_e_rate([x], [n], limit=limit)[0]) == pytest.approx(math.log(total), abs=1e-6)


@pytest.mark.parametrize(
    ("x", "n", "limit"), [(5, 30_000, 0.05), (100, 1_000_000, 0.001), (3_000_000, 100_000_000, 0.0301)]
)
def test_far_below_the_limit_the_log_stays_finite_and_is_the_integral(x: int, n: int, limit: float) -> None:
    """scipy.integrate.quad in units of the limit's distance; the upper beta tail itself is below 1e-280."""
    slope = (n - x) / (1 - limit) - x / limit

    def integrand(u: float) -> float:
        p = limit + u / slope
        shift = x * math.log(p / limit) + (n - x) * math.log((1 - p) / (1 - limit))
        # Densities of both priors over their upper tails; of the first, (1 / limit - 1) / (1 - limit) at the limit.
        near = math.exp((1 / limit - 2) * math.log((1 - p) / (1 - limit))) / limit
        return math.exp(shift) * (near + 1 / (1 - limit)) / 2

    total, _ = integrate.quad(integrand, 0, 60, epsabs=0, epsrel=1e-10, limit=200)
    expected = math.log(total / slope)
    assert float(log_e_rate([x], [n], limit=limit)[0]) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("n", [1, 5, 20])
def test_mean_of_the_e_value_is_one_at_the_limit_and_less_below(rate: float, n: int) -> None:
    """Exact: the sum over all outcomes of scipy.stats.binom times e."""
    x = np.arange(n + 1)
    e = np.exp([float(log_e_rate([k], [n], limit=0.2)[0]) for k in x.tolist()])
    mean = float(np.sum(binom.pmf(x, n, rate) * e))
    assert mean == pytest.approx(1, abs=1e-9) if rate == 0.2 else mean < 1


def test_false_trips_are_rarer_than_alpha_under_looking_after_every_unit() -> None:
    """Ville: 500 streams of 600 units exactly at the limit, seed 7, at most 5% + 3 SE."""
    rng = np.random.default_rng(7)
    x = np.cumsum(rng.random((500, 600)) < 0.05, axis=1)
    n = np.arange(1, 601)
    tripped = [breaker(row, n, limit=0.05, alpha=0.05).tripped for row in x]
    assert np.mean(tripped) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 500)


def test_a_rate_of_three_times_the_limit_always_trips_within_2000_units() -> None:
    """50 streams at 3% against a limit of 1%, alpha 1%, seed 8."""
    rng = np.random.default_rng(8)
    n = np.arange(1, 2001)
    trips = [breaker(np.cumsum(rng.random(2000) < 0.03), n, limit=0.01, alpha=0.01).first_trip for _ in range(50)]
    assert all(trip is not None for trip in trips)


def test_a_total_failure_trips_at_once() -> None:
    assert breaker([1, 2, 3, 4], [1, 2, 3, 4], limit=0.03, alpha=0.001).first_trip == 2


def test_once_tripped_it_stays_tripped() -> None:
    result = breaker([10, 10, 10], [10, 500, 5000], limit=0.05, alpha=0.01)
    assert (result.tripped, result.first_trip) == (True, 0)
    assert result.log_e < 0


def test_without_units_there_is_no_rate_and_no_evidence() -> None:
    result = breaker([0], [0], limit=0.05, alpha=0.01)
    assert (result.tripped, result.rate, result.p_value) == (False, None, 1.0)


@pytest.mark.parametrize(
    ("ratio", "share", "expected"), [(1, 0.5, 0.5), (3, 0.5, 0.75), (2, 0.2, 1 / 3), (1, 0.01, 0.01)]
)
def test_share_of_events_follows_from_the_rates(ratio: float, share: float, expected: float) -> None:
    """Poisson counts with means share x ratio and 1 - share are binomial given their sum (Lindon & Malek 2022)."""
    assert share_of_events(ratio, share=share) == pytest.approx(expected)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 3000), st.floats(0.001, 0.9), st.data())
def test_one_more_event_is_more_evidence_and_a_higher_limit_less(n: int, limit: float, data: st.DataObject) -> None:
    x = data.draw(st.integers(0, n - 1))
    at = float(log_e_rate([x], [n], limit=limit)[0])
    assert float(log_e_rate([x + 1], [n], limit=limit)[0]) > at
    if at > 0:
        assert float(log_e_rate([x], [n], limit=limit * 1.05)[0]) < at


@pytest.mark.parametrize(
    ("events", "n", "message"),
    [
        ([5], [4], "events = 5 exceed n = 4"),
        ([-1], [4], "events = -1 is negative"),
        ([0.5], [4], r"events = 0\.5 is negative or fractional"),
        ([math.nan], [4], "events has 1 NaN"),
        ([1, 2], [4], "2 events do not fit 1 n"),
        ([], [], "0 events do not fit"),
        ([2, 1], [4, 5], "events fall from one look"),
        ([2, 3], [4, 4], "units without an event fall from one look"),
    ],
)
def test_counts_that_cannot_be_are_refused(events: list[float], n: list[float], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        breaker(events, n, limit=0.05, alpha=0.01)


@pytest.mark.parametrize(("limit", "alpha"), [(0, 0.1), (1, 0.1), (0.1, 0), (0.1, 1), (math.nan, 0.1)])
def test_limit_and_alpha_outside_their_range_are_refused(limit: float, alpha: float) -> None:
    with pytest.raises(InvalidInput):
        breaker([1], [4], limit=limit, alpha=alpha)
