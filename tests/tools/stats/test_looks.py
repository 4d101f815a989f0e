"""Statistics of looks on the scale of the boundaries, against scipy, and looks found in ordered data."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.looks import Look, checked_look, look_positions, t_from_z, z_from_t


@pytest.mark.parametrize("df", [1, 2.5, 18, 999, 1000, 1e6])
@pytest.mark.parametrize("t", [-40.0, -2.1, 0.0, 0.3, 5.0, 25.0, 34.0])
def test_the_deviate_has_the_p_value_of_the_t_statistic(t: float, df: float) -> None:
    """Reference: scipy.stats.norm.isf(scipy.stats.t.sf(t, df))."""
    expected = math.copysign(stats.norm.isf(stats.t.sf(abs(t), df)), t)
    if math.isfinite(expected):
        assert float(z_from_t(t, df)) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_expansion_meets_the_p_values_where_it_takes_over() -> None:
    """Reference: scipy's own p-values; every size of t of which they are not yet 0."""
    t, df = np.meshgrid(np.linspace(0.01, 30, 200), [1000.0, 1300.0, 5e3, 1e5])
    by_p = -special.ndtri(special.stdtr(df, -t))
    assert np.max(np.abs(z_from_t(t, df) / by_p - 1)[:, :60]) < 1e-13
    assert np.max(np.abs(z_from_t(t, df) / by_p - 1)) < 2e-11


def test_any_shapes_and_degrees_of_freedom_go_together() -> None:
    mixed = z_from_t([[1.0], [2.0]], [5.0, 5_000.0, math.inf])
    assert mixed.tolist() == [[float(z_from_t(t, df)) for df in (5.0, 5_000.0, math.inf)] for t in (1.0, 2.0)]
    assert np.isnan(z_from_t(math.nan, 5_000.0))


def test_deviates_beyond_the_smallest_p_value_stay_finite_and_ordered() -> None:
    """Reference: mpmath would give 49.99 at t = 50, df = 1e6 (Wallace's approximation, error below 1e-3)."""
    far = z_from_t([37.0, 50.0, 500.0], 1e6)
    assert np.isfinite(far).all() and (np.diff(far) > 0).all()
    assert float(far[1]) == pytest.approx(50 * (1 - 50**2 / 4e6), abs=2e-3)


def test_an_infinite_df_leaves_the_statistic_as_it_is() -> None:
    assert z_from_t([[-3.0, 0.0], [60.0, 1.5]], math.inf).tolist() == [[-3.0, 0.0], [60.0, 1.5]]


@settings(deadline=None, max_examples=50)
@given(z=st.floats(-9, 9), df=st.floats(1.5, 1e7))
def test_t_and_z_are_inverse_to_each_other(z: float, df: float) -> None:
    assert float(z_from_t(t_from_z(z, df), df)) == pytest.approx(z, abs=1e-8)
    assert t_from_z(math.inf, df) == math.inf


@settings(deadline=None, max_examples=60)
@given(steps=st.lists(st.floats(0, 0.2), min_size=1, max_size=40), grid_size=st.integers(1, 20), cut=st.integers(0, 40))
def test_a_longer_record_begins_with_the_looks_of_a_shorter_one(steps: list[float], grid_size: int, cut: int) -> None:
    information = list(np.cumsum(steps))
    grid = [(k + 1) / grid_size for k in range(grid_size)]
    whole = look_positions(information, grid)
    assert look_positions(information[:cut], grid) == tuple(p for p in whole if p < cut)


def test_a_unit_that_passes_several_points_is_one_look() -> None:
    assert look_positions([0.05, 0.4, 0.41, 1.2, 1.3], [0.1, 0.2, 0.3, 0.41, 0.6, 1.0]) == (1, 2, 3)


def test_information_that_falls_is_refused() -> None:
    with pytest.raises(InvalidInput, match="goes down"):
        look_positions([0.2, 0.1], [0.5, 1.0])


@pytest.mark.parametrize(("look", "named"), [
    (Look(0, 1, 1), "information"), (Look(0.5, math.nan, 1), "estimate"), (Look(0.5, 1, 0), "se"),
    (Look(0.5, 1, 1, 0), "df"), (Look(0.5, 1, 1, math.nan), "df"),
])  # fmt: skip
def test_a_look_without_a_statistic_is_refused(look: Look, named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        checked_look(look)
