"""Verb: whether what somebody says about an experiment is what its data say."""

from typing import Annotated

from pydantic import StringConstraints

from experiment_tracker_tools.analysis.claims import Judged, judge_claim, read_claim
from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.conduct.advice import next_action, uri_of
from experiment_tracker_tools.conduct.memory import found
from experiment_tracker_tools.conduct.verdicts import final_decision
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.core.text import listed, quoted
from experiment_tracker_tools.domain.base import ExperimentId, Model, Slug
from experiment_tracker_tools.domain.decision import Decision, Estimate
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.workspace import Workspace

_DIFFERENT = {"wins", "not_worthwhile", "worse"}
Sentence = Annotated[str, StringConstraints(min_length=3, max_length=500)]


class Checked(Model):
    """What check_claim answers.

    Attributes:
        claim: "supported", "contradicted" or "not supported".
        why: the reason, with its numbers.
        experiment, metric, treatment: what the claim was held against.
        lift, interval: of the treatment against control, as fractions, at `confidence`.
        write: a sentence that one may write instead.
        uri, next_action: where the rest is, and what to do now.
    """

    claim: Judged
    why: str
    experiment: ExperimentId | None = None
    metric: Slug | None = None
    treatment: Slug | None = None
    lift: float | None = None
    interval: tuple[float, float] | None = None
    confidence: float | None = None
    write: str
    uri: str | None = None
    next_action: str


@tool("Check a claim", read_only=True, idempotent=True)
def check_claim(
    workspace: Workspace, *, claim: Sentence, experiment: ExperimentId | None = None, metric: Slug | None = None
) -> Checked:
    """Hold a sentence ("the new prompt is 20% faster") against an experiment's recorded verdict, never raw trials."""
    tested = _experiment(workspace, claim, experiment)
    if tested is None:
        return Checked(
            claim="not supported",
            why="no experiment matches this sentence",
            write="Nothing has been measured yet.",
            next_action="Name the experiment, or plan one: design_experiment.",
        )
    chosen = _metric(tested, claim, metric)
    decision = final_decision(workspace, tested.id)
    estimate = None if decision is None else _estimate(decision, chosen, claim)
    if decision is None or estimate is None:
        why = f"{tested.id} is {tested.state} without a verdict" if decision is None else "no estimate was recorded"
        return Checked(
            claim="not supported",
            why=why,
            experiment=tested.id,
            metric=chosen.name,
            write=f"{chosen.name} has not been decided yet.",
            uri=uri_of(tested.id),
            next_action=next_action(tested),
        )
    return _checked(tested, decision, chosen, estimate, claim)


def _checked(experiment: Experiment, decision: Decision, metric: Metric, estimate: Estimate, claim: str) -> Checked:
    confirmed = _is_confirmed(metric, decision, estimate)
    judged = judge_claim(
        read_claim(claim, metric, control=experiment.control.name.replace("_", " ")), estimate, confirmed=confirmed
    )
    told = change_in_words(metric, estimate)
    if not confirmed:
        told = f"{metric.name}: no difference was shown ({told})"
    return Checked(
        claim=judged.judged,
        why=judged.why,
        experiment=experiment.id,
        metric=metric.name,
        treatment=estimate.treatment,
        lift=None if estimate.lift is None else _short(estimate.lift),
        interval=_interval(estimate),
        confidence=round(estimate.confidence, 6),
        write=f"{estimate.treatment} against {experiment.control.name}, {experiment.id}: {told}.",
        uri=uri_of(experiment.id),
        next_action="Write that sentence, with its interval.",
    )


def _experiment(workspace: Workspace, claim: str, experiment: str | None) -> Experiment | None:
    if experiment is not None:
        return workspace.ledger.experiment(experiment)
    hits = found(workspace, claim, limit=1)
    return workspace.ledger.experiment(hits[0].experiment) if hits else None


def _metric(experiment: Experiment, claim: str, name: str | None) -> Metric:
    """The metric that is named, in the call or in the sentence; else the primary."""
    if name is not None:
        named = [metric for metric in experiment.metrics if metric.name == name]
        if not named:
            known = listed([metric.name for metric in experiment.metrics])
            raise InvalidInput(f"Unknown metric {quoted(name)}. {experiment.id} measures: {known}.")
        return named[0]
    words = claim.casefold()
    return next((m for m in experiment.metrics if m.name.replace("_", " ") in words), experiment.primary)


def _estimate(decision: Decision, metric: Metric, claim: str) -> Estimate | None:
    """Of the treatment that is named, else the winner, else the first."""
    of_metric = [estimate for estimate in decision.look.estimates if estimate.metric == metric.name]
    words = claim.casefold()
    named = [estimate for estimate in of_metric if estimate.treatment.replace("_", " ") in words]
    winning = [estimate for estimate in of_metric if estimate.treatment == decision.winner]
    return next(iter((*named, *winning, *of_metric)), None)


def _is_confirmed(metric: Metric, decision: Decision, estimate: Estimate) -> bool:
    """Whether the plan's own test shows a difference, at its boundary where it has one."""
    look = decision.look
    if estimate.label != "confirmatory" or look.standing == "exploratory":
        return False
    if metric.role != "primary":
        return estimate.shown in {"better", "worse"}
    if estimate.treatment in look.statuses:
        return look.statuses[estimate.treatment] in _DIFFERENT
    # Verdicts of older versions: one look, at this comparison's level.
    return look.standing == "final" and estimate.p_value is not None and estimate.p_value < 1 - estimate.confidence


def _interval(estimate: Estimate) -> tuple[float, float] | None:
    low, high = estimate.lift_low, estimate.lift_high
    return None if low is None or high is None else (_short(low), _short(high))


def _short(value: float) -> float:
    """Six digits, as `analyze` tells."""
    return float(f"{value:.6g}")
