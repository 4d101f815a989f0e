"""How often a subject runs, measured from the assignment log of earlier experiments on it."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from experiment_tracker_tools.conduct.neighbours import known_experiments, shared_subject
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.variant import Subject
from experiment_tracker_tools.workspace import Workspace

DAYS_OF_MONTH = 365.25 / 12
_LEAST_DAYS, _LEAST_UNITS = 1.0, 10


class Rate(NamedTuple):
    """Units that came in, as the log has them.

    Attributes:
        units: how many, with those that did not take part in their phase of exposure.
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
        first = {entry.content.unit: entry.seq for entry in reversed(log)}
        days = (log[-1].at - log[0].at).total_seconds() / 86_400 if log else 0.0
        if len(first) >= _LEAST_UNITS and days >= _LEAST_DAYS:
            return Rate(_came(workspace, other, first.values()), days, other.id)
    return None


def _came(workspace: Workspace, experiment: Experiment, seqs: Iterable[int]) -> int:
    """How many units came, given where those stand that took part: of a share of a tenth each stands for ten."""
    begun = workspace.ledger.entries(experiment.id, PhaseStart)
    shares = [phase.share for phase in experiment.plan.phases[:1]] or [1.0]
    shares += [entry.content.share for entry in begun]
    starts = [entry.seq for entry in begun]
    return round(sum(1 / shares[bisect_right(starts, seq)] for seq in seqs))
