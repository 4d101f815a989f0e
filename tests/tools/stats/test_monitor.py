"""The monitor: pure, consistent with its intervals, and level under the null however it is called."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.looks import Look
from experiment_tracker_tools.stats.monitor import Plan, even_grid, first_crossing, monitor

GRID = even_grid(10)


def looks_of(estimates: list[float], df: float = math.inf) -> list[Look]:
    return [Look(t, e, 1 / math.sqrt(t), df) for t, e in zip(GRID, estimates, strict=False)]


@settings(deadline=None, max_examples=60)
@given(estimates=st.lists(st.floats(-6, 6), min_size=1, max_size=10), calls=st.lists(st.integers(1, 10), max_size=6))
def test_the_answer_does_not_depend_on_when_it_is_asked(estimates: list[float], calls: list[int]) -> None:
    looks = looks_of(estimates)
    whole = monitor(looks, plan=Plan())
    for call in sorted(calls):
        early = monitor(looks[:call], plan=Plan())
        assert early.looks == whole.looks[:call]
        assert early.crossed in {None, whole.crossed}
        if early.crossed:
            assert early == whole


@settings(deadline=None, max_examples=60)
@given(
    estimates=st.lists(st.floats(-6, 6), min_size=1, max_size=10),
    df=st.floats(3, 200),
    sides=st.sampled_from([1, 2]),
)
def test_a_boundary_is_crossed_exactly_when_the_repeated_interval_leaves_zero_out(
    estimates: list[float], df: float, sides: int
) -> None:
    result = monitor(looks_of(estimates, df), plan=Plan(sides=sides))  # type: ignore[arg-type]
    last = result.looks[-1]
    assert (result.crossed == "above") == (last.ci_low >= 0)
    assert (result.crossed == "below") == (last.ci_high <= 0)
    assert all(look.ci_low < 0 < look.ci_high for look in result.looks[:-1])


@settings(deadline=None, max_examples=30)
@given(estimates=st.lists(st.floats(-6, 6), min_size=1, max_size=10))
def test_swapping_the_variants_flips_the_answer(estimates: list[float]) -> None:
    one, other = (monitor(looks_of([sign * e for e in estimates]), plan=Plan()) for sign in (1, -1))
    assert [look.z for look in one.looks] == [-look.z for look in other.looks]
    assert (one.crossed, other.crossed) in {("above", "below"), ("below", "above"), (None, None)}


def test_the_nominal_p_value_is_that_of_the_t_test() -> None:
    """Reference: scipy.stats.t.sf."""
    look = Look(0.5, 1.8, 0.9, 12)
    assert monitor([look], plan=Plan()).looks[0].p_value == pytest.approx(2 * stats.t.sf(2, 12), rel=1e-12)
    assert monitor([look], plan=Plan(sides=1)).looks[0].p_value == pytest.approx(stats.t.sf(2, 12), rel=1e-12)


def test_looks_after_the_final_one_are_not_read() -> None:
    looks = [Look(0.5, 0.1, 1.0), Look(1.01, 0.1, 0.7), Look(1.5, 99.0, 0.1)]
    result = monitor(looks, plan=Plan())
    assert (len(result.looks), result.crossed, result.final) == (2, None, True)


def test_an_end_known_before_its_data_spends_what_is_left() -> None:
    looks = [Look(0.3, 0.5, 1.0), Look(0.6, 1.97, 1.0)]
    assert monitor(looks, plan=Plan()).crossed is None
    closed = monitor(looks, plan=Plan(), closes=True)
    assert (closed.crossed, closed.final) == ("above", True)


def test_the_vectorised_crossing_is_that_of_the_monitor() -> None:
    rng = np.random.default_rng(5)
    z = np.cumsum(rng.normal(0.3, 1, (200, 10)), axis=1) / np.sqrt(np.arange(1, 11))
    found = first_crossing(z, boundaries(GRID))
    for row, look in zip(z, found, strict=True):
        result = monitor([Look(t, v, 1.0) for t, v in zip(GRID, row, strict=True)], plan=Plan())
        assert (len(result.looks) - 1 if result.crossed else -1) == look


def test_looking_at_every_point_of_the_grid_errs_as_rarely_as_planned() -> None:
    """Reference: simulation of 40,000 A/A experiments, Brownian paths, 4 Monte Carlo errors."""
    rng = np.random.default_rng(6)
    z = np.cumsum(rng.normal(size=(40_000, 20)), axis=1) / np.sqrt(np.arange(1, 21))
    rate = (first_crossing(z, boundaries(even_grid(20))) >= 0).mean()
    assert rate == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 40_000))


def test_impossible_monitoring_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no look"):
        monitor([], plan=Plan())
    with pytest.raises(InvalidInput, match="se"):
        monitor([Look(0.5, 1.0, 0.0)], plan=Plan())
    with pytest.raises(InvalidInput, match="looks"):
        even_grid(101)
    with pytest.raises(InvalidInput, match="columns"):
        first_crossing([[1.0]], boundaries([0.5, 1.0]))
