"""Futility boundaries against rpact, and by their own definition."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.futility import futility
from experiment_tracker_tools.stats.monitor import even_grid
from experiment_tracker_tools.stats.recursion import crossing
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, POCOCK, Spending, spent


def hsd(gamma: float) -> Spending:
    return Spending("hwang_shih_decani", gamma)


def kim(rho: float) -> Spending:
    return Spending("kim_demets", rho)


@pytest.mark.parametrize(("times", "alpha", "beta", "spendings", "binding", "upper", "lower"), [
    ([0.2, 0.4, 1], 0.07, 0.14, (hsd(-1), hsd(-2)), False, (2.364813, 2.1928805, 1.5660474), (-1.1063623, -0.35992439)),
    ([0.3, 0.7, 1], 0.03, 0.34, (kim(2.2), kim(3.2)), False,
     (2.8594012, 2.2435708, 1.9735737), (-1.1558435, 0.72836893)),
    ([0.4, 0.75, 1], 0.13, 0.41, (OBRIEN_FLEMING, kim(2.5)), False,
     (2.1280732, 1.4368565, 1.2468994), (-0.83725762, 0.35992547)),
    ([0.4, 0.75, 0.85, 1], 0.13, 0.41, (OBRIEN_FLEMING, kim(2.5)), False,
     (2.1280732, 1.4368565, 1.422873, 1.2970881), (-0.82676531, 0.3743303, 0.65077266)),
    ([0.4, 0.75, 1], 0.13, 0.41, (OBRIEN_FLEMING, kim(2.5)), True,
     (2.1280732, 1.4362896, 1.2218662), (-0.84937686, 0.34328914)),
])  # fmt: skip
def test_futility_agrees_with_rpact(
    times: list[float], alpha: float, beta: float, spendings: tuple[Spending, Spending], binding: bool,
    upper: tuple[float, ...], lower: tuple[float, ...],
) -> None:  # fmt: skip
    """Reference: rpact's tests (x2, x3, x7a, x7a with four looks, x7b): criticalValues and futilityBounds."""
    found = futility(
        times, alpha=alpha, power=1 - beta, alpha_spending=spendings[0], beta_spending=spendings[1], binding=binding
    )
    assert found.upper == pytest.approx(upper, abs=2e-6)
    assert found.lower[:-1] == pytest.approx(lower, abs=2e-6)


@pytest.mark.parametrize(("times", "alpha", "beta", "spendings", "shift"), [
    ([0.2, 0.4, 1], 0.07, 0.14, (hsd(-1), hsd(-2)), 7.1015942),
    ([0.3, 0.7, 1], 0.03, 0.34, (kim(2.2), kim(3.2)), 5.551371),
])  # fmt: skip
def test_the_drift_agrees_with_rpact(
    times: list[float], alpha: float, beta: float, spendings: tuple[Spending, Spending], shift: float
) -> None:
    """Reference: rpact's tests (y2, y3): shift, the squared drift."""
    found = futility(times, alpha=alpha, power=1 - beta, alpha_spending=spendings[0], beta_spending=spendings[1])
    assert found.drift**2 == pytest.approx(shift, rel=1e-6)


@settings(deadline=None, max_examples=15)
@given(
    looks=st.integers(2, 8), alpha=st.floats(1e-4, 0.2), power=st.floats(0.3, 0.99), binding=st.booleans(),
    beta_spending=st.sampled_from([OBRIEN_FLEMING, POCOCK, kim(1.5)]),
)  # fmt: skip
def test_both_errors_are_spent_as_planned(
    looks: int, alpha: float, power: float, binding: bool, beta_spending: Spending
) -> None:
    """Reference: the definition, by the recursion: alpha under no effect, power under the drift, beta look by look."""
    times = even_grid(looks)
    found = futility(times, alpha=alpha, power=power, beta_spending=beta_spending, binding=binding)
    obeyed = found.lower if binding else (-math.inf,) * looks
    assert sum(crossing(times, obeyed, found.upper).above) == pytest.approx(alpha, rel=1e-7)
    true = crossing(times, found.lower, found.upper, drift=found.drift)
    assert sum(true.above) == pytest.approx(power, abs=1e-8)
    for k in range(looks - 1):
        planned = spent(times[k], alpha=1 - power, spending=beta_spending)
        assert sum(true.below[: k + 1]) == pytest.approx(planned, abs=1e-8)


def test_a_non_binding_boundary_leaves_the_efficacy_boundary_alone() -> None:
    assert futility(even_grid(5)).upper == boundaries(even_grid(5), alpha=0.025, sides=1).upper


def test_giving_up_halves_the_experiments_without_effect() -> None:
    """Reference: the design notes: average n under no effect 0.6 or less."""
    found = futility(even_grid(20))
    under_none = crossing(found.times, found.lower, found.upper)
    ends = [a + b for a, b in zip(under_none.above, under_none.below, strict=True)]
    assert sum(p * t for p, t in zip(ends, found.times, strict=True)) < 0.6


def test_impossible_designs_are_refused() -> None:
    with pytest.raises(InvalidInput, match="single look"):
        futility([1.0])
    with pytest.raises(InvalidInput, match="power"):
        futility([0.5, 1.0], power=0.01)
