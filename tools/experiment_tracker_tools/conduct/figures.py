"""The figures of an experiment as the ledger has them: effects of recorded looks only, values once it is decided."""

from experiment_tracker_tools.conduct.deviations import deviations
from experiment_tracker_tools.domain.decision import Decision, Look
from experiment_tracker_tools.reports.figure import Figure
from experiment_tracker_tools.reports.plots import Seen, figures
from experiment_tracker_tools.reports.record import Record
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.recorded import record_of


def figures_of(workspace: Workspace, experiment_id: str) -> tuple[Figure, ...]:
    """Every figure of an experiment that may be shown now; it computes no effect."""
    experiment = workspace.ledger.experiment(experiment_id)
    return figures(experiment, recorded_looks(workspace, experiment_id))


def told_of(workspace: Workspace, experiment_id: str) -> Record:
    """The record of an experiment with all that was not as planned, as far as it can be told now."""
    record = record_of(workspace.ledger, experiment_id)
    return record._replace(deviations=deviations(workspace, record.experiment))


def recorded_looks(workspace: Workspace, experiment_id: str) -> tuple[Seen, ...]:
    """What was seen of an experiment, oldest first: its looks, and those that its verdicts rest on."""
    looks = [Seen(entry.at, entry.content) for entry in workspace.ledger.entries(experiment_id, Look)]
    verdicts = [Seen(entry.at, entry.content.look) for entry in workspace.ledger.entries(experiment_id, Decision)]
    return tuple(sorted((*looks, *verdicts), key=lambda seen: seen.at))
