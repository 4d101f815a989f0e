"""Phases of exposure: how many units take part now, and how the next phase begins, once, whoever asks for it."""

from typing import TYPE_CHECKING

from experiment_tracker_tools.conduct.looks import unrecorded_look
from experiment_tracker_tools.conduct.rows import rows_as_of
from experiment_tracker_tools.core.errors import Conflict, IllegalStep
from experiment_tracker_tools.domain.decision import FINAL
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.ledger.rules import check_running
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from experiment_tracker_tools.analysis.phasing import Phasing


def share_now(workspace: Workspace, experiment: Experiment) -> float:
    """The share of the eligible units that take part; 1 for a plan without phases."""
    phases = experiment.plan.phases
    return phases[_begun(workspace, experiment.id) - 1].share if phases else 1.0


def phase_now(workspace: Workspace, experiment: Experiment) -> "Phasing | None":
    """Where the experiment stands among its phases; None for a plan without any, and before its start."""
    if not experiment.plan.phases:
        return None
    from experiment_tracker_tools.analysis.phasing import phasing

    return phasing(experiment, rows_as_of(workspace, experiment.id).entries, now=workspace.clock())


def phase_told(workspace: Workspace, experiment: Experiment) -> str | None:
    """The same in words, while units can meet it."""
    found = phase_now(workspace, experiment) if experiment.state in {"running", "paused"} else None
    return found.told if found is not None else None


def begin_phase(workspace: Workspace, experiment: Experiment, number: int, *, early: str = "") -> bool:
    """Record that a phase begins; gives whether it did so now, and not before by somebody else.

    Raises:
        IllegalStep: if the experiment no longer runs.
    """
    start = PhaseStart(phase=number, share=experiment.plan.phases[number - 1].share, early=early)

    def step(current: Experiment) -> Experiment:
        # Asked under the journal's lock, so that of two who begin a phase at once one does.
        check_running(current)
        if _begun(workspace, current.id) >= number:
            raise Conflict(f"Phase {number} of {current.id} has begun already.")
        return current

    try:
        workspace.ledger.append(experiment.id, start, step=step)
    except Conflict:
        return False
    return True


def _begun(workspace: Workspace, experiment_id: str) -> int:
    """Number of the newest phase."""
    newest = _newest(workspace, experiment_id)
    return newest.phase if newest is not None else 1


def _newest(workspace: Workspace, experiment_id: str) -> PhaseStart | None:
    entry = workspace.ledger.latest(experiment_id, PhaseStart)
    return entry.content if entry is not None else None


def advance(workspace: Workspace, experiment: Experiment, *, reason: str) -> None:
    """Begin the next phase because a person asks for it; earlier than the plan would only with a reason.

    The reason of the newest phase is that very call again, whose reply was lost: it begins no further one.

    Raises:
        IllegalStep: without a next phase, where the data cannot be trusted or harm was shown, or without a reason.
    """
    found = phase_now(workspace, experiment)
    if found is None or found.next_number is None:
        none = "has no phases" if found is None else f"is in its last phase ({found.number} of {found.of})"
        raise IllegalStep(f"{experiment.id} {none}: nothing was changed. plan.phases of a new plan sets them.")
    if (why := _held_back(workspace, experiment)) is not None:
        raise IllegalStep(f"{experiment.id}: {why} No more units take part. Call decide.")
    if found.lacks and not reason:
        raise IllegalStep(
            f"Phase {found.number} of {experiment.id} lacks {' and '.join(found.lacks)}. Nothing was changed; wait, or "
            "give a `reason`, which every report will tell."
        )
    newest = _newest(workspace, experiment.id)
    if found.lacks and newest is not None and newest.early == reason:
        return
    begin_phase(workspace, experiment, found.next_number, early=reason if found.lacks else "")


def _held_back(workspace: Workspace, experiment: Experiment) -> str | None:
    """What forbids that more units take part: a gate that halts, or an answer of the plan, such as harm."""
    from experiment_tracker_tools.analysis.verdict import judge

    look = unrecorded_look(workspace, experiment)
    if look.health is not None and look.health.halts:
        return look.health.halts[0].told
    judged = judge(experiment, look)
    return f"{judged.verdict}: {judged.reasons[0]}" if judged.verdict in {"HALT", *FINAL} else None
