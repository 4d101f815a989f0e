"""What must hold of a plan before its experiment starts."""

from experiment_tracker_tools.conduct.neighbours import check_no_collision
from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.workspace import Workspace


def check_startable(workspace: Workspace, experiment: Experiment) -> None:
    """Let an experiment pass whose plan asks for nothing that is not kept, and that disturbs no other.

    Raises:
        IllegalStep: naming what the plan requires and no engine enforces.
        Conflict: naming the running experiment on the same files or flag.
    """
    required = [wish.told for wish in experiment.plan.wishes if wish.required]
    if required:
        raise IllegalStep(
            f"{experiment.id} requires what is NOT ENFORCED: {'; '.join(required)}. Keep it by other means and plan "
            "anew with plan.wishes that are not required."
        )
    check_no_collision(workspace, experiment.subject, experiment.plan, own=experiment.id)


def unenforced(experiment: Experiment) -> tuple[str, ...]:
    """What the plan asks for and no engine enforces."""
    return tuple(f"{wish.told}: NOT ENFORCED" for wish in experiment.plan.wishes)
