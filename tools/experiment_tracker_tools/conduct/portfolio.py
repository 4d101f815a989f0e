"""What became of every experiment, for the figures of the whole portfolio; it takes no look."""

from experiment_tracker_tools.analysis.pace import Course
from experiment_tracker_tools.conduct.summaries import Summary


def course(summary: Summary) -> Course:
    """The course of an experiment from what is recorded of it."""
    decided = summary.decision
    decision, decided_at = (decided.content, decided.at) if decided is not None else (None, None)
    return Course(summary.experiment, decision, decided_at, _standing(summary), unmerged=summary.done.unmerged)


def _standing(summary: Summary) -> str | None:
    """What was promoted by us, or rolled out otherwise: a flag served to everybody, a winner archived by hand."""
    experiment, decided, done = summary.experiment, summary.decision, summary.done
    if experiment.state == "rolled_back" or done.unmerged:
        return None
    if done.promotion is not None:
        return done.promotion.variant
    landed = done.verdict == "SHIP" and experiment.entered("completed") is not None
    return decided.content.winner if landed and decided is not None else None
