"""Inflation against the tables of Jennison & Turnbull and against rpact."""

import math

import pytest

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import boundaries, classical
from experiment_tracker_tools.stats.monitor import even_grid
from experiment_tracker_tools.stats.power_means import SampleSize
from experiment_tracker_tools.stats.power_sequential import inflated, inflation
from experiment_tracker_tools.stats.spending import Spending


@pytest.mark.parametrize(("looks", "shape", "power", "expected"), [
    (1, 0.5, 0.8, 1.000), (2, 0.5, 0.8, 1.110), (5, 0.5, 0.8, 1.229), (10, 0.5, 0.8, 1.301), (2, 0.5, 0.9, 1.100),
    (5, 0.5, 0.9, 1.207), (10, 0.5, 0.9, 1.271), (2, 0.0, 0.8, 1.008), (5, 0.0, 0.8, 1.028), (10, 0.0, 0.8, 1.040),
    (2, 0.0, 0.9, 1.007), (5, 0.0, 0.9, 1.026), (10, 0.0, 0.9, 1.037),
])  # fmt: skip
def test_inflation_agrees_with_jennison_and_turnbull(looks: int, shape: float, power: float, expected: float) -> None:
    """Reference: Jennison & Turnbull (2000), tables 2.2 (Pocock) and 2.4 (O'Brien & Fleming), two-sided 5%."""
    assert inflation(classical(even_grid(looks), shape=shape), power=power).planned == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(("times", "alpha", "power", "spending", "expected"), [
    ([0.2, 0.4, 1], 0.03, 0.86, Spending("hwang_shih_decani", 0), (1.0788327, 0.83081135, 1.0697705)),
])  # fmt: skip
def test_inflation_and_average_n_agree_with_rpact(
    times: list[float], alpha: float, power: float, spending: Spending, expected: tuple[float, ...]
) -> None:
    """Reference: rpact's tests (y1): inflationFactor, averageSampleNumber1 and averageSampleNumber0."""
    boundary = boundaries(times, alpha=alpha, sides=1, spending=spending)
    found = inflation(boundary, alpha=alpha, power=power, sides=1)
    assert found[:3] == pytest.approx(expected, rel=1e-6)


def test_the_default_plan_costs_little_and_saves_a_quarter() -> None:
    """Reference: the design notes: power 80% at 1.055 n, average 0.74 to 0.77 of the units planned."""
    found = inflation(boundaries(even_grid(20)))
    assert found.planned < 1.055
    assert 0.74 <= found.expected / found.planned <= 0.77


def test_inflated_sizes_are_rounded_up_in_each_variant() -> None:
    assert inflated(SampleSize(100, 51, 0.8), planned=1.03)[:2] == (103, 53)
    with pytest.raises(InvalidInput, match="inflation"):
        inflated(SampleSize(10, 10, 0.8), planned=math.inf)
    with pytest.raises(InvalidInput, match="power"):
        inflation(boundaries([1.0]), power=0.05)
