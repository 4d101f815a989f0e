"""Phases of exposure, by the decision function on recorded entries: what changes between them ships nothing falsely.

The first fifth of the units comes in the first phase, the rest in the second, at another level. Naive: the same
decision function that is not told where the second phase began, so that it pools.
"""

from datetime import timedelta
from typing import NamedTuple

import numpy as np
from benchmarks.calibration_row import Row, Vector, errors_without_effect, rate_error
from benchmarks.decisions_plans import START, planned
from benchmarks.decisions_small import entry
from numpy.typing import NDArray

from experiment_tracker_tools.analysis.course import settled
from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.weighing import weigh
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Kind
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.trial import Entry

N, EXPERIMENTS = 100, 300
KINDS: tuple[Kind, ...] = ("continuous", "duration", "binary")
PHASES = [{"share": 0.1, "units": 20}, {"share": 1.0}]


class Cell(NamedTuple):
    """What differs between the phases.

    Attributes:
        kind: of the metric, which should fall.
        shares: of the treatment among the units of each phase.
        levels: of control in each phase, in standard deviations (of logs for durations); of a rate as it is.
        effect: of the treatment, in the same unit, above 0 for a loss.
    """

    kind: Kind
    shares: tuple[float, float]
    levels: tuple[float, float]
    effect: float = 0.0


def rows(scale: float) -> list[Row]:
    """Every row, with `scale` times three hundred experiments a cell."""
    experiments = max(60, round(EXPERIMENTS * scale))
    found = [row for kind in KINDS for row in as_planned(kind, experiments)]
    return [*found, *(row for kind in KINDS for row in changed_shares(kind, experiments))]


def as_planned(kind: Kind, experiments: int) -> list[Row]:
    """No effect, and the level moves by three standard deviations when more units take part."""
    low, high = _levels(kind)
    ours, pooled = _verdicts(Cell(kind, (0.5, 0.5), (low, high)), experiments)
    naive = tuple(float(np.isin(pooled, wrong).mean()) for wrong in (["SHIP"], ["ROLL_BACK"], ["SHIP", "ROLL_BACK"]))
    return errors_without_effect(f"phases, level moves, {kind}", ours, (naive[0], naive[1], naive[2]))


def changed_shares(kind: Kind, experiments: int) -> list[Row]:
    """Simpson's case: the shares of the variants change with the level, so that pooling shows a gain."""
    found: list[Row] = []
    low, high = _levels(kind)
    loss = 0.1 if kind == "binary" else 0.3
    for word, effect, most in (("without an effect", 0.0, 0.025), (f"worse by {loss}", loss, 0.005)):
        cell = Cell(kind, (0.2, 0.6), (high, low), effect)
        shipped = [float((verdicts == "SHIP").mean()) for verdicts in _verdicts(cell, experiments)]
        quantity = f"shares change with the level, {word}: ships, {kind}"
        error = rate_error(shipped[0], experiments)
        found.append(Row(quantity, f"<= {most:.1%}", shipped[0], error, shipped[1], high=most))
    return found


def _levels(kind: Kind) -> tuple[float, float]:
    return (0.2, 0.6) if kind == "binary" else (4.0, 7.0)


def _verdicts(cell: Cell, experiments: int) -> "list[NDArray[np.str_]]":
    """The verdicts of the same experiments within phases, and pooled."""
    plan = planned(N, cell.kind, mde=None, phases=PHASES)
    rng, found = (
        np.random.default_rng([31, len(cell.kind), round(10 * cell.effect), round(10 * cell.shares[0])]),
        list[tuple[str, str]](),
    )
    for _ in range(experiments):
        values, treated, first = _drawn(rng, cell)
        found.append((_verdict(plan, values, treated, first), _verdict(plan, values, treated, None)))
    return [np.array(verdicts) for verdicts in zip(*found, strict=True)]


def _drawn(rng: np.random.Generator, cell: Cell) -> tuple[Vector, Vector, int]:
    """Units in the order in which they come, some more than planned, and how many came in the first phase."""
    units, first = 5 * N, 2 * N // 5
    later = np.arange(units) >= first
    treated = (rng.random(units) < np.where(later, cell.shares[1], cell.shares[0])).astype(float)
    level = np.where(later, cell.levels[1], cell.levels[0]) + cell.effect * treated
    if cell.kind == "binary":
        return (rng.random(units) < level).astype(float), treated, first
    x = level + rng.standard_normal(units)
    return np.exp(x) if cell.kind == "duration" else x, treated, first


def _verdict(plan: Experiment, values: Vector, treated: Vector, first: int | None) -> str:
    pairs = zip(values.tolist(), treated.tolist(), strict=True)
    trials = [entry(2 * n, x, "treatment" if on else "control", at=START) for n, (x, on) in enumerate(pairs, 1)]
    begun = [] if first is None else [Entry(2 * first + 1, START, "benchmark", PhaseStart(phase=2, share=1.0))]
    found = weigh(plan, Entries(trials, (), (), begun), now=START + timedelta(days=1))
    return settled(list(found.statuses(plan).values()), harmed=found.harmed) or "INCONCLUSIVE"
