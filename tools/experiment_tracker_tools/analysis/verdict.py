"""From a look to exactly one verdict; the first rule that matches wins."""

from typing import NamedTuple

from experiment_tracker_tools.analysis.look import alpha_of
from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.domain.decision import Estimate, Look, Verdict
from experiment_tracker_tools.domain.experiment import Experiment

SRM_HALT = 0.001


class Judgement(NamedTuple):
    """A verdict, the variant it ships (SHIP only), and its reasons, each with its numbers."""

    verdict: Verdict
    winner: str | None
    reasons: tuple[str, ...]


def judge(experiment: Experiment, look: Look) -> Judgement:
    """Apply the plan's rules to a look.

    HALT (units did not arrive in the planned shares), CONTINUE (the plan's look is not due), INCONCLUSIVE (an early
    stop, or variants that are equal byte for byte), SHIP (the primary's test rejects in the good direction and every
    guardrail is shown safe), INVESTIGATE (it rejects, but a guardrail is not shown safe), KEEP_CONTROL (it rejects in
    the bad direction), else INCONCLUSIVE.
    """
    if look.srm_p is not None and look.srm_p < SRM_HALT:
        return Judgement("HALT", None, (_mismatch(experiment, look),))
    if look.standing == "interim":
        return Judgement("CONTINUE", None, (_progress(look), *look.notes))
    if look.standing == "exploratory":
        return Judgement("INCONCLUSIVE", None, look.notes)
    return _judge_final(experiment, look)


def _judge_final(experiment: Experiment, look: Look) -> Judgement:
    of_primary = [estimate for estimate in look.estimates if estimate.metric == experiment.primary.name]
    primaries = [estimate for estimate in of_primary if not _is_copy(experiment, estimate)]
    better = [e for e in primaries if is_significant(experiment, e) and _gain(experiment, e) > 0]
    if better:
        return _shipped_or_not(experiment, look, sorted(better, key=lambda e: -_gain(experiment, e)))
    copies = tuple(_copied(estimate) for estimate in of_primary if _is_copy(experiment, estimate))
    reasons = (*(_told(experiment, estimate) for estimate in primaries), *copies, *look.notes)
    worse = primaries and all(is_significant(experiment, estimate) for estimate in primaries)
    return Judgement("KEEP_CONTROL" if worse else "INCONCLUSIVE", None, reasons)


def _is_copy(experiment: Experiment, estimate: Estimate) -> bool:
    """Whether a treatment's files equal control's, so that there is nothing to ship whatever the numbers say."""
    return experiment.capture is not None and experiment.capture.variants[estimate.treatment].identical


def _copied(estimate: Estimate) -> str:
    shown = "not computable" if estimate.p_value is None else f"{estimate.p_value:.2g}"
    return f"{estimate.treatment} equals control byte for byte: there is nothing to ship, whatever p ({shown}) says."


def is_significant(experiment: Experiment, estimate: Estimate) -> bool:
    """Whether the primary's test rejects at this comparison's share of alpha; without a p-value it never does."""
    return estimate.p_value is not None and estimate.p_value < alpha_of(experiment)


def _shipped_or_not(experiment: Experiment, look: Look, better: list[Estimate]) -> Judgement:
    """SHIP the largest gain whose guardrails all pass; INVESTIGATE when none passes."""
    doubts: list[str] = []
    for estimate in better:
        unsafe = [e for e in look.estimates if e.treatment == estimate.treatment and e.safe is not None and not e.safe]
        unsafe += [e for e in _guardrails(experiment, look) if e.treatment == estimate.treatment and e.safe is None]
        if not unsafe:
            return Judgement("SHIP", estimate.treatment, (_told(experiment, estimate), *doubts, *look.notes))
        doubts += [_told(experiment, estimate), *(_not_safe(experiment, e) for e in unsafe)]
    return Judgement("INVESTIGATE", None, (*doubts, *look.notes))


def _guardrails(experiment: Experiment, look: Look) -> list[Estimate]:
    names = {metric.name for metric in experiment.metrics if metric.role == "guardrail"}
    return [estimate for estimate in look.estimates if estimate.metric in names]


def _gain(experiment: Experiment, estimate: Estimate) -> float:
    """The effect in the primary's good direction; the sign that decides is that of the tested statistic."""
    sign = 1 if experiment.primary.direction == "increase" else -1
    return sign * (estimate.lift if estimate.lift is not None else estimate.effect or 0.0)


def _told(experiment: Experiment, estimate: Estimate) -> str:
    metric = next(metric for metric in experiment.metrics if metric.name == estimate.metric)
    p = "p not computable" if estimate.p_value is None else f"p = {estimate.p_value:.2g}"
    rule = f"{'<' if is_significant(experiment, estimate) else 'not below'} {alpha_of(experiment):.3g}"
    words = change_in_words(metric, estimate)
    untold = estimate.p_value is None and estimate.reason is not None and estimate.reason not in words
    why = f" ({estimate.reason})" if untold else ""
    return f"{estimate.treatment}: {words}; {p}{why}, {rule}."


def _not_safe(experiment: Experiment, estimate: Estimate) -> str:
    metric = next(metric for metric in experiment.metrics if metric.name == estimate.metric)
    bound = f"margin {metric.margin:.1%}" if metric.margin is not None else f"limit {metric.limit:g}"
    state = "is not shown to be within" if estimate.safe is False else "cannot be tested against"
    return f"Guardrail {estimate.metric} of {estimate.treatment} {state} its {bound} (one-sided 5%)."


def _mismatch(experiment: Experiment, look: Look) -> str:
    shares = ", ".join(f"{variant.name} {variant.share:.0%}" for variant in experiment.variants)
    units = ", ".join(f"{name} {n}" for name, n in look.units.items())
    return f"Units arrived as {units}, planned {shares}: sample ratio mismatch, p = {look.srm_p:.2g} < {SRM_HALT}."


def _progress(look: Look) -> str:
    units = ", ".join(f"{name} {n}" for name, n in look.units.items())
    return f"{units} of {look.planned} units a variant; a fixed plan shows no effect before its one look."
