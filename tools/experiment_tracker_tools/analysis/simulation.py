"""The plan's rules on simulated sufficient statistics: thousands of experiments by the rule that decides a real one.

Whoever simulates draws, for each variant and metric, cumulative statistics at the plan's looks, as arrays of shape
(experiments, looks); boundaries, harm, safety, equivalence and the walk along the looks are those of real experiments.
Small plans are walked with their t statistics; their randomisation test has about the same errors and power.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.asking import convinced_bounds, posterior_deviates
from experiment_tracker_tools.analysis.course import STATUSES, Course, Evidence, run, settled
from experiment_tracker_tools.analysis.deviates import Scale, Stats, against, estimates
from experiment_tracker_tools.analysis.evidence import beyond_limit, evidence
from experiment_tracker_tools.analysis.harms import watched_by
from experiment_tracker_tools.analysis.information import planned_units
from experiment_tracker_tools.analysis.points import FIRST_INFORMATION, FIRST_UNITS, is_exact
from experiment_tracker_tools.analysis.rules import (
    Grid,
    equivalence_bounds,
    guardrails,
    harm_bounds,
    harm_shares,
    safety_bounds,
    success_alphas,
    success_bounds,
)
from experiment_tracker_tools.analysis.simulated_events import Told, tripped
from experiment_tracker_tools.domain.decision import Verdict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.monitor import even_grid
from experiment_tracker_tools.stats.normal_mixture import information

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Sizes = NDArray[np.int64]

NO_EVENTS: Told = {}
# By metric and variant, cumulative statistics at the looks: of logs for durations, of zeros and ones for binary ones.
Drawn = Mapping[tuple[str, str], Stats]


class Looks(NamedTuple):
    """The looks of a plan before it runs.

    Attributes:
        times: information fraction at each; units: by variant, in the plan's order, at each.
        grid: what boundaries are made for.
    """

    times: tuple[float, ...]
    units: dict[str, tuple[int, ...]]
    grid: Grid


class Simulated(NamedTuple):
    """What simulated experiments came to.

    Attributes:
        verdicts: of each experiment; INCONCLUSIVE where nothing was settled at the final look.
        time: information fraction at its end.
        course: where each ended.
    """

    verdicts: "NDArray[np.str_]"
    time: "Array"
    course: Course


def looks_of(experiment: Experiment) -> Looks:
    """Where the looks of a plan fall if units come in the planned shares."""
    plan, wanted = experiment.plan, planned_units(experiment)
    points = (1.0,) if plan.method == "fixed" else even_grid(plan.looks, first=FIRST_INFORMATION)
    least = 2 if is_exact(experiment) else FIRST_UNITS
    units = {name: [math.ceil(n * point - 1e-9) for point in points] for name, n in wanted.items()}
    kept = [k for k, point in enumerate(points) if point == 1 or min(each[k] for each in units.values()) >= least]
    sizes = {name: tuple(each[k] for k in kept) for name, each in units.items()}
    planned = list(wanted.values())
    smallest = [tuple(each[k] for each in sizes.values()) for k in range(len(kept))]
    grid = Grid(
        plan.method,
        tuple(points[k] for k in kept),
        tuple((each[0], min(each[1:])) for each in smallest),
        tuple(min(each) >= plan.floor or points[k] == 1 for k, each in zip(kept, smallest, strict=True)),
        closes=False,
        planned=information(planned[0], min(planned[1:])),
    )
    return Looks(grid.times, sizes, grid)


def normal_stats(rng: "np.random.Generator", many: int, mean: float, sd: float, steps: "Sizes") -> Stats:
    """Cumulative statistics of normal units, of which so many come at each look; shape (many, looks)."""
    import numpy as np

    shape = (many, len(steps))
    sizes = np.cumsum(steps)
    totals = np.cumsum(rng.standard_normal(shape) * np.sqrt(steps), axis=1)
    inside = np.where(steps > 1, rng.chisquare(np.maximum(steps - 1, 1), shape), 0.0)
    means, old = totals / sizes, sizes - steps
    before = np.concatenate([np.zeros((many, 1)), means[:, :-1]], axis=1)
    fresh = np.diff(totals, axis=1, prepend=0.0) / np.maximum(steps, 1)
    m2 = np.cumsum(inside + (fresh - before) ** 2 * (old * steps / sizes), axis=1)
    return Stats(np.broadcast_to(sizes, shape).astype(float), mean + sd * means, sd * sd * m2)


def simulate(experiment: Experiment, looks: Looks, drawn: Drawn, *, events: Told = NO_EVENTS) -> Simulated:
    """Walk simulated experiments along the looks of a plan.

    Args:
        experiment: with its plan.
        looks: as `looks_of` gives them.
        drawn: statistics of every metric and variant that the plan tests; of a duration that has a limit also those of
            its values, under the name that `values_of_logs` gives.
        events: bad events of the metrics that event breakers watch.
    """
    import numpy as np

    evidence = _evidence(experiment, looks, drawn)
    if (ends := tripped(experiment, looks.units, events)) is not None:
        evidence = evidence._replace(harm=evidence.harm | (np.arange(len(looks.times)) >= ends[:, None]))
    course = run(evidence)
    verdicts = np.full(len(course.look), "INCONCLUSIVE", dtype="<U14")
    keys = np.column_stack([course.harmed, course.status])
    for row in np.unique(keys, axis=0):
        found: Verdict | None = settled([STATUSES[int(status)] for status in row[1:]], harmed=bool(row[0]))
        if found is not None:
            verdicts[(keys == row).all(axis=1)] = found
    return Simulated(verdicts, np.asarray(looks.times)[course.look], course)


def deviates_of(experiment: Experiment, drawn: Drawn, metric: Metric, treatment: str, *, shift: float = 0.0) -> "Array":
    """The deviates of one comparison against a lift."""
    control = drawn[metric.name, experiment.control.name]
    return against(_scale(metric), control, drawn[metric.name, treatment], shift=shift)


def _evidence(experiment: Experiment, looks: Looks, drawn: Drawn) -> Evidence:
    import numpy as np

    grid, treatments = looks.grid, [treatment.name for treatment in experiment.treatments]
    further = [metric for metric in experiment.metrics if metric.name in experiment.plan.success_metrics]
    hypotheses = [(metric, name) for name in treatments for metric in (experiment.primary, *further)]
    good, bad = _success(experiment, grid, drawn, hypotheses)
    shape = good.shape[1:]
    return Evidence(
        good,
        bad,
        _worth(experiment, drawn, hypotheses, shape),
        tuple(k // (1 + len(further)) for k in range(len(hypotheses))),
        _harm(experiment, grid, drawn, shape[::2]),
        np.stack([_safe(experiment, grid, drawn, name, shape[::2]) for name in treatments], axis=1),
        np.stack([_same(experiment, grid, drawn, name, shape[::2]) for name in treatments], axis=1),
        closes=True,
    )


def _success(
    experiment: Experiment, grid: Grid, drawn: Drawn, hypotheses: list[tuple[Metric, str]]
) -> "tuple[Flags, Flags]":
    """Where the success hypotheses are rejected on the good and on the bad side, at each error rate."""
    import numpy as np

    alphas = success_alphas(experiment)
    if experiment.plan.method == "bayesian":
        z = np.stack([_convinced(experiment, drawn, metric, name) for metric, name in hypotheses], axis=1)
        bounds, sides = [convinced_bounds(grid, experiment)] * len(alphas), (z, -z)
    else:
        bounds = [np.stack([success_bounds(grid, alpha=a, scale=_scale(m)) for m, _ in hypotheses]) for a in alphas]
        up, down = (
            np.stack([_shown(experiment, grid, drawn, each, sign=side * _good(each[0])) for each in hypotheses], axis=1)
            for side in (1, -1)
        )
        sides = up, down
    above, below = (np.stack([side >= bound for bound in bounds]) for side in sides)
    return _first_side(above, below)


def _shown(
    experiment: Experiment, grid: Grid, drawn: Drawn, what: tuple[Metric, str], *, sign: int, shift: float = 0.0
) -> "Array":
    """The evidence that a treatment's lift on a metric is above `shift` (sign +1) or below it (sign -1)."""
    metric, name = what
    control = drawn[metric.name, experiment.control.name]
    return evidence(grid, _scale(metric), control, drawn[metric.name, name], shift=shift, sign=sign)


