"""An iterated experiment has ended: the new plan says so itself, and whoever comes next finishes what it says."""

from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import STEPS
from experiment_tracker_tools.workspace import Workspace


def finish_successions(workspace: Workspace) -> tuple[str, ...]:
    """End every experiment that a stored plan iterates; gives the ids that had been left open, as by a crash."""
    every = {experiment.id: experiment for experiment in workspace.ledger.experiments()}
    finished: list[str] = []
    for successor in every.values():
        old = every.get(successor.iterates or "")
        if old is not None and "iterated" in STEPS[old.state]:
            _end(workspace, old, successor)
            finished.append(old.id)
    return tuple(finished)


def _end(workspace: Workspace, old: Experiment, successor: Experiment) -> None:
    now, door, reason = workspace.clock(), workspace.door, f"iterated by {successor.id}"

    def step(current: Experiment) -> Experiment:
        open_still = "iterated" in STEPS[current.state]
        return current.advanced("iterated", at=now, by=door, reason=reason) if open_still else current

    workspace.ledger.change(old.id, step)
