"""One test along the looks of an experiment: its statistic and boundary at each, and where it first crosses."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.deviates import Scale, Stats, above_limit, rate_above_limit, stats
from experiment_tracker_tools.analysis.series import Samples
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.seen import Question, Tested
from experiment_tracker_tools.stats.rates_within_strata import Counts
from experiment_tracker_tools.stats.samples import BivariateMoments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Line(NamedTuple):
    """One test of the plan.

    Attributes:
        question, name, treatment: what is asked, of which metric or breaker, about which variant.
        statistic: at each look, larger answers yes; NaN where there is none.
        boundary: at each look, infinite where nothing may be said.
        first: number of the first look at which it crosses, None for none.
    """

    question: Question
    name: str
    treatment: str
    statistic: tuple[float, ...]
    boundary: tuple[float, ...]
    first: int | None


def line(question: Question, name: str, treatment: str, *, statistic: "Array", boundary: Sequence[float]) -> Line:
    """A test whose crossing its numbers tell."""
    import numpy as np

    reached = np.flatnonzero(statistic >= np.asarray(boundary))
    first = int(reached[0]) if reached.size else None
    return Line(question, name, treatment, tuple(statistic.tolist()), tuple(boundary), first)


def tested(found: Line, times: Sequence[float], *, through: int) -> Tested:
    """What a look tells of a test: its first crossing, else where it stands."""
    first = found.first if found.first is not None and found.first <= through else None
    place = through if first is None else first
    statistic, boundary = found.statistic[place], found.boundary[place]
    return Tested(
        question=found.question,
        name=found.name,
        treatment=found.treatment,
        statistic=statistic if math.isfinite(statistic) else None,
        boundary=boundary if math.isfinite(boundary) else None,
        at=None if first is None else times[first],
    )


def scale_of(metric: Metric, along: Sequence[Samples]) -> Scale:
    """On which scale a metric is tested: durations that came as trials on logs, rates by their score."""
    if metric.kind == "binary":
        return "rates"
    return "logs" if all(sample.logs is not None for sample in along[-1].values()) else "means"


def stats_along(along: Sequence[Samples], variant: str, *, scale: Scale, alone: bool = False) -> Stats:
    """A variant's sufficient statistics at each look, within strata unless it stands alone against a limit.

    Rates keep their units' own and have their counts by stratum beside them.
    """
    rows: list[tuple[float, float, float]] = []
    for samples in along:
        sample = samples[variant]
        held = sample if sample.inside is None or alone or scale == "rates" else sample.inside
        if sample.pairs is not None and held is sample:
            rows.append(of_ratio(sample.pairs))
        else:
            n, mean, m2 = held.logs if scale == "logs" and held.logs is not None else held.values
            rows.append((n, mean, m2))
    return stats(*zip(*rows, strict=True), counts=_by_stratum(along, variant) if scale == "rates" else None)


def _by_stratum(along: Sequence[Samples], variant: str) -> Counts | None:
    """A rate's counts at each look, by stratum; of a look without strata that can be compared all units are one."""
    import numpy as np

    known = [None if (inside := samples[variant].inside) is None else inside.counts for samples in along]
    some = next((counts for counts in known if counts is not None), None)
    if some is None:
        return None
    x, n = np.zeros((2, len(known), len(some.n)))
    for look, counts in enumerate(known):
        if counts is not None:
            x[look], n[look] = counts.x, counts.n
        else:
            pooled = along[look][variant].values
            x[look, 0], n[look, 0] = pooled.mean * pooled.n, pooled.n
    return Counts(x, n, some.clusters)


def against_limit(metric: Metric, sample: Stats, *, limit: float) -> "Array":
    """The deviates of a variant's mean above a limit."""
    return rate_above_limit(sample, limit=limit) if metric.kind == "binary" else above_limit(sample, limit=limit).z


def of_ratio(pairs: BivariateMoments) -> tuple[float, float, float]:
    """A ratio by its linearised units. Delta method: it varies as the mean of (y - R x) / mean(x)."""
    if pairs.n == 0 or pairs.mean_x == 0:
        return 0.0, 0.0, 0.0
    ratio = pairs.mean_y / pairs.mean_x
    m2 = (pairs.m2_y - 2 * ratio * pairs.c_yx + ratio**2 * pairs.m2_x) / pairs.mean_x**2
    return float(pairs.n), ratio, max(m2, 0.0)
