"""Operating characteristics: quadrature against rpact and simulation, simulation against quadrature."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.monitor import Plan, even_grid
from experiment_tracker_tools.stats.operating import (
    characteristics,
    drift_for_power,
    simulate_means,
    simulate_proportions,
)
from experiment_tracker_tools.stats.spending import Spending


def test_stopping_probabilities_agree_with_rpact() -> None:
    """Reference: rpact's tests (test-f_design_group_sequential.R, y1): rejectionProbabilities at shift 9.4594101."""
    boundary = boundaries([0.2, 0.4, 1], alpha=0.03, sides=1, spending=Spending("hwang_shih_decani", 0))
    found = characteristics(boundary, drift=math.sqrt(9.4594101))
    assert found.stops[:2] == pytest.approx((0.12783451, 0.21271713), abs=1e-7)
    assert found.above == pytest.approx(0.86, abs=1e-7)
    assert drift_for_power(boundary, power=0.86) ** 2 == pytest.approx(9.4594101, rel=1e-7)


def test_a_single_look_is_the_z_test() -> None:
    """Reference: scipy.stats.norm."""
    found = characteristics(boundaries([1.0]), drift=1.7)
    assert found.above == pytest.approx(stats.norm.sf(1.959964 - 1.7), abs=1e-6)
    assert found.below == pytest.approx(stats.norm.cdf(-1.959964 - 1.7), abs=1e-6)
    assert (found.stops, found.expected_information) == ((1.0,), 1.0)


@settings(deadline=None, max_examples=25)
@given(drift=st.floats(-5, 5), looks=st.integers(1, 10))
def test_the_sides_change_places_with_the_sign(drift: float, looks: int) -> None:
    one, other = (characteristics(boundaries(even_grid(looks)), drift=sign * drift) for sign in (1, -1))
    assert (one.above, one.below) == pytest.approx((other.below, other.above), abs=1e-12)
    assert sum(one.stops) == pytest.approx(1)
    assert one.expected_information == pytest.approx(other.expected_information, rel=1e-12)


@pytest.mark.parametrize(("n", "effect"), [(200, 0.0), (200, 0.28), (1000, -0.15)])
def test_simulated_means_behave_as_the_quadrature_says(n: int, effect: float) -> None:
    """Reference: `characteristics`, exact for large n; 4 Monte Carlo errors and 0.4 points for the t."""
    found = simulate_means(effect, n_control=n, n_treatment=n, grid=even_grid(20), plan=Plan(), seed=1)
    exact = characteristics(boundaries(even_grid(20)), drift=effect * math.sqrt(n / 2))
    assert found.above == pytest.approx(exact.above, abs=4 * max(found.error, 0.001) + 0.004)
    assert found.below == pytest.approx(exact.below, abs=4 * 0.005 + 0.004)
    assert found.expected_information == pytest.approx(
        exact.expected_information, abs=4 * found.information_error + 0.01
    )


def test_simulated_stages_are_real_welch_tests() -> None:
    """Reference: scipy.stats.ttest_ind(equal_var=False) on rows, at one look, unequal SDs and sizes."""
    rng = np.random.default_rng(2)
    p_values = stats.ttest_ind(
        rng.normal(0.9, 2, (20_000, 12)), rng.normal(0, 1, (20_000, 25)), axis=1, equal_var=False
    ).pvalue
    found = simulate_means(
        0.9, n_control=25, n_treatment=12, grid=[1.0], plan=Plan(), sd=1, sd_treatment=2, experiments=20_000
    )
    assert found.above + found.below == pytest.approx((p_values < 0.05).mean(), abs=4 * math.sqrt(2 * 0.25 / 20_000))


@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.1, 0.15), (0.5, 0.44)])
def test_simulated_proportions_behave_as_the_quadrature_says(rates: tuple[float, float]) -> None:
    """Reference: `characteristics` with the unpooled standard error; 4 Monte Carlo errors and 1 point."""
    n, (p, q) = 1000, rates
    found = simulate_proportions(p, q, n_control=n, n_treatment=n, grid=even_grid(10), plan=Plan(), seed=3)
    drift = (q - p) / math.sqrt((p * (1 - p) + q * (1 - q)) / n)
    exact = characteristics(boundaries(even_grid(10)), drift=drift)
    assert found.above == pytest.approx(exact.above, abs=4 * max(found.error, 0.001) + 0.01)
    assert found.below == pytest.approx(exact.below, abs=4 * 0.005 + 0.01)


def test_experiments_without_any_event_never_stop() -> None:
    found = simulate_proportions(0, 0, n_control=20, n_treatment=20, grid=even_grid(4), plan=Plan(), experiments=50)
    assert (found.above, found.below, found.expected_information) == (0, 0, 1)


def test_the_same_seed_gives_the_same_experiments() -> None:
    runs = [
        simulate_means(0.3, n_control=9, n_treatment=9, grid=even_grid(20), plan=Plan(), experiments=99, seed=seed)
        for seed in (4, 4, 5)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_impossible_simulations_are_refused() -> None:
    with pytest.raises(InvalidInput, match="control"):
        simulate_proportions(1.2, 0.1, n_control=9, n_treatment=9, grid=[1.0], plan=Plan())
    with pytest.raises(InvalidInput, match="n_control"):
        simulate_means(0, n_control=1, n_treatment=9, grid=[1.0], plan=Plan())
    with pytest.raises(InvalidInput, match="experiments"):
        simulate_means(0, n_control=9, n_treatment=9, grid=[1.0], plan=Plan(), experiments=0)
    with pytest.raises(InvalidInput, match="power"):
        drift_for_power(boundaries([1.0]), power=0.01)
    with pytest.raises(InvalidInput, match="drift"):
        characteristics(boundaries([1.0]), drift=math.inf)
