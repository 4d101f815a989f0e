"""Everything that a report of one experiment rests on, as it was recorded."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from experiment_tracker_tools.domain.decision import Decision, Look, Promotion, RollBack
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.lifecycle import ENDED
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.trial import Entry


class Record(NamedTuple):
    """One experiment as the ledger tells it.

    Attributes:
        experiment: as it stands.
        look: the newest recorded one, the decision's where there is one.
        decision: the newest recorded verdict; promotion, rollback: what was done about it.
        learnings: what it taught, oldest first.
        sealed: SHA-256 of the sealed plan.
        deviations: what was not as planned.
        outside: units and live runs that got control and were not analysed, by reason.
        phases: where later phases of exposure began.
    """

    experiment: Experiment
    look: Look | None = None
    decision: Decision | None = None
    promotion: Promotion | None = None
    rollback: RollBack | None = None
    learnings: Sequence[Learning] = ()
    sealed: str | None = None
    deviations: Sequence[str] = ()
    outside: Mapping[str, int] = MappingProxyType({})
    phases: Sequence[Entry[PhaseStart]] = ()

    @property
    def started(self) -> datetime | None:
        """When it first ran."""
        return next((step.at for step in self.experiment.history if step.state == "running"), None)

    @property
    def ended(self) -> datetime | None:
        """When it took its last trial: with the verdict, or when it ended without one."""
        ends = ("analyzing", "decided", *ENDED)
        return next((step.at for step in self.experiment.history if step.state in ends), None)
