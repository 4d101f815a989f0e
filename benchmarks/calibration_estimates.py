"""Estimates: coverage of fixed, stage-wise and inverted intervals, and what is reported after an early stop."""

import math

import numpy as np
from benchmarks.calibration_errors import GRID, peeking, welch_moments, welch_z
from benchmarks.calibration_row import Row, Vector, log_normal, median_error, normal, rate_error

from experiment_tracker_tools.stats.boundaries import Boundary, boundaries
from experiment_tracker_tools.stats.looks import Look
from experiment_tracker_tools.stats.monitor import first_crossing
from experiment_tracker_tools.stats.power_means import n_per_variant
from experiment_tracker_tools.stats.randomisation import Design, pair, sequential_interval
from experiment_tracker_tools.stats.stagewise import Stopped, after_stopping

EFFECT = 0.3


def rows(scale: float) -> list[Row]:
    """All rows, with `scale` times the full number of experiments."""
    return [
        *(
            fixed_coverage(n, low, high, scale)
            for n, low, high in ((10, 0.94, 0.97), (20, 0.94, 0.97), (1000, 0.945, 0.955))
        ),
        *(after_early_stops(times, scale) for times in (0.0, 1.0, 2.0)),
        reported_effect(scale),
        inverted_coverage(scale),
    ]


def fixed_coverage(n: int, low: float, high: float, scale: float) -> Row:
    """The interval for a ratio of geometric means at a single look, log-normal data; naive: 1.96 se on raw means."""
    experiments, rng, boundary = max(200, round(4000 * scale)), np.random.default_rng([21, n]), boundaries([1.0])
    covered, naive = 0, 0
    for _ in range(experiments):
        x, y = log_normal(rng, (2, n))
        (moments,) = welch_moments(np.log(x), np.log(y), [n])
        found = after_stopping(Look(1.0, *moments), boundary=boundary)
        covered += found.ci_low <= 0 <= found.ci_high
        (raw,) = welch_moments(x, y, [n])
        naive += abs(raw[0]) <= 1.96 * raw[1]
    rate = covered / experiments
    target = f"{100 * low:g} - {100 * high:g}%"
    error = rate_error(rate, experiments)
    return Row(f"coverage at a fixed n = {n}", target, rate, error, naive / experiments, low=low, high=high)


def after_early_stops(times: float, scale: float) -> Row:
    """Coverage of the stage-wise interval after monitoring; naive: 1.96 se at the stop."""
    truth, experiments = EFFECT * times, max(100, round(2000 * scale))
    covered, naive = 0, 0
    for look, found in stopped(truth, experiments, seed=22):
        covered += found.ci_low <= truth <= found.ci_high
        naive += abs(look.estimate - truth) <= 1.96 * look.se
    rate = covered / experiments
    quantity = f"coverage after stopping, true effect {times:g} x the planned"
    error = rate_error(rate, experiments)
    return Row(quantity, "94 - 96%", rate, error, naive / experiments, low=0.94, high=0.96)


def reported_effect(scale: float) -> Row:
    """The median-unbiased estimate over the truth, all monitored experiments; naive: raw effect at the first p < 5%."""
    experiments = max(100, round(2000 * scale))
    ratios = np.array([found.estimate / EFFECT for _, found in stopped(EFFECT, experiments, seed=23)])
    n, rng = n_per_variant(EFFECT).n_control, np.random.default_rng(24)
    x, y = normal(rng, (experiments, n)), normal(rng, (experiments, n)) + EFFECT
    out = peeking(x, y)
    stop = np.where(out.any(axis=1), out.argmax(axis=1) + 3, n)
    naive = [float(b[:k].mean() - a[:k].mean()) / EFFECT for a, b, k in zip(x, y, stop, strict=True)]
    quantity = "reported effect / truth after monitoring, median"
    error = median_error(ratios)
    return Row(quantity, "0.97 - 1.03", float(np.median(ratios)), error, float(np.median(naive)), low=0.97, high=1.03)


def inverted_coverage(scale: float) -> Row:
    """Coverage at every call at once of the inverted randomisation interval, ten pairs with heavy tails."""
    experiments, rng = max(50, round(1000 * scale)), np.random.default_rng(25)
    covered = 0
    for differences in (rng.standard_t(3, (experiments, 10)) + 0.5).tolist():
        blocks = [pair(0.0, d) for d in differences]
        intervals = [sequential_interval(blocks[:calls], design=Design(10)) for calls in (6, 8, 10)]
        covered += all(i is None or i.low <= 0.5 <= i.high for i in intervals)
    rate = covered / experiments
    return Row("coverage at every call, 10 pairs, t(3)", ">= 95%", rate, rate_error(rate, experiments), low=0.95)


def stopped(truth: float, experiments: int, *, seed: int) -> list[tuple[Look, Stopped]]:
    """Monitored experiments at the planned size, each with its stopping look and what is reported."""
    n, rng = n_per_variant(EFFECT).n_control, np.random.default_rng(seed)
    sizes = [math.ceil(n * t) for t in GRID]
    boundary = boundaries([size / n for size in sizes])
    x, y = normal(rng, (experiments, n)), normal(rng, (experiments, n)) + truth
    stops = first_crossing(welch_z(x, y, sizes), boundary)
    return [one_stop(a, b, sizes, boundary, int(stop)) for a, b, stop in zip(x, y, stops, strict=True)]


def one_stop(x: Vector, y: Vector, sizes: list[int], boundary: Boundary, stop: int) -> tuple[Look, Stopped]:
    """What is reported of one experiment that stopped at a look, -1 for the last."""
    last = stop % len(sizes)
    (moments,) = welch_moments(x, y, [sizes[last]])
    look = Look(boundary.times[last], *moments)
    return look, after_stopping(look, boundary=Boundary(*(part[: last + 1] for part in boundary)))
