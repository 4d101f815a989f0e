"""How often a subject runs, measured from the assignment log of earlier experiments on it."""

from typing import NamedTuple

from experiment_tracker_tools.conduct.neighbours import known_experiments, shared_subject
from experiment_tracker_tools.domain.variant import Subject
from experiment_tracker_tools.workspace import Workspace

DAYS_OF_MONTH = 365.25 / 12
_LEAST_DAYS, _LEAST_UNITS = 1.0, 10


class Rate(NamedTuple):
    """Units that came in, as the log has them.

    Attributes:
        units: how many.
        days: within how many.
        experiment: in which experiment.
    """

    units: int
    days: float
    experiment: str

    @property
    def per_day(self) -> float:
        """Units a day, to three digits."""
        return float(f"{self.units / self.days:.3g}")

    @property
    def per_month(self) -> float:
        """Units a month, to three digits."""
        return float(f"{self.units / self.days * DAYS_OF_MONTH:.3g}")


def measured_rate(workspace: Workspace, subject: Subject) -> Rate | None:
    """The rate in the newest experiment on the same files or flag with enough in its log: 10 units over a day."""
    for other in reversed(known_experiments(workspace)):
        if not shared_subject(subject, other.subject) or other.entered("running") is None:
            continue
        log = workspace.ledger.journal(other.id).exposures
        units = len({entry.content.unit for entry in log})
        days = (log[-1].at - log[0].at).total_seconds() / 86_400 if log else 0.0
        if units >= _LEAST_UNITS and days >= _LEAST_DAYS:
            return Rate(units, days, other.id)
    return None
