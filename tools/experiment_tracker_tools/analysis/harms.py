"""The harm tests along the looks: primary loss, guardrails and breakers, each at its share of the one budget."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.analysis.asking import Asked, Room, good_sign, one_sided
from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.evidence import beyond_limit
from experiment_tracker_tools.analysis.lines import Line, line, scale_of, stats_along
from experiment_tracker_tools.analysis.rules import Share, by_e_values, harm_bounds, harm_shares
from experiment_tracker_tools.analysis.series import values_of
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.harm import Breaker
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.breaker import log_e_rate, share_of_events


class Watched(NamedTuple):
    """What a harm test watches: a loss beyond a tolerated one (a fraction), or a mean beyond a limit (its unit)."""

    metric: Metric
    tolerated: float | None
    limit: float | None


class Trip(NamedTuple):
    """An event breaker.

    Attributes:
        share: its part of the budget; told: what happened, in words.
        seq: position of the unit that tripped it, None while it holds.
        log_e: evidence so far, natural logarithm; boundary: what it must reach.
    """

    share: Share
    told: str
    seq: int | None
    log_e: float
    boundary: float


def harm_lines(room: Room) -> list[Line]:
    """Every harm test that is judged at the looks."""
    found: list[Line] = []
    for share in harm_shares(room.experiment):
        watched = watched_by(room.experiment, share)
        if watched is None:
            continue
        metric, sign = watched.metric, -good_sign(watched.metric)
        if watched.tolerated is not None:
            asked = Asked("harm", share.name, share.treatment, metric, sign * watched.tolerated, sign, share.alpha)
            found.append(one_sided(room, asked))
        elif watched.limit is not None and metric.kind != "ratio":
            sample = stats_along(room.along[metric.name], share.treatment, scale="means", alone=True)
            statistic = beyond_limit(room.grid, metric, sample, limit=watched.limit, sign=sign)
            bounds = harm_bounds(room.grid, alpha=share.alpha, scale=scale_of(metric, room.along[metric.name]))
            found.append(line("harm", share.name, share.treatment, statistic=statistic, boundary=bounds))
    return found


def harm_told(room: Room, found: Line, look: int) -> str:
    """A harm test that fired, with its numbers."""
    shares = harm_shares(room.experiment)
    share = next(each for each in shares if (each.name, each.treatment) == (found.name, found.treatment))
    watched = watched_by(room.experiment, share)
    by_e = watched is not None and watched.metric.kind == "binary" and by_e_values(room.grid, "rates")
    return (
        f"{found.name} of {found.treatment}: loss beyond what is tolerated, {'log e' if by_e else 'z'} = "
        f"{found.statistic[look]:.2f} reaches its boundary {found.boundary[look]:.2f} at "
        f"{room.grid.times[look]:.0%} of the information."
    )


def watched_by(experiment: Experiment, share: Share) -> Watched | None:
    """What a share of the budget watches at the looks; None for events and lagging metrics, judged elsewhere."""
    metrics = {metric.name: metric for metric in experiment.metrics}
    if share.watch == "primary":
        return Watched(experiment.primary, experiment.plan.harm.tolerated_loss, None)
    if share.watch == "lagging":
        return None
    breaker = breaker_of(experiment, share)
    if breaker is None:
        metric = metrics[share.name]
        return Watched(metric, metric.margin, None if metric.margin is not None else metric.limit)
    if breaker.kind == "events":
        return None
    loss = breaker.kind == "loss"
    return Watched(metrics[breaker.metric], breaker.limit if loss else None, None if loss else breaker.limit)


def trips(experiment: Experiment, entries: Entries) -> list[Trip]:
    """Every event breaker, judged after every unit's first outcome."""
    found: list[Trip] = []
    for share in harm_shares(experiment):
        breaker = breaker_of(experiment, share)
        if breaker is not None and breaker.kind == "events":
            found.append(_trip(experiment, entries, breaker, share))
    return found


def breaker_of(experiment: Experiment, share: Share) -> Breaker | None:
    """The breaker of a share; None where a metric of whatever name has it."""
    if share.watch != "breaker":
        return None
    return next(breaker for breaker in experiment.plan.harm.breakers if breaker.name == share.name)


def _trip(experiment: Experiment, entries: Entries, breaker: Breaker, share: Share) -> Trip:
    """Bad events against the units of the treatment, or against control's events where no rate is given."""
    import numpy as np

    metric = next(metric for metric in experiment.metrics if metric.name == breaker.metric)
    names = [variant.name for variant in experiment.variants]
    values = values_of(experiment, entries, metric)
    known = np.flatnonzero(np.isfinite(values.x))
    _, firsts = np.unique(values.units[known], return_index=True)
    rows = known[np.sort(firsts)]
    bad = values.x[rows] == (1.0 if metric.direction == "decrease" else 0.0)
    variant = values.variants[values.units[rows]]
    treated = variant == names.index(share.treatment)
    if breaker.limit is not None:
        limit, chosen, hits = breaker.limit, treated, bad
    else:
        either = treated | (variant == 0)
        weights = {v.name: v.share or 0.0 for v in experiment.variants}
        part = weights[share.treatment] / (weights[share.treatment] + weights[names[0]])
        limit, chosen, hits = share_of_events(breaker.times or 1.0, share=part), either & bad, treated
    seqs, events = values.seqs[rows][chosen], np.cumsum(hits[chosen])
    boundary = -math.log(share.alpha)
    if not seqs.size:
        return Trip(share, "", None, 0.0, boundary)
    path = log_e_rate(events, np.arange(1, len(events) + 1), limit=limit)
    crossed = np.flatnonzero(path >= boundary)
    place = int(crossed[0]) if crossed.size else len(path) - 1
    of = "units" if breaker.limit is not None else "events of it and control"
    evidence = f"e = {math.exp(min(path[place], 700)):.3g}"
    told = f"{int(events[place])} bad of {place + 1} {of}, tolerated {limit:.1%}; {evidence}"
    return Trip(share, told, int(seqs[place]) if crossed.size else None, float(path[place]), boundary)


def earliest(found: Sequence[Trip]) -> int | None:
    """The position at which the first breaker tripped."""
    return min((trip.seq for trip in found if trip.seq is not None), default=None)
