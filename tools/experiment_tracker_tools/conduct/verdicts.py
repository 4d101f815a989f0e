"""A verdict reached, recorded once, and what it does to the experiment's state."""

from datetime import datetime

from experiment_tracker_tools.conduct.looks import unrecorded_look
from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.domain.decision import FINAL, Decision
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.workspace import Workspace


def conclude(workspace: Workspace, experiment: Experiment, *, rationale: str) -> Decision:
    """Judge an experiment by its plan and record the verdict; a verdict that is already recorded stands.

    Raises:
        IllegalStep: if it has not been started, or ended without a decision.
    """
    if (earlier := final_decision(workspace, experiment.id)) is not None:
        return earlier
    from experiment_tracker_tools.analysis.verdict import judge

    look = unrecorded_look(workspace, experiment)
    judged = judge(experiment, look)
    decision = Decision(
        verdict=judged.verdict, winner=judged.winner, reasons=judged.reasons, look=look, rationale=rationale
    )
    now, door = workspace.clock(), workspace.door
    try:
        workspace.ledger.append(
            experiment.id, decision, step=lambda current: _after(current, decision, at=now, by=door)
        )
    except IllegalStep:
        if (earlier := final_decision(workspace, experiment.id)) is not None:
            return earlier
        raise
    return decision


def final_decision(workspace: Workspace, experiment_id: str) -> Decision | None:
    """The recorded verdict that ended the experiment, if there is one."""
    entry = workspace.ledger.latest(experiment_id, Decision)
    return entry.content if entry is not None and entry.content.verdict in FINAL else None


def _after(experiment: Experiment, decision: Decision, *, at: datetime, by: str) -> Experiment:
    """The state that a verdict leads to: HALT pauses, CONTINUE changes nothing, the others decide."""
    targets: tuple[State, ...] = ()
    if decision.verdict == "HALT":
        targets = ("paused",) if experiment.state == "running" else ()
    elif decision.verdict in FINAL:
        targets = ("decided",) if experiment.state == "analyzing" else ("analyzing", "decided")
    for target in targets:
        experiment = experiment.advanced(target, at=at, by=by, reason=f"verdict {decision.verdict}")
    return experiment
