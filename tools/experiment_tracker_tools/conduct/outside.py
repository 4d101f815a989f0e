"""Who is outside of an experiment: gets control, is counted by reason, and is never analysed."""

from collections.abc import Callable

from experiment_tracker_tools.assignment.hashing import is_within
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.outside import Outside
from experiment_tracker_tools.domain.trial import Exposure, Trial
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.workspace import Workspace

CLIENT, LAYER = "client", "layer"


def why_outside(experiment: Experiment, unit: str | None) -> str:
    """What keeps a unit outside that has not met a variant; empty where it takes part."""
    layer = experiment.plan.layer
    if layer is None:
        return ""
    if unit is None:
        return f"{LAYER} unknown"
    return "" if is_within(layer.name, unit, layer.start, layer.end) else LAYER


def judge(experiment: Experiment) -> Callable[[Trial | Exposure], str] | None:
    """Judges what somebody reports; None where the plan takes everybody."""
    if experiment.plan.layer is None:
        return None
    return lambda told: why_outside(experiment, told.unit)


def left_outside(workspace: Workspace, experiment: Experiment, unit: str) -> str:
    """Why a unit is outside, once that is counted; empty where it takes part, as one that has met a variant does."""
    why = why_outside(experiment, unit)
    if not why:
        return ""
    done = workspace.ledger.record(experiment.id, Batch(outside=[Outside(unit=unit, why=why)]), provenance="command")
    return next(iter(done.outside), "")


def in_words(experiment: Experiment, why: str) -> str:
    """What a reason says of a unit."""
    layer = experiment.plan.layer
    if why == CLIENT:
        return "in a new work tree, or in a session from before the start"
    if why == LAYER and layer is not None:
        return f"outside of the plan's slice of layer {layer.name}"
    return why