def _convinced(experiment: Experiment, drawn: Drawn, metric: Metric, name: str) -> "Array":
    control = drawn[metric.name, experiment.control.name]
    found = estimates(_scale(metric), control, drawn[metric.name, name])
    return posterior_deviates(found, experiment, sign=_good(metric))


def _first_side(above: "Flags", below: "Flags") -> "tuple[Flags, Flags]":
    """Each side from its first crossing on, unless the other side crossed before."""
    import numpy as np

    up, down = np.logical_or.accumulate(above, axis=-1), np.logical_or.accumulate(below, axis=-1)
    first_up, first_down = _first_look(up), _first_look(down)
    return up & (first_up <= first_down)[..., None], down & (first_down < first_up)[..., None]


def _first_look(crossed: "Flags") -> "NDArray[np.int64]":
    """The first look with a crossing; their number where there is none."""
    import numpy as np

    ever: Flags = np.asarray(crossed.any(-1))
    first: NDArray[np.int64] = crossed.argmax(-1)
    return np.where(ever, first, crossed.shape[-1])


def _worth(
    experiment: Experiment, drawn: Drawn, hypotheses: list[tuple[Metric, str]], shape: tuple[int, ...]
) -> "Flags":
    """By the raw estimate; a real experiment takes the median-unbiased one, which is a little smaller."""
    import numpy as np

    least = experiment.plan.min_worthwhile
    if least == 0:
        return np.ones(shape, bool)
    columns: list[Flags] = []
    for metric, name in hypotheses:
        found = estimates(_scale(metric), drawn[metric.name, experiment.control.name], drawn[metric.name, name])
        columns.append(np.asarray(_good(metric) * found.lift(found.effect) >= least))
    return np.stack(columns, axis=1)


