"""The sufficient statistics of every metric and variant at every look, in the order of the looks."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.cut import Entries, entering, in_force
from experiment_tracker_tools.analysis.points import Point
from experiment_tracker_tools.analysis.samples import ZERO_WHERE_MISSING, Inside, Sample, sample_of_aggregates
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.trial import Entry, Exposure, Ratio, Trial, Value
from experiment_tracker_tools.stats.rates_within_strata import Counts, are_many
from experiment_tracker_tools.stats.ratios_within_strata import at_ratios, linearised
from experiment_tracker_tools.stats.samples import bivariate_moments, moments
from experiment_tracker_tools.stats.within_strata import CLUSTERS, Within, within_strata

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]
    Labels = NDArray[np.int64]

Samples = dict[str, Sample]
_MOST_BLOCKS = 2**32


class Values(NamedTuple):
    """One metric's values in ledger order, and the units that they belong to.

    Attributes:
        seqs: position of each value, shape (values,); units: which unit, by number.
        x: values, numerators for ratios; y: denominators, 1 otherwise.
        entered: position at which each unit arrived, shape (units,); variants: number of its variant.
        strata: number of the schedule that assigned each unit and of the phase in which it arrived, together.
        slots: its place in its schedule, -1 for none; phases: how many later phases had begun, shape (units,).
    """

    seqs: "NDArray[np.int64]"
    units: "NDArray[np.int64]"
    x: "NDArray[np.float64]"
    y: "NDArray[np.float64]"
    entered: "NDArray[np.int64]"
    variants: "NDArray[np.int64]"
    strata: "NDArray[np.int64]"
    slots: "NDArray[np.int64]"
    phases: "NDArray[np.int64]"


class Reduced(NamedTuple):
    """One value a unit, for the units of one look, in the order in which they arrived; units: which, by number."""

    units: "NDArray[np.int64]"
    x: "NDArray[np.float64]"
    y: "NDArray[np.float64]"
    variants: "NDArray[np.int64]"
    entered: "NDArray[np.int64]"
    missing: "NDArray[np.int64]"


def series(experiment: Experiment, entries: Entries, points: Sequence[Point], metric: Metric) -> list[Samples]:
    """A metric's samples by variant at each look."""
    if any(entry.content.metric == metric.name for entry in entries.aggregates):
        return [_of_posts(experiment, entries, metric, point) for point in points]
    values = values_of(experiment, entries, metric)
    return [samples_at(experiment, values, metric, point) for point in points]


def values_of(experiment: Experiment, entries: Entries, metric: Metric) -> Values:
    """A metric's values with their units."""
    import numpy as np

    numbers = {variant.name: number for number, variant in enumerate(experiment.variants)}
    known: dict[str, int] = {}
    strata: dict[tuple[str, int], int] = {}
    begun = [entry.seq for entry in entries.phases]
    # Of each unit: position, variant, stratum, slot and phase, as the entry tells them by which it arrived.
    arrivals: list[tuple[int, int, int, int, int]] = []
    rows: list[tuple[int, int, float, float]] = []
    for entry in in_order(entries):
        content = entry.content
        unit = known.setdefault(unit_name(entry), len(known))
        stratum, slot = ("", None) if isinstance(content, Trial) else (content.stratum, content.slot)
        if unit == len(arrivals):
            phase = bisect_right(begun, entry.seq)
            place = strata.setdefault((stratum, phase), len(strata)), -1 if slot is None else slot
            arrivals.append((entry.seq, numbers[content.variant], *place, phase))
        if isinstance(content, Trial):
            rows.append((entry.seq, unit, *_pair(content.metrics.get(metric.name))))
    table = np.array(rows, dtype=float).reshape(-1, 4)
    seqs, units = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
    return Values(seqs, units, table[:, 2], table[:, 3], *np.array(arrivals, np.int64).reshape(-1, 5).T)


def samples_at(experiment: Experiment, values: Values, metric: Metric, point: Point) -> Samples:
    """The samples of the units that had arrived by a look."""
    return samples_of(experiment, values, metric, reduced(experiment, values, metric, point))


def samples_of(experiment: Experiment, values: Values, metric: Metric, found: Reduced) -> Samples:
    """The samples of these units."""
    import numpy as np

    inside = _inside(experiment, values, metric, found)
    samples: Samples = {}
    for number, variant in enumerate(experiment.variants):
        mine = found.variants == number
        x, missing = found.x[mine], int(found.missing[number])
        pairs = bivariate_moments(x, found.y[mine]) if metric.kind == "ratio" else None
        logs = moments(np.log(x)) if metric.kind == "duration" else None
        samples[variant.name] = Sample(moments(x), logs, pairs, missing, inside[number] if inside else None)
    return samples


