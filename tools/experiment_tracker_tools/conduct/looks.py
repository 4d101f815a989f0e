"""The only place that computes an effect: every look is made here, and every look is written down."""

from datetime import datetime

from experiment_tracker_tools.conduct.rows import Rows, rows_as_of
from experiment_tracker_tools.core.errors import IllegalStep, StoreFailure
from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.deviations import deviations


def take_look(workspace: Workspace, experiment: Experiment) -> Look:
    """Look at an experiment as its plan allows, and record that somebody looked.

    Raises:
        IllegalStep: if it has not been started.
    """
    look = unrecorded_look(workspace, experiment)
    workspace.ledger.append(experiment.id, look)
    return look


def unrecorded_look(workspace: Workspace, experiment: Experiment) -> Look:
    """The look itself, unrecorded, for a caller that records it with what follows from it.

    Raises:
        IllegalStep: if it has not been started.
        StoreFailure: if its journal is damaged, because what is broken would silently be left out.
    """
    check_lookable(workspace, experiment)
    return look_at_rows(workspace, experiment, rows_as_of(workspace, experiment.id), now=workspace.clock())


def check_lookable(workspace: Workspace, experiment: Experiment) -> None:
    """Let an experiment pass that has data, and whose data are whole.

    Raises:
        IllegalStep: if it has not been started.
        StoreFailure: if its journal is damaged, because what is broken would silently be left out.
    """
    if experiment.entered("running") is None:
        raise IllegalStep(f"{experiment.id} is {experiment.state}: no data yet. Start it with transition_experiment.")
    if (told := damage_told(workspace, experiment)) is not None:
        raise StoreFailure(told)


def look_at_rows(workspace: Workspace, experiment: Experiment, rows: Rows, *, now: datetime) -> Look:
    """The look at rows as they are or were; the same rows always give the same numbers."""
    from experiment_tracker_tools.analysis.look import Beside, look_at

    beside = Beside(rows.amended, rows.feedback, deviations(workspace, experiment))
    return look_at(experiment, rows.entries, now=now, beside=beside)


def damage_told(workspace: Workspace, experiment: Experiment) -> str | None:
    """What to say where the bytes of an experiment's journal are not as they were written; None where they are."""
    if not workspace.ledger.damage(experiment.id):
        return None
    return (
        f"The journal of {experiment.id} is damaged; nothing is analysed from what is left. "
        "`experiment-tracker verify` names the place; put a copy or an export back."
    )
