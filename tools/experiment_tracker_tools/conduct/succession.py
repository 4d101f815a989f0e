"""Iterated experiments that an earlier version or an import left open: the plan that iterates one ends it."""

from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.workspace import Workspace


def finish_successions(workspace: Workspace) -> tuple[str, ...]:
    """End every experiment that a stored plan iterates; gives the ids that had been left open."""
    every = {experiment.id: experiment for experiment in workspace.ledger.experiments()}
    finished: list[str] = []
    for successor in every.values():
        old = every.get(successor.iterates or "")
        if old is not None and old.is_iterable:
            _end(workspace, old, successor)
            finished.append(old.id)
    return tuple(finished)


def _end(workspace: Workspace, old: Experiment, successor: Experiment) -> None:
    workspace.ledger.change(old.id, lambda now: now.iterated_by(successor) if now.is_iterable else now)
