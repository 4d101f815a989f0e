"""The exact test of plans below 50 units alone, ten thousand experiments a cell: its error by how units were assigned.

The whole decision function takes a tenth of a second an experiment (decisions_small); its randomisation tests take a
hundredth, so that 5% is told from 6%.
"""

from typing import Any

import numpy as np
from benchmarks.calibration_row import Row, Vector, rate_error
from benchmarks.decisions_plans import SD_LOG, planned

from experiment_tracker_tools.analysis.blocks import blocks_of, places_of
from experiment_tracker_tools.analysis.exact import Blocks, Question, ask
from experiment_tracker_tools.analysis.points import Point, grid_of
from experiment_tracker_tools.analysis.series import Reduced, Values
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, POCOCK

# Units a variant, size of permuted blocks (None: hashed), tasks that lie apart by 3 on the log scale.
CELLS = ((10, None, 1), (20, None, 1), (10, 4, 1), (10, 4, 3), (24, 4, 6), (24, 2, 24))
HARM, BETTER = Question(0.05, 1, POCOCK), Question(0.05, 2, OBRIEN_FLEMING)


def rows(scale: float) -> list[Row]:
    """Every cell, with `scale` times ten thousand experiments, and what blocks are worth."""
    experiments = max(60, round(10_000 * scale))
    found = [row for n, size, tasks in CELLS for row in without_effect(n, size, tasks, experiments)]
    return [*found, found_in_tasks(max(60, experiments // 10))]


def without_effect(n: int, size: int | None, tasks: int, experiments: int) -> list[Row]:
    """How often the test of harm rejects, and the good side of the test of success, where nothing differs."""
    scheme: dict[str, Any] = {"scheme": "blocks", "block_size": size} if size else {}
    experiment, rng = planned(n, "duration", **scheme), np.random.default_rng([21, n, size or 0, tasks])
    worse = better = 0
    for _ in range(experiments):
        blocks = _blocks(experiment, _drawn(rng, experiment, tasks, 1.0))
        worse += ask(blocks, HARM).look is not None
        found = ask(blocks, BETTER)
        better += found.look is not None and not found.above
    cell, rows_of = f"n = {n}, " + (f"blocks of {size}, {tasks} tasks" if size else "hashed"), list[Row]()
    for word, count, most in (("harm", worse, 0.05), ("better", better, 0.025)):
        rate, quantity = count / experiments, f"exact test without effect: {word}, {cell}"
        rows_of.append(Row(quantity, f"<= {most:.1%}", rate, rate_error(rate, experiments), high=most))
    return rows_of


def found_in_tasks(experiments: int) -> Row:
    """24 tasks that lie apart, each once under every variant, a ratio of 0.6; naive: blocks are the looks' units."""
    pairs, hashed = planned(24, "duration", scheme="blocks", block_size=2), planned(24, "duration")
    rng, found = np.random.default_rng(22), np.zeros(2)
    for _ in range(experiments):
        values = _drawn(rng, pairs, 24, 0.6)
        pooled = values._replace(strata=0 * values.strata, slots=0 * values.slots - 1)
        found += [ask(_blocks(plan, v), BETTER).look is not None for plan, v in ((pairs, values), (hashed, pooled))]
    ours, naive = found / experiments
    quantity = "exact test: a ratio of 0.6 found, n = 24 pairs of tasks that lie apart"
    return Row(quantity, ">= 75%", ours, rate_error(ours, experiments), float(naive), low=0.75)


def _blocks(experiment: Experiment, values: Values) -> Blocks:
    """The blocks at the plan's looks."""
    treated = np.cumsum(values.variants)
    control = np.arange(1, len(treated) + 1) - treated
    information = control * treated / np.maximum(control + treated, 1) / (experiment.plan.horizon / 2)
    ends = [int(np.argmax(information >= time - 1e-12)) for time in grid_of(experiment) if information[-1] >= time]
    looks = [_reduced(values, end) for end in ends]
    points = [Point(end, end, float(information[end]), (), speaks=True, final=False) for end in ends]
    places = places_of(experiment, 1)
    found = blocks_of(values, looks, points, places=places, treatment=1, logs=False, closes=True)
    assert found is not None
    return found


def _reduced(values: Values, end: int) -> Reduced:
    there = np.arange(end + 1)
    x = values.x[there]
    return Reduced(there, x, np.ones_like(x), values.variants[there], values.entered[there], np.zeros(2, np.int64))


def _drawn(rng: np.random.Generator, experiment: Experiment, tasks: int, ratio: float) -> Values:
    """Units in the order in which they come, their values as logarithms; hashed ones a few more than planned."""
    size, n = experiment.plan.block_size, experiment.plan.horizon
    units = np.arange(2 * n if size else 2 * n + 12)
    variants, strata, slots = (rng.random(len(units)) < 0.5).astype(np.int64), 0 * units, 0 * units - 1
    if size:
        order = rng.random((len(units) // size, size)).argsort(axis=1)
        variants = (order.ravel() >= size // 2).astype(np.int64)
        strata, slots = units // size % tasks, units // size // tasks * size + units % size
    x: Vector = SD_LOG * rng.standard_normal(len(units)) + 3.0 * strata + np.log(ratio) * variants
    return Values(units, units, x, np.ones_like(x), units, variants, strata, slots, 0 * units)
