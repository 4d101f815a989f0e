"""Where an experiment stands among its phases of exposure, from its plan and its ordered entries alone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from experiment_tracker_tools.analysis.cut import Entries, arrivals_of
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import Phase, PhaseStart
from experiment_tracker_tools.domain.trial import Entry

_DAY = timedelta(days=1)


class Phasing(NamedTuple):
    """The phase that units meet now.

    Attributes:
        number: from 1; of: how many the plan has.
        share: of the eligible units that take part.
        since: when it began.
        units: by variant, those that came in it.
        lacks: what must still come before the plan begins the next phase; empty where nothing, or it is the last.
    """

    number: int
    of: int
    share: float
    since: datetime
    units: dict[str, int]
    lacks: tuple[str, ...]

    @property
    def next_number(self) -> int | None:
        """Of the phase that follows; None for the last one."""
        return self.number + 1 if self.number < self.of else None

    @property
    def told(self) -> str:
        """In words."""
        units = ", ".join(f"{name} {n}" for name, n in self.units.items())
        since = f"{self.since:%Y-%m-%d %H:%M} UTC"
        told = (
            f"phase {self.number} of {self.of}, {100 * self.share:g}% of the units since {since} (came in it: {units})"
        )
        if self.next_number is None:
            return told
        return (
            f"{told}; the next one lacks {' and '.join(self.lacks)}" if self.lacks else f"{told}; the next one is due"
        )


def phasing(experiment: Experiment, entries: Entries, *, now: datetime) -> Phasing | None:
    """Where it stands; None for a plan without phases, and before the start."""
    phases, started = experiment.plan.phases, _started(experiment)
    if not phases or started is None:
        return None
    newest = entries.phases[-1] if entries.phases else None
    number = newest.content.phase if newest else 1
    since, seq = (newest.at, newest.seq) if newest else (started, 0)
    units = {
        name: sum(arrival.seq > seq for arrival in arrivals)
        for name, arrivals in arrivals_of(experiment, entries).items()
    }
    lacks = _lacks(phases[number - 1], units, now - since)
    return Phasing(number, len(phases), phases[number - 1].share, since, units, lacks)


def days_at_this_share(experiment: Experiment, begun: Sequence[Entry[PhaseStart]], *, now: datetime) -> float | None:
    """The runtime so far in days of the present share: so long it would have taken with that share all along."""
    started, phases = _started(experiment), experiment.plan.phases
    if not phases or started is None:
        return None
    starts = [started, *(entry.at for entry in begun), now]
    shares = [phases[0].share, *(entry.content.share for entry in begun)]
    lasted = zip(shares, pairwise(starts), strict=True)
    return sum(share * max((end - start) / _DAY, 0.0) for share, (start, end) in lasted) / shares[-1]


def _started(experiment: Experiment) -> datetime | None:
    return next((step.at for step in experiment.history if step.state == "running"), None)


def _lacks(phase: Phase, units: dict[str, int], lasted: timedelta) -> tuple[str, ...]:
    found: list[str] = []
    if phase.units is not None and (few := {name: n for name, n in units.items() if n < phase.units}):
        found.append("units (" + ", ".join(f"{name} {n} of {phase.units}" for name, n in few.items()) + ")")
    if phase.days is not None and lasted < phase.days * _DAY:
        found.append(f"{phase.days - lasted / _DAY:.3g} days")
    return tuple(found)
