"""Metrics that become known only after the decision: when each is due."""

from datetime import datetime, timedelta
from typing import NamedTuple

from experiment_tracker_tools.domain.experiment import Experiment


class Due(NamedTuple):
    """One lagging metric of a decided experiment: its name, the days after the decision, the time, and if it came."""

    metric: str
    days: float
    at: datetime
    passed: bool

    @property
    def told(self) -> str:
        """In words."""
        return f"{self.metric} {'was' if self.passed else 'is'} due on {self.at:%Y-%m-%d}"


def lagging(experiment: Experiment, now: datetime) -> tuple[Due, ...]:
    """The lagging metrics of an experiment that was decided, the earliest first; of others nothing is due."""
    decided = experiment.entered("decided") or experiment.entered("expired", "rolled_back")
    if decided is None:
        return ()
    known = ((m.name, m.due_days) for m in experiment.metrics if m.due_days is not None)
    found = [(name, days, decided.at + timedelta(days=days)) for name, days in known]
    return tuple(sorted((Due(*each, now >= each[2]) for each in found), key=lambda due: due.at))
