"""What a promotion's or roll-back's commit message says, and what a pull request says."""

from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.core.text import listed
from experiment_tracker_tools.domain.decision import Decision, Estimate, RollBack
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Entry


class Message(NamedTuple):
    """A commit message in parts; trailers are (key, value)."""

    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]


class Decided(NamedTuple):
    """What a promotion rests on.

    Attributes:
        entry: the recorded decision.
        variant: what is promoted.
        by: who or what decided.
        plan_hash: of the plan that was sealed at the start; None for experiments from before there were seals.
        override: why it goes although the verdict does not ship it; empty where it does.
        merged: files where the project had changed too.
    """

    entry: Entry[Decision]
    variant: str
    by: str
    plan_hash: str | None = None
    override: str = ""
    merged: tuple[str, ...] = ()


def promotion_message(experiment: Experiment, decided: Decided) -> Message:
    """The evidence for the variant, for people in the body and for machines in the trailers."""
    decision, estimate = decided.entry.content, _estimate(experiment, decided)
    trailers = [("Experiment-Id", experiment.id)]
    trailers += [("Plan-Hash", decided.plan_hash)] if decided.plan_hash else []
    trailers.append(("Verdict", decision.verdict))
    if estimate is not None:
        trailers += [
            ("Metric", experiment.primary.name),
            ("Lift", _percent(estimate.lift)),
            ("CI", f"{_percent(estimate.lift_low)} to {_percent(estimate.lift_high)} ({estimate.confidence:.4g})"),
            ("P-Value", "none" if estimate.p_value is None else f"{estimate.p_value:.3g}"),
            ("Trials", str(estimate.n_control + estimate.n_treatment)),
        ]
    trailers.append(("Decided-By", decided.by))
    if decided.override:
        trailers.append(("Override", decided.override))
    body = "\n\n".join(_sentences(experiment, decided))
    return Message(f"experiment: promote {experiment.id}: {experiment.name}", body, tuple(trailers))


def rollback_message(experiment: Experiment, undone: RollBack) -> Message:
    """Why the variant goes, and which commit is undone."""
    trailers = [("Experiment-Id", experiment.id)]
    trailers += [("Reason", undone.reason)] if undone.reason else []
    trailers += [("Regression", undone.regression)] if undone.regression else []
    trailers.append(("Reverts", str(undone.reverts)))
    body = f"Later changes are kept in {listed(undone.merged, 5)}." if undone.merged else ""
    return Message(f"experiment: roll back {experiment.id}", body, tuple(trailers))


def pull_request(experiment: Experiment, decided: Decided, *, deviations: Sequence[str]) -> str:
    """The body of a pull request: what changes and why, then the whole experiment."""
    from experiment_tracker_tools.reports.contents import contents
    from experiment_tracker_tools.reports.markdown import inert, markdown
    from experiment_tracker_tools.reports.record import Record

    told = "\n\n".join(inert(sentence) for sentence in _sentences(experiment, decided))
    back = f"To undo it once it is merged: `experiment-tracker rollback {experiment.id}`."
    decision = decided.entry.content
    whole = markdown(contents(Record(experiment, look=decision.look, decision=decision, deviations=deviations)))
    return f"{told}\n\n{back}\n\n{whole}"


def _sentences(experiment: Experiment, decided: Decided) -> list[str]:
    estimate = _estimate(experiment, decided)
    told = "no effect was computed" if estimate is None else change_in_words(experiment.primary, estimate)
    said = [f"{decided.variant}: {told}."]
    if decided.override:
        said.append(f"Promoted against the verdict {decided.entry.content.verdict}: {decided.override}")
    if decided.merged:
        said.append(f"Merged with what changed since the variants were captured in {listed(decided.merged, 5)}.")
    return said


def _estimate(experiment: Experiment, decided: Decided) -> Estimate | None:
    return next(
        (
            estimate
            for estimate in decided.entry.content.look.estimates
            if estimate.metric == experiment.primary.name and estimate.treatment == decided.variant
        ),
        None,
    )


def _percent(fraction: float | None) -> str:
    return "unknown" if fraction is None else f"{fraction:+.2%}"
