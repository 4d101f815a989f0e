"""How values lie, by metric and variant, from the running sketch: no row is read, so that it costs nothing to show."""

import math
from collections.abc import Sequence
from itertools import accumulate

from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import OVER
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.ledger.statistics import ACCURACY
from experiment_tracker_tools.reports.data_plots import Bin
from experiment_tracker_tools.workspace import Workspace

Counted = Sequence[tuple[float, int]]
Spread = dict[str, dict[str, list[Bin]]]
_MOST, _FEWEST, _TAIL = 20, 4, 0.005


def spread_of(workspace: Workspace, experiment: Experiment) -> Spread:
    """Values in bins, of an experiment that is over: while one runs, they would be an effect that nobody looked for."""
    if experiment.state not in OVER:
        return {}
    running = workspace.ledger.statistics(experiment.id).running
    found: Spread = {}
    for metric in experiment.metrics:
        counted = {
            variant.name: running[variant.name, metric.name].counted()
            for variant in experiment.variants
            if (variant.name, metric.name) in running
        }
        edges = _edges(list(counted.values())) if _can_be_binned(metric) else []
        if edges:
            found[metric.name] = {name: _bins(each, edges) for name, each in counted.items()}
    return found


def _can_be_binned(metric: Metric) -> bool:
    """Rates say all of a binary metric, and a ratio is none of its parts."""
    return metric.kind not in {"binary", "ratio"}


def _edges(counted: Sequence[Counted]) -> list[float]:
    """Even steps between the values that one in 200 lies beyond, none finer than the sketch; none for too few."""
    values = sorted(pair for each in counted for pair in each)
    total = sum(n for _, n in values)
    if not total:
        return []
    passed = list(accumulate(n for _, n in values))
    low = next(value for (value, _), n in zip(values, passed, strict=True) if n > _TAIL * total)
    high = next(value for (value, _), n in zip(values, passed, strict=True) if n >= (1 - _TAIL) * total)
    widest = 3 * ACCURACY * max(abs(low), abs(high))
    steps = min(_MOST, int((high - low) / widest)) if widest > 0 else 0
    if steps < _FEWEST:
        return []
    # A little more on each side, so that the outermost values lie within.
    step = (high - low) / steps
    return [low - step / 2 + step * place for place in range(steps + 2)]


def _bins(counted: Counted, edges: Sequence[float]) -> list[Bin]:
    counts, step = [0] * (len(edges) - 1), edges[1] - edges[0]
    for value, n in counted:
        place = math.floor((value - edges[0]) / step)
        if 0 <= place < len(counts):
            counts[place] += n
    return [Bin(low, low + step, n) for low, n in zip(edges, counts, strict=False)]
