"""A verdict reached, recorded once, and what it does to the experiment's state."""

from datetime import datetime

from experiment_tracker_tools.conduct.looks import check_lookable, look_at_rows
from experiment_tracker_tools.conduct.rows import data_hash, rows_as_of
from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.domain.consequences import CONSEQUENCES
from experiment_tracker_tools.domain.decision import FINAL, Decision
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.surroundings import surroundings_of


def conclude(workspace: Workspace, experiment: Experiment, *, rationale: str) -> Decision:
    """Judge an experiment by its plan and record the verdict; a verdict that is already recorded stands.

    Raises:
        IllegalStep: if it has not been started, or ended without a decision.
    """
    if (earlier := final_decision(workspace, experiment.id)) is not None:
        return earlier
    from experiment_tracker_tools.analysis.rules import RULES
    from experiment_tracker_tools.analysis.verdict import judge

    now, door = workspace.clock(), workspace.door
    check_lookable(workspace, experiment)
    rows = rows_as_of(workspace, experiment.id)
    look = look_at_rows(workspace, experiment, rows, now=now)
    judged = judge(experiment, look)
    decision = Decision(
        verdict=judged.verdict,
        winner=judged.winner,
        reasons=judged.reasons,
        look=look,
        rationale=rationale,
        decided_at=now,
        data_through=rows.last,
        data_sha256=data_hash(rows) if judged.verdict in FINAL else None,
        made_under=surroundings_of(rows.entries.trials),
        rules=RULES,
    )
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
    return entry.content if entry is not None and ends(entry.content) else None


def ends(decision: Decision) -> bool:
    """Whether nothing can follow a verdict; advice to stop is final once somebody has followed it."""
    followed = decision.verdict == "STOP_FUTILE" and decision.look.standing == "exploratory"
    return decision.verdict in FINAL or followed


def _after(experiment: Experiment, decision: Decision, *, at: datetime, by: str) -> Experiment:
    """The experiment in the state that the verdict leads to."""
    for target in _targets(experiment, decision, at=at):
        experiment = experiment.advanced(target, at=at, by=by, reason=f"verdict {decision.verdict}")
    return experiment


def _targets(experiment: Experiment, decision: Decision, *, at: datetime) -> tuple[State, ...]:
    state = CONSEQUENCES[decision.verdict].state
    if decision.verdict == "HALT":
        return ("paused",) if experiment.state == "running" else ()
    if decision.verdict == "ROLL_BACK" and experiment.plan.automatic_rollback:
        return ("rolled_back",)
    if state is None and not ends(decision):
        return ()
    if decision.verdict == "INCONCLUSIVE" and at > _end_of(experiment) and experiment.state != "analyzing":
        return ("expired",)
    return ("decided",) if experiment.state == "analyzing" else ("analyzing", "decided")


def _end_of(experiment: Experiment) -> datetime:
    from experiment_tracker_tools.analysis.cut import deadline_of

    return deadline_of(experiment)
