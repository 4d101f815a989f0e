"""Event breakers of simulated experiments: at which look their counts end them, by the e-process of real ones.

Counts are judged where they are drawn. Whoever draws them after every unit gets the rule of real experiments; at fewer
places a breaker trips a little more rarely.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.harms import breaker_of
from experiment_tracker_tools.analysis.rules import Share, harm_shares
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.harm import Breaker
from experiment_tracker_tools.stats.breaker import log_e_rate, share_of_events

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]


class Events(NamedTuple):
    """Bad events of one metric.

    Attributes:
        places: units of each variant at which they were counted, increasing, by variant, each of length P.
        counts: bad events up to there, by variant, each of shape (experiments, P).
    """

    places: Mapping[str, "Counts"]
    counts: Mapping[str, "Counts"]


Told = Mapping[str, Events]


def breakers_of_events(experiment: Experiment) -> tuple[Breaker, ...]:
    """The plan's breakers that count events; a fixed plan watches none."""
    if experiment.plan.method == "fixed":
        return ()
    return tuple(breaker for breaker in experiment.plan.harm.breakers if breaker.kind == "events")


def tripped(experiment: Experiment, units: Mapping[str, tuple[int, ...]], told: Told) -> "Counts | None":
    """The look at which an event breaker ends each experiment, their number where none does; None without breakers.

    Args:
        experiment: with its plan.
        units: by variant, at each look.
        told: bad events by metric.
    """
    import numpy as np

    found: list[Counts] = []
    for share in harm_shares(experiment):
        breaker = breaker_of(experiment, share)
        if breaker is None or breaker.kind != "events" or breaker.metric not in told:
            continue
        events, looks = told[breaker.metric], np.asarray(units[share.treatment])
        crossed = _crossed(experiment, events, breaker, share)
        place = np.where(crossed.any(axis=1), crossed.argmax(axis=1), -1)
        at = np.searchsorted(looks, events.places[share.treatment][place])
        found.append(np.where(place >= 0, np.minimum(at, len(looks)), len(looks)))
    return np.minimum.reduce(found) if found else None


def _crossed(experiment: Experiment, events: Events, breaker: Breaker, share: Share) -> "NDArray[np.bool_]":
    import numpy as np

    mine = events.counts[share.treatment]
    if breaker.limit is not None:
        totals = np.broadcast_to(events.places[share.treatment], mine.shape)
        limit = breaker.limit
    else:
        control = experiment.control
        weights = {v.name: v.share or 0.0 for v in experiment.variants}
        part = weights[share.treatment] / (weights[share.treatment] + weights[control.name])
        totals, limit = mine + events.counts[control.name], share_of_events(breaker.times or 1.0, share=part)
    sizes, index = np.unique(totals, return_inverse=True)
    needed = np.array([_needed(int(size), limit, share.alpha) for size in sizes])
    return np.asarray(mine >= needed[index].reshape(mine.shape))


@lru_cache(maxsize=200_000)
def _needed(n: int, limit: float, alpha: float) -> int:
    """The fewest bad events among n that trip; more than n where none do."""

    def trips(bad: int) -> bool:
        return float(log_e_rate([bad], [n], limit=limit)[0]) >= -math.log(alpha)

    low, high = math.floor(n * limit), n
    if n == 0 or not trips(high):
        return n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if trips(middle) else (middle, high)
    return high
