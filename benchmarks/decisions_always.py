"""Plans without a horizon, looked at after every unit from the tenth on to five times the planned ones."""

import numpy as np
from benchmarks.calibration_row import Row, Vector, errors_without_effect
from benchmarks.decisions_bulk import CELLS, Z_NAIVE, Maker
from benchmarks.decisions_plans import drawn, planned

from experiment_tracker_tools.analysis.points import FIRST_UNITS
from experiment_tracker_tools.analysis.rules import Grid
from experiment_tracker_tools.analysis.simulation import Looks, deviates_of, simulate
from experiment_tracker_tools.domain.metric import Kind

SIZES, LIFE = (10, 20, 50), 5


def _skewed(rng: np.random.Generator, shape: tuple[int, int], ratio: float) -> Vector:
    """Values with a heavy tail that are tested as they are, not on logs."""
    return ratio * np.exp(rng.standard_normal(shape))


KINDS: list[tuple[str, Kind, Maker]] = [*CELLS, ("log-normal, raw, SD 1", "continuous", _skewed)]


def rows(scale: float) -> list[Row]:
    """A/A experiments of every kind, with `scale` times ten thousand of them a cell."""
    many = max(500, round(10_000 * scale))
    return [row for n in SIZES for cell in KINDS for row in without_effect(*cell, n, many)]


def without_effect(name: str, kind: Kind, make: Maker, n: int, experiments: int) -> list[Row]:
    """How many ship, roll back, or do either, without an effect."""
    experiment, looks = planned(n, kind, method="always_valid"), every_unit(n)
    rng, verdicts, naive = np.random.default_rng([31, n, len(name)]), list[str](), np.zeros(3)
    for start in range(0, experiments, 500):
        shape = (min(500, experiments - start), LIFE * n)
        data = drawn(looks, {("m", variant): make(rng, shape, 1.0) for variant in ("control", "treatment")})
        verdicts += simulate(experiment, looks, data).verdicts.tolist()
        naive += _naive(deviates_of(experiment, data, experiment.primary, "treatment"))
    ours = tuple(part / experiments for part in naive.tolist())
    return errors_without_effect(f"always valid, n = {n}, {name}", np.array(verdicts), (ours[0], ours[1], ours[2]))


def every_unit(n: int) -> Looks:
    """A look after every unit of both variants."""
    units = tuple(range(FIRST_UNITS, LIFE * n + 1))
    times = tuple(each / n for each in units)
    grid = Grid("always_valid", times, tuple((k, k) for k in units), (True,) * len(units), closes=False, planned=n / 2)
    return Looks(times, {"control": units, "treatment": units}, grid)


def _naive(z: Vector) -> list[int]:
    seen = np.nan_to_num(z)
    low, high = ((side * seen >= Z_NAIVE).any(axis=1) for side in (-1, 1))
    return [int(low.sum()), int(high.sum()), int((low | high).sum())]
