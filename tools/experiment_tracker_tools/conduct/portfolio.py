"""Every experiment's course as the ledger has it, for the figures of the whole portfolio; it takes no look."""

from experiment_tracker_tools.analysis.pace import Course
from experiment_tracker_tools.conduct.standing import Outcome, outcome
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Entry
from experiment_tracker_tools.workspace import Workspace


def courses(workspace: Workspace) -> tuple[Course, ...]:
    """The course of every experiment, oldest first."""
    return tuple(
        course(each, workspace.ledger.latest(each.id, Decision), outcome(workspace, each))
        for each in workspace.ledger.experiments()
    )


def course(experiment: Experiment, decided: Entry[Decision] | None, done: Outcome) -> Course:
    """The course of an experiment from what is recorded of it."""
    decision = decided.content if decided is not None else None
    decided_at = decided.at if decided is not None else None
    return Course(experiment, decision, decided_at, _standing(experiment, decision, done), unmerged=done.unmerged)


def _standing(experiment: Experiment, decision: Decision | None, done: Outcome) -> str | None:
    """What was promoted by us, or rolled out otherwise: a flag served to everybody, a winner archived by hand."""
    if experiment.state == "rolled_back" or done.unmerged:
        return None
    if done.promotion is not None:
        return done.promotion.variant
    landed = decision is not None and decision.verdict == "SHIP" and experiment.entered("completed") is not None
    return decision.winner if landed and decision is not None else None
