"""Power: what looking continuously costs and saves, and what the randomisation test finds in ten units."""

import math

import numpy as np
from benchmarks.calibration_row import Row, Vector, rate_error
from scipy import stats

from experiment_tracker_tools.stats.monitor import Plan, even_grid
from experiment_tracker_tools.stats.operating import simulate_means
from experiment_tracker_tools.stats.power_means import n_per_variant
from experiment_tracker_tools.stats.randomisation import Block, Design, sequential_test

EFFECT = 0.25
FIRST = 0.05


def rows(scale: float) -> list[Row]:
    """All rows, with `scale` times the full number of experiments."""
    return [
        *(continuous(looks, factor, low, scale) for looks in (20, 100) for factor, low in ((1, 0.775), (1.055, 0.795))),
        *(average_n(times, high, scale) for times, high in ((1, 0.78), (1.5, 0.56), (2, 0.43))),
        *(ten_a_variant(size, low, scale) for size, low in ((2, None), (4, None), (10, 0.42))),
        ten_pairs(scale),
    ]


def continuous(looks: int, factor: float, low: float, scale: float) -> Row:
    """Power at the planned effect with a fixed test's n, times a factor."""
    n = math.ceil(n_per_variant(EFFECT).n_control * factor)
    found = simulate_means(
        EFFECT,
        n_control=n,
        n_treatment=n,
        grid=even_grid(looks, first=FIRST),
        plan=Plan(),
        experiments=max(500, round(40_000 * scale)),
        seed=11,
    )
    quantity = f"power, looking at every {100 // looks}% of the units, at {factor} n"
    return Row(quantity, f">= {low:.1%}", found.above, found.error, low=low)


def average_n(times: float, high: float, scale: float) -> Row:
    """Mean units at the end, relative to the fixed test's."""
    n = n_per_variant(EFFECT).n_control
    found = simulate_means(
        EFFECT * times,
        n_control=n,
        n_treatment=n,
        grid=even_grid(20),
        plan=Plan(),
        experiments=max(500, round(40_000 * scale)),
        seed=12,
    )
    quantity = f"average n at {times} x the planned effect"
    return Row(quantity, f"<= {high}", found.expected_information, found.information_error, 1.0, high=high)


def ten_a_variant(size: int, low: float | None, scale: float) -> Row:
    """Ten units a variant, log-normal with SD 0.6, ratio 0.6; naive: Welch on raw values.

    Small permuted blocks of units that have nothing in common cost power, as each block is compared within itself.
    """
    experiments, rng = max(200, round(10_000 * scale)), np.random.default_rng(13)
    control = 0.6 * rng.standard_normal((experiments, 10))
    treatment = 0.6 * rng.standard_normal((experiments, 10)) + math.log(0.6)
    found = monitored(control, treatment, half=size // 2)
    naive = stats.ttest_ind(np.exp(control), np.exp(treatment), axis=1, equal_var=False).pvalue < 0.05
    quantity = f"power, 10 a variant, SD 0.6, ratio 0.6, monitored in blocks of {size}"
    error = rate_error(found, experiments)
    return Row(quantity, ">= 42%" if low else "", found, error, float(naive.mean()), low=low or 0.0)


def ten_pairs(scale: float) -> Row:
    """Ten tasks run under both variants; naive: Welch on raw values, the pairing forgotten."""
    experiments, rng = max(200, round(10_000 * scale)), np.random.default_rng(14)
    task = 1.2 * rng.standard_normal((experiments, 10))
    control = task + 0.3 * rng.standard_normal((experiments, 10))
    treatment = task + 0.3 * rng.standard_normal((experiments, 10)) + math.log(0.7)
    found = monitored(control, treatment, half=1)
    naive = stats.ttest_ind(np.exp(control), np.exp(treatment), axis=1, equal_var=False).pvalue < 0.05
    quantity = "power, 10 pairs, ratio 0.7, log SD 1.2 between, 0.3 within tasks"
    return Row(quantity, ">= 59%", found, rate_error(found, experiments), float(naive.mean()), low=0.59)


def monitored(control: Vector, treatment: Vector, *, half: int) -> float:
    """The fraction of experiments in which the sequential randomisation test finds treatment lower.

    Args:
        control: shape (experiments, units).
        treatment: shape (experiments, units).
        half: units of one variant in a block; the first look is after 8 units or the first block.
    """
    found, units = 0, control.shape[1]
    treated = (False,) * half + (True,) * half
    design = Design(-(-units // half), first=max(1, 4 // half))
    starts = range(0, units, half)
    for x, y in zip(control.tolist(), treatment.tolist(), strict=True):
        blocks = [Block((*x[k : k + half], *y[k : k + half]), treated) for k in starts]
        found += sequential_test(blocks, design=design).crossed == "below"
    return found / len(control)
