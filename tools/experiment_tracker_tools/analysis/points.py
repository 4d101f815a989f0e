"""Where a plan's looks fall in the recorded order: from counts and times alone, whoever asks and whenever.

A look's data are the units that had arrived when the information reached its point of the grid. Where a unit without an
outcome counts as 0, the open ones have until the next point to answer, so that looks do not take late answers for none.
"""

import math
from bisect import bisect_right
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.cut import Entries, arrivals_of, deadline_of, earliest_verdict, until
from experiment_tracker_tools.analysis.information import Arrived, arrived
from experiment_tracker_tools.analysis.samples import ZERO_WHERE_MISSING
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.stats.looks import look_positions

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL = 50
FIRST_INFORMATION, FIRST_UNITS = 0.05, 10
# Of the randomisation test: blocks of about ten units find most (measured in benchmarks/calibration_power.py).
UNITS_OF_SEGMENT = 10
NEAREST = 1e-4


class Point(NamedTuple):
    """One look of the plan.

    Attributes:
        seq: units that arrived up to this position enter.
        as_of: outcomes that came up to this position count.
        time: fraction of the planned information.
        units: by variant, in the plan's order.
        speaks: the minimum runtime and the minimum number of units have passed, so that more than harm may be found.
        final: the plan's last look.
    """

    seq: int
    as_of: int
    time: float
    units: tuple[int, ...]
    speaks: bool
    final: bool


def is_exact(experiment: Experiment) -> bool:
    """Whether the plan is so small that the randomisation test decides."""
    return experiment.plan.method == "sequential" and experiment.plan.horizon < SMALL


def grid_of(experiment: Experiment) -> tuple[float, ...]:
    """The plan's points of information, the last one 1; beyond it a plan without horizon goes on in the same steps."""
    plan = experiment.plan
    if is_exact(experiment):
        segments = max(1, round(len(experiment.variants) * plan.horizon / UNITS_OF_SEGMENT))
        return tuple(k / segments for k in range(1, segments + 1))
    if plan.method == "fixed":
        return (1.0,)
    last = 100 * plan.looks if plan.endless else plan.looks
    return tuple(k / plan.looks for k in range(1, last + 1) if k / plan.looks >= FIRST_INFORMATION or k == last)


def points_of(experiment: Experiment, entries: Entries, *, now: datetime) -> tuple[Point, ...]:
    """The looks that are due by now, in order, up to the final one."""
    deadline = deadline_of(experiment)
    entries = until(entries, deadline)
    line = arrived(experiment, arrivals_of(experiment, entries))
    if not line.seqs.size:
        return ()
    stopped = experiment.entered("analyzing")
    ended = (stopped.at if stopped else now) > deadline
    places = _places(experiment, line, ended=ended)
    answered = _Answers(experiment, entries, closed=ended or stopped is not None)
    clock = _Clock(entries)
    found: list[Point] = []
    for number, place in enumerate(places):
        after = int(line.seqs[places[number + 1]]) if number + 1 < len(places) else None
        seq, time = int(line.seqs[place]), float(line.information[place])
        units = tuple(int(n) for n in line.units[place])
        full = _is_full(experiment, time, units)
        final = full or (ended and number + 1 == len(places))
        as_of = answered.by(seq, None if full else after)
        if as_of is None:
            break
        reached = now if final else clock.at(seq)
        enough = full or min(units) >= experiment.plan.floor
        speaks = ended or (enough and reached >= earliest_verdict(experiment))
        found.append(Point(seq, as_of, 1.0 if full else time, units, speaks, final))
        if final:
            break
    return tuple(found)


def _is_full(experiment: Experiment, time: float, units: tuple[int, ...]) -> bool:
    if experiment.plan.method == "fixed":
        return min(units) >= experiment.plan.sample_size
    return time >= 1 - 1e-12 and not experiment.plan.endless


def _places(experiment: Experiment, line: Arrived, *, ended: bool) -> list[int]:
    import numpy as np

    least = 1 if is_exact(experiment) else FIRST_UNITS
    information = line.information
    if experiment.plan.method == "fixed":
        full = np.flatnonzero(line.units.min(axis=1) >= experiment.plan.sample_size)
        return [int(full[0])] if full.size else [len(line.seqs) - 1] if ended else []
    places = [
        place
        for place in look_positions(information.tolist(), grid_of(experiment), nearest=NEAREST)
        if line.units[place].min() >= least or information[place] >= 1 - 1e-12
    ]
    last, full_at = len(information) - 1, line.first_full()
    if ended and (full_at is None or experiment.plan.method == "always_valid") and information[last] > 0:
        if places and information[last] - information[places[-1]] < NEAREST:
            places.pop()
        places.append(last)
    return places


class _Answers:
    """When the units that had arrived by a position have all answered."""

    def __init__(self, experiment: Experiment, entries: Entries, *, closed: bool) -> None:
        self._closed = closed
        self._positions: list[int] = []
        self._latest: list[float] = []
        self._newest = max((entry.seq for kind in entries for entry in kind), default=0)
        if experiment.primary.kind not in ZERO_WHERE_MISSING:
            return
        first: dict[str | None, int] = {}
        for trial in entries.trials:
            first.setdefault(trial.content.unit, trial.seq)
        latest = 0.0
        for exposure in entries.exposures:
            latest = max(latest, first.get(exposure.content.unit, math.inf))
            self._positions.append(exposure.seq)
            self._latest.append(latest)

    def by(self, seq: int, next_point: int | None) -> int | None:
        """The position at which a look's outcomes are taken; None while answers may still come."""
        before = bisect_right(self._positions, seq)
        latest = self._latest[before - 1] if before else 0.0
        if latest <= seq:
            return seq
        first = min(latest, math.inf if next_point is None else next_point)
        return int(first) if math.isfinite(first) else self._newest if self._closed else None


class _Clock:
    """When a position of the ledger was written."""

    def __init__(self, entries: Entries) -> None:
        pairs: Sequence[tuple[int, datetime]] = sorted((entry.seq, entry.at) for kind in entries for entry in kind)
        self._seqs = [seq for seq, _ in pairs]
        self._times = [at for _, at in pairs]

    def at(self, seq: int) -> datetime:
        """The time of the newest entry at or before a position."""
        return self._times[bisect_right(self._seqs, seq) - 1]
