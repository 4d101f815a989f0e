"""What was not as planned, the same for every look, reply and report."""

from typing import TYPE_CHECKING

from experiment_tracker_tools.core.text import listed
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.ledger.tables import Amendment, Export
from experiment_tracker_tools.workspace.sealed import seal_fault, seal_of
from experiment_tracker_tools.workspace.surroundings import AROUND, drift

if TYPE_CHECKING:
    from experiment_tracker_tools.workspace.workspace import Workspace


def deviations(workspace: "Workspace", experiment: Experiment) -> tuple[str, ...]:
    """Every deviation in words, with its numbers and reasons; empty where all went as sealed."""
    found = [
        *_of_the_seal(workspace, experiment),
        *_amended(workspace, experiment),
        *_exported(workspace, experiment),
        *_exploratory(workspace, experiment),
        *_begun_early(workspace, experiment),
        *_drifted(workspace, experiment),
    ]
    return tuple(told[:500] for told in found)


def _drifted(workspace: "Workspace", experiment: Experiment) -> list[str]:
    # Rows are read only where the plan lets them tell what they were made with.
    if not set(AROUND) & set(experiment.plan.privacy.attributes):
        return []
    return drift(experiment, workspace.ledger.journal(experiment.id).trials)


def _of_the_seal(workspace: "Workspace", experiment: Experiment) -> list[str]:
    if experiment.entered("running") is None:
        return []
    seal = seal_of(workspace, experiment)
    if seal is None:
        return ["The plan was not sealed: it was started by an older version."]
    fault = seal_fault(workspace, experiment)
    failed = [check.told for check in seal.checks if check.passed is False]
    started = f"Started although not ready ({' '.join(failed)}): {seal.override}" if failed else None
    return [told for told in (fault, started) if told is not None]


def _amended(workspace: "Workspace", experiment: Experiment) -> list[str]:
    found = [entry.content for entry in workspace.ledger.entries(experiment.id, Amendment)]
    if not found:
        return []
    by_variant = ", ".join(f"{v.name} {sum(a.variant == v.name for a in found)}" for v in experiment.variants)
    reasons = listed(list(dict.fromkeys(amendment.reason for amendment in found)), most=3)
    return [f"{len(found)} trials no longer count ({by_variant}): {reasons}"]


def _exported(workspace: "Workspace", experiment: Experiment) -> list[str]:
    count = sum(not entry.content.sealed for entry in workspace.ledger.entries(experiment.id, Export))
    return [f"Rows left the store {count} times while it ran: somebody could see them before the end."] if count else []


def _begun_early(workspace: "Workspace", experiment: Experiment) -> list[str]:
    begun = [entry.content for entry in workspace.ledger.entries(experiment.id, PhaseStart)]
    return [f"Phase {each.phase} began before its condition was met: {each.early}" for each in begun if each.early]


def _exploratory(workspace: "Workspace", experiment: Experiment) -> list[str]:
    decision = workspace.ledger.latest(experiment.id, Decision)
    if decision is None or decision.content.look.standing != "exploratory":
        return []
    return ["It was stopped before its plan allowed a decision: its numbers are exploratory."]
