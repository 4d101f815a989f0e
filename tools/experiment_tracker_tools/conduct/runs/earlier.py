"""What earlier runs of an experiment measured, held against what is about to run."""

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import RunSpec, RunState
from experiment_tracker_tools.workspace import Workspace


def measured_otherwise(workspace: Workspace, experiment: Experiment, spec: RunSpec) -> str | None:
    """That trials of another command are recorded already; None where there are none."""
    for entry in reversed(workspace.ledger.entries(experiment.id, RunState)):
        earlier = entry.content
        recorded = earlier.spec.pilot is None and any(tally.trials for tally in earlier.tallies.values())
        if recorded and (earlier.spec.command, earlier.spec.setup) != (spec.command, spec.setup):
            return (
                f"{earlier.run} recorded trials of another command, {quoted(earlier.spec.shown(), 80)}: "
                "one comparison holds both"
            )
    return None
