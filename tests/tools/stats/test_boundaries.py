"""Boundaries against the tables of Jennison & Turnbull, rpact and published Lan-DeMets values."""

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import boundaries, classical
from experiment_tracker_tools.stats.checks import Sides
from experiment_tracker_tools.stats.recursion import crossing
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, POCOCK, Spending

LOOKS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20)
POCOCK_CONSTANTS = {
    0.01: (2.576, 2.772, 2.873, 2.939, 2.986, 3.023, 3.053, 3.078, 3.099, 3.117, 3.225),
    0.05: (1.960, 2.178, 2.289, 2.361, 2.413, 2.453, 2.485, 2.512, 2.535, 2.555, 2.672),
    0.10: (1.645, 1.875, 1.992, 2.067, 2.122, 2.164, 2.197, 2.225, 2.249, 2.270, 2.392),
}
OBRIEN_FLEMING_CONSTANTS = {
    0.01: (2.576, 2.580, 2.595, 2.609, 2.621, 2.631, 2.640, 2.648, 2.654, 2.660, 2.695),
    0.05: (1.960, 1.977, 2.004, 2.024, 2.040, 2.053, 2.063, 2.072, 2.080, 2.087, 2.126),
    0.10: (1.645, 1.678, 1.710, 1.733, 1.751, 1.765, 1.776, 1.786, 1.794, 1.801, 1.842),
}


def evenly(looks: int) -> list[float]:
    return [(look + 1) / looks for look in range(looks)]


@pytest.mark.parametrize(("shape", "table"), [(0.5, POCOCK_CONSTANTS), (0.0, OBRIEN_FLEMING_CONSTANTS)])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.10])
@pytest.mark.parametrize("looks", LOOKS)
def test_classical_constants_are_those_of_jennison_and_turnbull(
    looks: int, alpha: float, shape: float, table: dict[float, tuple[float, ...]]
) -> None:
    """Reference: Jennison & Turnbull (2000), tables 2.1 (Pocock) and 2.3 (O'Brien & Fleming), power does not matter."""
    found = classical(evenly(looks), alpha=alpha, shape=shape).upper[-1]
    assert found == pytest.approx(table[alpha][LOOKS.index(looks)], abs=6e-4)


@pytest.mark.parametrize(("times", "alpha", "sides", "spending", "expected"), [
    ([0.5, 1], 0.05, 2, OBRIEN_FLEMING, (2.9626, 1.9686)),
    ([1 / 3, 2 / 3, 1], 0.05, 2, OBRIEN_FLEMING, (3.7103, 2.5114, 1.9930)),
    ([0.25, 0.5, 0.75, 1], 0.05, 2, OBRIEN_FLEMING, (4.3326, 2.9631, 2.3590, 2.0141)),
    ([0.2, 0.4, 0.6, 0.8, 1], 0.05, 2, OBRIEN_FLEMING, (4.8769, 3.3570, 2.6803, 2.2898, 2.0310)),
    ([0.2, 0.4, 0.6, 0.8, 1], 0.05, 2, POCOCK, (2.4380, 2.4268, 2.4102, 2.3966, 2.3860)),
    ([0.25, 0.5], 0.05, 1, OBRIEN_FLEMING, (3.74955, 2.53993)),
])  # fmt: skip
def test_spending_boundaries_agree_with_published_lan_demets_values(
    times: list[float], alpha: float, sides: Sides, spending: Spending, expected: tuple[float, ...]
) -> None:
    """References: Lan & DeMets boundaries as ldbounds, gsDesign, rpact and (the last) SeqBounds.jl print them."""
    assert boundaries(times, alpha=alpha, sides=sides, spending=spending).upper == pytest.approx(expected, abs=6e-5)


@pytest.mark.parametrize(("times", "alpha", "spending", "expected"), [
    ([0.2, 0.4, 1], 0.03, Spending("hwang_shih_decani", 0), (2.5121443, 2.4228747, 2.0280392)),
    ([0.2, 0.4, 1], 0.07, Spending("hwang_shih_decani", -1), (2.364813, 2.1928805, 1.5660474)),
    ([0.3, 0.7, 1], 0.03, Spending("kim_demets", 2.2), (2.8594012, 2.2435708, 1.9735737)),
    ([0.35, 0.7, 1], 0.13, POCOCK, (1.5446617, 1.4828682, 1.4620058)),
    ([0.4, 0.7], 0.025, POCOCK, (2.223875, 2.3050796)),
    ([0.4, 0.75, 1], 0.13, OBRIEN_FLEMING, (2.1280732, 1.4368565, 1.2468994)),
    ([0.4, 0.75, 0.85, 1], 0.13, OBRIEN_FLEMING, (2.1280732, 1.4368565, 1.422873, 1.2970881)),
])  # fmt: skip
def test_one_sided_spending_boundaries_agree_with_rpact(
    times: list[float], alpha: float, spending: Spending, expected: tuple[float, ...]
) -> None:
    """Reference: criticalValues in rpact's tests (test-f_design_group_sequential.R), stated there to 1e-7."""
    assert boundaries(times, alpha=alpha, sides=1, spending=spending).upper == pytest.approx(expected, abs=2e-6)


