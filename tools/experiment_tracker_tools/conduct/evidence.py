"""What a promotion's or roll-back's commit message says."""

from typing import NamedTuple

from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.domain.decision import Decision, Estimate, Promotion
from experiment_tracker_tools.domain.experiment import Experiment


class Message(NamedTuple):
    """A commit message in parts; trailers are (key, value)."""

    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]


def promotion_message(experiment: Experiment, decision: Decision) -> Message:
    """The evidence for the winner, for people in the body and for machines in the trailers."""
    estimate = _of_winner(experiment, decision)
    trailers = [
        ("Experiment-Id", experiment.id),
        ("Verdict", decision.verdict),
        ("Metric", experiment.primary.name),
        ("Lift", _percent(estimate.lift)),
        ("CI", f"{_percent(estimate.lift_low)} to {_percent(estimate.lift_high)} ({estimate.confidence:.4g})"),
        ("P-Value", "none" if estimate.p_value is None else f"{estimate.p_value:.3g}"),
        ("Trials", str(estimate.n_control + estimate.n_treatment)),
    ]
    body = f"{estimate.treatment}: {change_in_words(experiment.primary, estimate)}."
    return Message(f"experiment: promote {experiment.id}: {experiment.name}", body, tuple(trailers))


def rollback_message(experiment: Experiment, promotion: Promotion, reason: str) -> Message:
    """Why the winner goes, and which commit is undone."""
    trailers = [("Experiment-Id", experiment.id), ("Reverts", promotion.commit)]
    if reason:
        trailers.append(("Reason", reason))
    return Message(f"experiment: roll back {experiment.id}", "", tuple(trailers))


def _of_winner(experiment: Experiment, decision: Decision) -> Estimate:
    return next(
        estimate
        for estimate in decision.look.estimates
        if estimate.metric == experiment.primary.name and estimate.treatment == decision.winner
    )


def _percent(fraction: float | None) -> str:
    return "unknown" if fraction is None else f"{fraction:+.2%}"
