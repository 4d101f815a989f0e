"""The figures of an experiment as the ledger has them: effects of recorded looks only, values once it is over."""

from experiment_tracker_tools.conduct.spread import spread_of
from experiment_tracker_tools.domain.decision import Decision, Look
from experiment_tracker_tools.reports.figure import Figure
from experiment_tracker_tools.reports.plots import Seen, figures
from experiment_tracker_tools.workspace import Workspace


def figures_of(workspace: Workspace, experiment_id: str) -> tuple[Figure, ...]:
    """Every figure of an experiment that may be shown now; it computes no effect."""
    experiment = workspace.ledger.experiment(experiment_id)
    return figures(experiment, recorded_looks(workspace, experiment_id), spread=spread_of(workspace, experiment))


def recorded_looks(workspace: Workspace, experiment_id: str) -> tuple[Seen, ...]:
    """What was seen of an experiment, oldest first: its looks, and those that its verdicts rest on."""
    looks = [Seen(entry.at, entry.content) for entry in workspace.ledger.entries(experiment_id, Look)]
    verdicts = [Seen(entry.at, entry.content.look) for entry in workspace.ledger.entries(experiment_id, Decision)]
    return tuple(sorted((*looks, *verdicts), key=lambda seen: seen.at))