def _harm(experiment: Experiment, grid: Grid, drawn: Drawn, shape: tuple[int, ...]) -> "Flags":
    import numpy as np

    fired = np.zeros(shape, bool)
    if experiment.plan.method == "fixed":
        return fired
    for share in harm_shares(experiment):
        watched = watched_by(experiment, share)
        if watched is None or (watched.metric.name, share.treatment) not in drawn:
            continue
        sign, shown, what = -_good(watched.metric), None, (watched.metric, share.treatment)
        if watched.tolerated is not None:
            shown = _shown(experiment, grid, drawn, what, sign=sign, shift=sign * watched.tolerated)
        elif watched.limit is not None and watched.metric.kind != "ratio":
            shown = _beyond(grid, drawn, what, watched.limit, sign=sign)
        if shown is not None:
            fired |= shown >= np.asarray(harm_bounds(grid, alpha=share.alpha, scale=_scale(watched.metric)))
    return fired


def values_of_logs(metric: str) -> str:
    """Under which name the values of a metric are drawn whose logarithms are tested."""
    return f"{metric} itself"


def _beyond(grid: Grid, drawn: Drawn, what: tuple[Metric, str], limit: float, *, sign: int) -> "Array":
    """The evidence that a treatment's mean is above a limit, in the metric's unit (sign +1), or below it (sign -1)."""
    metric, treatment = what
    name = values_of_logs(metric.name) if _scale(metric) == "logs" else metric.name
    return beyond_limit(grid, metric, drawn[name, treatment], limit=limit, sign=sign)


def _safe(experiment: Experiment, grid: Grid, drawn: Drawn, treatment: str, shape: tuple[int, ...]) -> "Flags":
    import numpy as np

    shown = np.ones(shape, bool)
    for metric in guardrails(experiment):
        sign, what, bound = _good(metric), (metric, treatment), np.asarray(safety_bounds(grid, scale=_scale(metric)))
        if metric.margin is not None:
            within = _shown(experiment, grid, drawn, what, sign=sign, shift=-sign * metric.margin)
            shown &= np.logical_or.accumulate(within >= bound, axis=1)
        if metric.limit is not None and metric.kind != "ratio":
            within = _beyond(grid, drawn, what, metric.limit, sign=sign)
            shown &= np.logical_or.accumulate(within >= bound, axis=1)
    return shown


def _same(experiment: Experiment, grid: Grid, drawn: Drawn, treatment: str, shape: tuple[int, ...]) -> "Flags":
    import numpy as np

    margin = experiment.plan.equivalence_margin or experiment.primary.mde
    if experiment.plan.method == "fixed" or margin is None or not 0 < margin < 1:
        return np.zeros(shape, bool)
    primary = experiment.primary
    bound, what = np.asarray(equivalence_bounds(grid, scale=_scale(primary))), (primary, treatment)
    low = _shown(experiment, grid, drawn, what, sign=1, shift=-margin) >= bound
    high = _shown(experiment, grid, drawn, what, sign=-1, shift=margin) >= bound
    return np.logical_or.accumulate(low, axis=1) & np.logical_or.accumulate(high, axis=1)


def _good(metric: Metric) -> int:
    return 1 if metric.direction == "increase" else -1


def _scale(metric: Metric) -> Scale:
    return "logs" if metric.kind == "duration" else "rates" if metric.kind == "binary" else "means"
