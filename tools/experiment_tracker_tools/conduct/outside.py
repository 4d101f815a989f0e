"""Who is outside of an experiment: gets control, is counted by reason, and is never analysed."""

from collections.abc import Callable, Mapping, Sequence

from experiment_tracker_tools.assignment.checkouts import branch_in, repository_of
from experiment_tracker_tools.assignment.eligible import AROUND, ATTRIBUTE, UNKNOWN, why_not
from experiment_tracker_tools.assignment.hashing import is_within, takes_part
from experiment_tracker_tools.assignment.live import CLIENT, PHASE
from experiment_tracker_tools.conduct.phases import share_now
from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.outside import Outside
from experiment_tracker_tools.domain.run import RunSpec
from experiment_tracker_tools.domain.trial import Attributes, Exposure, Trial
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.workspace import Workspace

LAYER = "layer"
Seen = Mapping[str, tuple[str, ...]]


def why_outside(experiment: Experiment, unit: str | None, seen: Seen, attributes: Attributes, *, share: float) -> str:
    """What keeps a unit outside that has not met a variant; empty where it takes part.

    Args:
        experiment: with its plan.
        unit: None where a trial is its own unit.
        seen: what is known of where it was met, as `seen_here` gives it; the attributes may say it otherwise.
        attributes: of the unit.
        share: of the units that the plan takes, those that take part in the present phase.
    """
    layer = experiment.plan.layer
    if layer is not None and unit is None:
        return LAYER + UNKNOWN
    if layer is not None and unit is not None and not is_within(layer.name, unit, layer.start, layer.end):
        return LAYER
    if not experiment.plan.eligibility.everyone:
        said = {name: (str(attributes[name]),) for name in AROUND if name in attributes}
        if why := why_not(experiment.plan.eligibility.rules, {**seen, **said}, attributes):
            return why
    if unit is None:
        return PHASE + UNKNOWN if share < 1 else ""
    return "" if takes_part(experiment.plan.salt, experiment.id, unit, share) else PHASE


def judge(workspace: Workspace, experiment: Experiment) -> Callable[[Trial | Exposure], str] | None:
    """Judges what somebody reports; None where the plan takes everybody."""
    share = share_now(workspace, experiment)
    if experiment.plan.layer is None and experiment.plan.eligibility.everyone and share >= 1:
        return None
    seen = seen_here(workspace, experiment)
    return lambda told: why_outside(experiment, told.unit, seen, told.attributes, share=share)


def left_outside(workspace: Workspace, experiment: Experiment, unit: str, attributes: Attributes) -> str:
    """Why a unit is outside, once that is counted; empty where it takes part, as one that has met a variant does."""
    seen, share = seen_here(workspace, experiment), share_now(workspace, experiment)
    why = why_outside(experiment, unit, seen, attributes, share=share)
    if not why:
        return ""
    done = workspace.ledger.record(experiment.id, Batch(outside=[Outside(unit=unit, why=why)]), provenance="command")
    return next(iter(done.outside), "")


def seen_here(workspace: Workspace, experiment: Experiment) -> Seen:
    """What the plan's eligibility asks of the place where we are called."""
    asked, top = experiment.plan.eligibility.asks, workspace.worktree
    if top is None or not {"repository", "branch"} & {*asked}:
        return {}
    from experiment_tracker_tools.vcs.repository import git_folders

    folders = git_folders(top)
    if folders is None:
        return {}
    branch = branch_in(str(folders[0]))
    return {"repository": repository_of(str(folders[1])), "branch": () if branch is None else (branch,)}


def never_here(workspace: Workspace, experiment: Experiment) -> str:
    """What keeps everybody in this project outside; empty where somebody may take part."""
    return _here(workspace, experiment, ("repository",))


def not_now(workspace: Workspace, experiment: Experiment) -> str:
    """What keeps everybody outside as this work tree is now."""
    return _here(workspace, experiment, ("repository", "branch"))


def _here(workspace: Workspace, experiment: Experiment, names: Sequence[str]) -> str:
    rules = {name: rule for name, rule in experiment.plan.eligibility.rules.items() if name in names}
    return why_not(rules, seen_here(workspace, experiment))


def check_run_is_inside(workspace: Workspace, experiment: Experiment, spec: RunSpec) -> None:
    """Let a run pass whose units the plan takes; the argument of a command is its task.

    Raises:
        IllegalStep: naming what keeps them outside.
    """
    seen = seen_here(workspace, experiment)
    for task in spec.tasks or (None,):
        here = seen if task is None else {**seen, "arguments": (task,)}
        why = why_not(experiment.plan.eligibility.rules, here)
        if why:
            of_task = "" if task is None else f" of task {quoted(task)}"
            raise IllegalStep(
                f"Every unit{of_task} would be {in_words(experiment, why)}. Nothing was run; mend that, or record what "
                "you measured with record_trial, which counts it as outside."
            )


def beyond_told(experiment: Experiment) -> str:
    """That a winner goes to more than it was shown for; empty where the plan took everybody."""
    eligibility = experiment.plan.eligibility
    return "" if eligibility.everyone else f"; it was shown for {eligibility.told} only, and everybody gets it"


def in_words(experiment: Experiment, why: str) -> str:
    """What a reason says of a unit."""
    layer = experiment.plan.layer
    if why == CLIENT:
        return "in a new work tree, or in a session from before the start"
    if why == LAYER and layer is not None:
        return f"outside of the plan's slice of layer {layer.name}"
    if why == PHASE:
        return "not among those who take part in this phase"
    name = why.removeprefix(ATTRIBUTE).removesuffix(UNKNOWN)
    unknown = f", because nobody told its {name}" if why.endswith(UNKNOWN) else f", by its {name}"
    return f"outside of the plan{unknown} ({experiment.plan.eligibility.told or name})"