def test_rpacts_default_obrien_fleming_design_is_the_classical_one() -> None:
    """Reference: rpact getDesignInverseNormal(): 3.4710914, 2.4544323, 2.0040356."""
    found = classical(evenly(3), alpha=0.025, sides=1)
    assert found.upper == pytest.approx((3.4710914, 2.4544323, 2.0040356), abs=2e-6)
    assert found.spent == pytest.approx((0.00025917372, 0.0071600594, 0.025), abs=2e-8)


times_strategy = st.lists(st.floats(0.02, 1.0), min_size=1, max_size=6, unique_by=lambda t: round(t * 50)).map(sorted)


@settings(deadline=None, max_examples=40)
@given(
    times=times_strategy.filter(lambda t: all(b - a > 1e-3 for a, b in pairwise(t))),
    alpha=st.floats(0.001, 0.3), sides=st.sampled_from([1, 2]),
    spending=st.sampled_from([OBRIEN_FLEMING, POCOCK, Spending("kim_demets", 2)]),
)  # fmt: skip
def test_a_boundary_spends_exactly_what_it_says(
    times: list[float], alpha: float, sides: Sides, spending: Spending
) -> None:
    found = boundaries(times, alpha=alpha, sides=sides, spending=spending, closes=True)
    rates = crossing(found.times, found.lower, found.upper)
    assert sum(rates.above) + sum(rates.below) == pytest.approx(alpha, rel=1e-8)
    assert found.spent[-1] == pytest.approx(alpha, rel=1e-12)


@settings(deadline=None, max_examples=20)
@given(cut=st.integers(1, 19))
def test_a_boundary_does_not_know_the_looks_to_come(cut: int) -> None:
    whole = boundaries(evenly(20))
    assert boundaries(evenly(20)[:cut]).upper == whole.upper[:cut]
    assert boundaries([*evenly(20)[:cut], 0.999]).upper[:cut] == whole.upper[:cut]


def test_an_overrun_look_is_final_and_uses_its_real_information() -> None:
    planned, overrun = boundaries([0.5, 1.0]), boundaries([0.5, 1.3])
    assert overrun.spent == planned.spent
    assert overrun.upper[1] > planned.upper[1]
    rates = crossing(overrun.times, overrun.lower, overrun.upper)
    assert sum(rates.above) + sum(rates.below) == pytest.approx(0.05, rel=1e-9)


def test_a_first_look_that_closes_is_the_fixed_test() -> None:
    """Reference: scipy.stats.norm.ppf."""
    assert boundaries([0.4], closes=True).upper[0] == pytest.approx(stats.norm.ppf(0.975), abs=1e-10)


def test_a_look_with_nothing_to_spend_has_no_boundary() -> None:
    found = boundaries([0.001, 0.01, 0.5, 1.0])
    assert found.upper[:2] == (math.inf, math.inf)
    assert found.upper[2:] == pytest.approx(boundaries([0.5, 1.0]).upper, abs=1e-10)


def test_a_grid_of_a_hundred_looks_spends_its_alpha() -> None:
    found = boundaries(evenly(100))
    rates = crossing(found.times, found.lower, found.upper)
    assert sum(rates.above) + sum(rates.below) == pytest.approx(0.05, rel=1e-9)


@pytest.mark.parametrize("times", [[], [0.0, 1.0], [0.5, 0.5], [0.6, 0.5], [0.5, 0.50001], [1.0, 1.2], [math.nan]])
def test_looks_that_make_no_sense_are_refused(times: list[float]) -> None:
    with pytest.raises(InvalidInput, match=r"look|information"):
        boundaries(times)


def test_an_impossible_alpha_is_refused() -> None:
    with pytest.raises(InvalidInput, match="alpha"):
        boundaries([1.0], alpha=0)
    with pytest.raises(InvalidInput, match="sides"):
        boundaries([1.0], sides=0)  # type: ignore[arg-type]
