"""What a result asks for next, from its shape."""

from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.decision import Decision, Estimate, Segment
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import PHASE

_DIFFERS = 0.05
_OPEN = {"INCONCLUSIVE", "STOP_FUTILE", "EXTEND"}
_BY_VERDICT = {
    "DO_NOT_SHIP": "The gain is real and too small: plan a bolder variant of the same idea.",
    "EQUIVALENT": "No difference worth having: take the simpler or cheaper variant, and spend the units elsewhere.",
    "ITERATE": "People like it and the metric is flat: plan its next version with `iterates`.",
    "HALT": "The data cannot be trusted: mend the collection, then plan the same again.",
}


def follow_ups(experiment: Experiment, decision: Decision) -> tuple[str, ...]:
    """Experiments worth planning after a verdict.

    Underpowered, a guardrail harmed, segments or phases that differ, a gain too small, a loss.
    """
    found = [*_underpowered(experiment, decision), *_harmed(experiment, decision), *_targeted(experiment, decision)]
    found += _wandering(decision)
    if decision.verdict in _BY_VERDICT:
        found.append(_BY_VERDICT[decision.verdict])
    if decision.verdict in {"KEEP_CONTROL", "ROLL_BACK"}:
        found.append("The treatment is worse: say in a learning what harmed, and plan a variant without it.")
    return tuple(found)


def _underpowered(experiment: Experiment, decision: Decision) -> list[str]:
    needed = decision.look.resolving_n
    if decision.verdict not in _OPEN or needed is None or needed <= experiment.plan.horizon:
        return []
    return [f"Underpowered: about {needed:,} units a variant would resolve it (it had {experiment.plan.horizon:,})."]


def _harmed(experiment: Experiment, decision: Decision) -> list[str]:
    """Guardrails whose whole interval lies on the bad side."""
    metrics = {metric.name: metric for metric in experiment.metrics if metric.role == "guardrail"}
    return [
        f"{each.treatment} harmed {each.metric} ({change_in_words(metrics[each.metric], each)}): plan a variant that "
        f"keeps {each.metric}."
        for each in decision.look.estimates
        if each.metric in metrics and _is_worse(each, good=metrics[each.metric].direction)
    ]


def _targeted(experiment: Experiment, decision: Decision) -> list[str]:
    """The best segment of every attribute by which the effect differs; what was looked for must be shown anew."""
    sign, best = 1 if experiment.primary.direction == "increase" else -1, dict[str, tuple[float, Segment]]()
    for segment in decision.look.segments:
        low, high, p = segment.estimate.lift_low, segment.estimate.lift_high, segment.differs_p
        if p is None or p >= _DIFFERS or low is None or high is None or segment.attribute == PHASE:
            continue
        least = min(sign * low, sign * high)
        if least > 0 and least > best.get(segment.attribute, (0.0, segment))[0]:
            best[segment.attribute] = (least, segment)
    return [
        f"The effect differs by {name} (p = {each.differs_p:.2g}): plan one on {name} {quoted(each.value, 40)} alone "
        f"({change_in_words(experiment.primary, each.estimate)}); here it was looked for, so that it is no proof."
        for name, (_, each) in best.items()
    ]


def _wandering(decision: Decision) -> list[str]:
    """An effect that was another one in another phase of exposure."""
    differs = (each.differs_p for each in decision.look.segments if each.attribute == PHASE)
    p = next((p for p in differs if p is not None and p < _DIFFERS), None)
    told = "The effect differs between the phases of exposure (p = {:.2g}): who came changed, or a novelty wears off."
    return [] if p is None else [f"{told.format(p)} Find out which before you rely on it."]


def _is_worse(estimate: Estimate, *, good: str) -> bool:
    low, high = estimate.ci_low, estimate.ci_high
    if low is None or high is None:
        return False
    return high < 0 if good == "increase" else low > 0