def _inside(experiment: Experiment, values: Values, metric: Metric, found: Reduced) -> list[Inside] | None:
    """The variants within the strata of their units; None where there is one stratum, or the strata tell too little."""
    import numpy as np

    labels, of, clusters = values.strata, len(experiment.variants), CLUSTERS
    if experiment.plan.order == "abba":
        # What is re-randomised is the whole block: each is a stratum, and its effect one value.
        labels, clusters = labels * _MOST_BLOCKS + values.slots // 4, 2
    strata, phased = labels[found.units], len(experiment.plan.phases) > 1
    compared = partial(_compared, of=of, clusters=clusters, phased=phased)
    lines = linearised(found.x, found.y, found.variants, strata, of=of) if metric.kind == "ratio" else None
    if metric.kind == "ratio" and lines is None:
        return [Inside(moments([]), None, 0, clustered=False, phased=True)] * of if phased else None
    plain = compared(found.x if lines is None else lines.values, found.variants, strata)
    if plain is None:
        return None
    logs = compared(np.log(found.x), found.variants, strata) if metric.kind == "duration" else None
    if metric.kind == "binary":
        tables = _tables(found, np.unique(labels, return_inverse=True)[1], of=of, clusters=clusters)
        many = all(are_many(tables[0], table) for table in tables[1:])
        return [
            Inside(each, None, plain.strata, many, counts, phased)
            for each, counts in zip(plain.moments, tables, strict=True)
        ]
    levels = plain.moments if lines is None else at_ratios(plain, lines.ratios).moments
    parts = zip(levels, logs.moments if logs else [None] * of, strict=True)
    return [Inside(each, on_logs, plain.strata, plain.clustered, phased=phased) for each, on_logs in parts]


def _compared(
    x: "Vector", variants: "Labels", strata: "Labels", *, of: int, clusters: int, phased: bool
) -> Within | None:
    """Each variant within the strata; where phases are told apart, in the one stratum with units of all, or in none."""
    import numpy as np

    found = within_strata(x, variants, strata, of=of, clusters=clusters)
    if found is not None or not phased:
        return found
    held = [label for label in np.unique(strata) if len(np.unique(variants[strata == label])) == of][:1]
    kept = np.isin(strata, held)
    return Within(tuple(moments(x[kept & (variants == number)]) for number in range(of)), len(held), clustered=False)


def _tables(found: Reduced, strata: "NDArray[np.int64]", *, of: int, clusters: int) -> list[Counts]:
    """Each variant's successes and units in every stratum of the experiment, of which `strata` tells each unit's."""
    import numpy as np

    size = int(strata.max(initial=-1)) + 1
    cells = found.variants * size + strata[found.units]
    x, n = (np.bincount(cells, part, minlength=of * size).reshape(of, size) for part in (found.x, None))
    return [Counts(x[number], n[number].astype(float), clusters) for number in range(of)]


def reduced(experiment: Experiment, values: Values, metric: Metric, point: Point) -> Reduced:
    """Each unit's trials as one value: mean, sum of counts, any success, or the sums of a ratio.

    A unit that was exposed and has no trial counts as 0 where the primary and this metric are of such a kind.
    """
    import numpy as np

    size, there = len(values.entered), values.entered <= point.seq
    come = (values.seqs <= point.as_of) & there[values.units]
    trials = np.bincount(values.units[come], minlength=size)
    measured = come & np.isfinite(values.x)
    of = values.units[measured]
    times = np.bincount(of, minlength=size)
    x, y = (np.bincount(of, part[measured], minlength=size).astype(float) for part in (values.x, values.y))
    if metric.kind == "binary":
        x = (x > 0).astype(float)
    elif metric.kind not in {"count", "ratio"}:
        x = x / np.maximum(times, 1)
    silent = metric.kind in ZERO_WHERE_MISSING and experiment.primary.kind in ZERO_WHERE_MISSING
    known = there & ((times > 0) | (trials == 0 if silent else False))
    lost = np.bincount(values.variants[there & ~known], minlength=len(experiment.variants))
    return Reduced(np.flatnonzero(known), x[known], y[known], values.variants[known], values.entered[known], lost)


def in_order(entries: Entries) -> "list[Entry[Trial] | Entry[Exposure]]":
    """Trials and exposures in the order of the ledger."""
    both: list[Entry[Trial] | Entry[Exposure]] = [*entries.trials, *entries.exposures]
    return sorted(both, key=lambda entry: entry.seq)


def unit_name(entry: "Entry[Trial] | Entry[Exposure]") -> str:
    """The unit of an entry; a trial without one is its own."""
    return entry.content.unit or f"trial {entry.seq}"


def _pair(value: Value | None) -> tuple[float, float]:
    if value is None:
        return math.nan, math.nan
    return (value.numerator, value.denominator) if isinstance(value, Ratio) else (float(value), 1.0)


def _of_posts(experiment: Experiment, entries: Entries, metric: Metric, point: Point) -> Samples:
    used = entering(experiment, Entries((), (), entries.aggregates), point.seq)
    posts = [post for post in in_force(used.aggregates) if post.metric == metric.name]
    return {v.name: sample_of_aggregates([p for p in posts if p.variant == v.name]) for v in experiment.variants}
