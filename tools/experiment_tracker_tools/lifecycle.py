"""Verb: start, pause, resume, stop or archive an experiment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from experiment_tracker_tools.conduct.advice import next_action, uri_of
from experiment_tracker_tools.conduct.live.outcomes import measure_runs
from experiment_tracker_tools.conduct.live.serving import follow
from experiment_tracker_tools.conduct.phases import advance, phase_told
from experiment_tracker_tools.conduct.readiness import readiness, refuse_unready
from experiment_tracker_tools.conduct.sealing import sealed
from experiment_tracker_tools.conduct.starting import check_startable
from experiment_tracker_tools.conduct.succession import finish_successions
from experiment_tracker_tools.conduct.unfinished import settle
from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model, Note
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import ENDED, State
from experiment_tracker_tools.domain.seal import Check, Seal
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.workspace import Workspace

Action = Literal["start", "pause", "resume", "advance", "stop", "archive"]

SmokeTrials = Annotated[
    Sequence[Trial],
    Field(max_length=100),
    WithJsonSchema({"type": "array"}),
]
_MARKS = {True: "passed", False: "failed", None: "not checked"}
_FROM: dict[Action, tuple[State, ...]] = {
    "start": ("planned", "implemented"),
    "pause": ("running",),
    "resume": ("paused",),
    "advance": ("running",),
    "stop": ("running", "paused"),
    "archive": ("planned", "implemented", "analyzing", "decided", *ENDED),
}


class Transitioned(Model):
    """What transition_experiment answers.

    Attributes:
        experiment: its id.
        before, state: where it stood and stands.
        archived: hidden from `status`.
        reason: as it was recorded.
        stand_ins: files that stand in for the asset while its variants are served live.
        seal: at the start: how the hash of the sealed plan begins.
        ready: at the start: what the readiness gate found.
        warning: at the start: that nobody would take part as things are.
        phase: of exposure: where it stands and what the next one lacks.
        uri: the whole experiment.
        next_action: what to do now.
    """

    experiment: ExperimentId
    before: State
    state: State
    archived: bool = False
    reason: str = ""
    stand_ins: tuple[str, ...] = ()
    seal: str | None = None
    ready: dict[str, str] | None = None
    warning: str | None = None
    phase: str | None = None
    uri: str
    next_action: str


@tool("Start, pause, stop")
def transition_experiment(
    workspace: Workspace,
    *,
    experiment: ExperimentId,
    action: Action,
    reason: Note = "",
    smoke: SmokeTrials = (),
) -> Transitioned:
    """Stop ends recording for good; pause sends units to control; advance begins the next phase; archive hides it."""
    if action in {"start", "resume", "advance"}:
        workspace.check_on()
    settle(workspace, experiment)
    finish_successions(workspace)
    # What ran before now still counts.
    measure_runs(workspace)
    if action == "start":
        check_startable(workspace, workspace.ledger.experiment(experiment))
    now, door = workspace.clock(), workspace.door
    found = workspace.ledger.experiment(experiment)
    moved = [found, _moved(found, action, at=now, by=door, reason=reason)]

    def step(current: Experiment) -> Experiment:
        moved[:] = current, _moved(current, action, at=now, by=door, reason=reason)
        return moved[1]

    seal: Seal | None = None
    if action == "start":
        checks = readiness(workspace, found, smoke)
        refuse_unready(found, checks, reason)
        failed = any(check.passed is False for check in checks)
        seal = sealed(workspace, found, checks, override=reason if failed else "")
        workspace.ledger.append(experiment, seal, step=step)
    elif action == "advance":
        advance(workspace, found, reason=reason)
    else:
        workspace.ledger.change(experiment, step)
    before, changed = moved
    stand_ins = follow(workspace, changed)
    return Transitioned(
        experiment=experiment,
        before=before.state,
        state=changed.state,
        archived=changed.archived,
        reason=reason[:200],
        stand_ins=stand_ins,
        seal=seal.sha256[:12] if seal else None,
        ready={check.name: _mark(check) for check in seal.checks} if seal else None,
        warning=next((check.told for check in seal.checks if _mark(check) == "warned"), None) if seal else None,
        phase=phase_told(workspace, changed),
        uri=uri_of(experiment),
        next_action=next_action(changed),
    )


def _mark(check: Check) -> str:
    return "warned" if check.name == "eligible" and check.passed is None else _MARKS[check.passed]


def _moved(experiment: Experiment, action: Action, *, at: datetime, by: str, reason: str) -> Experiment:
    if experiment.state not in _FROM[action]:
        phased = bool(experiment.plan.phases)
        possible = [
            name for name, states in _FROM.items() if experiment.state in states and (phased or name != "advance")
        ]
        told = ", ".join([*possible, "decide"] if experiment.state == "analyzing" else possible)
        raise IllegalStep(f"{experiment.id} is {experiment.state}; {action} does not apply. Possible: {told}.")
    for target in _targets(experiment, action):
        experiment = experiment.advanced(target, at=at, by=by, reason=reason)
    return experiment.model_copy(update={"archived": True}) if action == "archive" else experiment


def _targets(experiment: Experiment, action: Action) -> tuple[State, ...]:
    match action:
        case "start":
            return ("running",) if experiment.state == "implemented" else ("implemented", "running")
        case "pause":
            return ("paused",)
        case "resume":
            return ("running",)
        case "advance":
            return ()
        case "stop":
            return ("analyzing",)
        case "archive":
            ends: dict[State, tuple[State, ...]] = {
                "planned": ("expired",),
                "implemented": ("expired",),
                "analyzing": ("expired",),
                "decided": ("completed",),
            }
            return ends.get(experiment.state, ())
