"""Harm: how often a sound variant is rolled back over its whole life, and how often a worse one ships."""

import math

import numpy as np
from benchmarks.calibration_errors import GRID, welch_z
from benchmarks.calibration_row import Row, rate_error

from experiment_tracker_tools.stats.boundaries import Boundary, boundaries
from experiment_tracker_tools.stats.breaker import breaker
from experiment_tracker_tools.stats.monitor import first_crossing
from experiment_tracker_tools.stats.spending import POCOCK

N, FIRST, SD_LOG = 200, 10, 0.6
SIZES = [math.ceil(N * time) for time in GRID if math.ceil(N * time) >= FIRST]
BUDGET, WATCHED = 0.05, 3


def rows(scale: float) -> list[Row]:
    """All rows, with `scale` times the full number of experiments."""
    return [automatic_rollback(scale), *(worse_shipped(worse, scale) for worse in (0.15, 0.30))]


def automatic_rollback(scale: float) -> Row:
    """Three watched metrics and crashes share one budget of 5%; naive: more than 10% worse by the means of any look."""
    experiments, rng = max(200, round(10_000 * scale)), np.random.default_rng(21)
    share = BUDGET / (WATCHED + 1)
    boundary = harm_boundary(share)
    back, naive = np.zeros(experiments, dtype=bool), np.zeros(experiments, dtype=bool)
    for _ in range(WATCHED):
        control, treatment = (SD_LOG * rng.standard_normal((experiments, N)) for _ in range(2))
        back |= first_crossing(welch_z(control, treatment, SIZES), boundary) >= 0
        means = (np.cumsum(np.exp(side), axis=1)[:, np.array(SIZES) - 1] for side in (control, treatment))
        first, second = means
        naive |= (second > 1.1 * first).any(axis=1)
    crashes, of_treatment = rng.binomial(1, 0.5, (experiments, 40)), np.arange(1, 41)
    tripped = [breaker(np.cumsum(row), of_treatment, limit=0.5, alpha=share).tripped for row in crashes]
    back |= np.array(tripped)
    rate = float(back.mean())
    quantity = "false automatic rollback, 3 metrics and crashes, whole life"
    return Row(quantity, "<= 5%", rate, rate_error(rate, experiments), float(naive.mean()), high=BUDGET)


def worse_shipped(worse: float, scale: float) -> Row:
    """A variant that takes longer; naive: ship at the first look at which its mean is lower."""
    experiments, rng = max(200, round(10_000 * scale)), np.random.default_rng(22)
    control = SD_LOG * rng.standard_normal((experiments, N))
    treatment = SD_LOG * rng.standard_normal((experiments, N)) + math.log1p(worse)
    z = welch_z(control, treatment, SIZES)
    stop = first_crossing(z, boundaries([size / N for size in SIZES]))
    rate = float(((stop >= 0) & (z[np.arange(experiments), stop] < 0)).mean())
    naive = float((z < 0).any(axis=1).mean())
    quantity = f"a variant that is {worse:.0%} worse ships, n = {N}"
    return Row(quantity, "<= 0.5%", rate, rate_error(rate, experiments), naive, high=0.005)


def harm_boundary(alpha: float) -> Boundary:
    """One-sided: the treatment is worse."""
    return boundaries([size / N for size in SIZES], alpha=alpha, sides=1, spending=POCOCK)
