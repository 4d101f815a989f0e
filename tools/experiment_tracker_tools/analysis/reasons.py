"""The sentences of a verdict: each names its numbers and the rule that it follows."""

from collections.abc import Sequence

from experiment_tracker_tools.analysis.rules import success_alphas
from experiment_tracker_tools.analysis.wording import change_in_words, number
from experiment_tracker_tools.domain.decision import Estimate, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric


def metric_of(experiment: Experiment, estimate: Estimate) -> Metric:
    """The metric that an estimate is of."""
    return next(metric for metric in experiment.metrics if metric.name == estimate.metric)


def told(experiment: Experiment, estimate: Estimate) -> str:
    """A treatment's change with its p-value and what that is held against."""
    alpha = success_alphas(experiment)[0]
    words = change_in_words(metric_of(experiment, estimate), estimate)
    untold = estimate.p_value is None and estimate.reason is not None and estimate.reason not in words
    why = f" ({estimate.reason})" if untold else ""
    if estimate.p_value is None:
        return f"{estimate.treatment}: {words}; p not computable{why}."
    below = "<" if estimate.p_value < alpha else "not below"
    kind = " stage-wise" if estimate.interval == "stage-wise" else ""
    if estimate.interval == "repeated":
        return f"{estimate.treatment}: {words} (interval valid at every look)."
    return f"{estimate.treatment}: {words};{kind} p = {estimate.p_value:.2g}, {below} {alpha:.3g}."


def secondaries_told(experiment: Experiment, turns: Sequence[Estimate]) -> str:
    """What the confirmatory secondaries of a winner have shown."""
    words = {"better": "shown", "worse": "shown to be WORSE", "nothing": "not shown"}
    parts = [f"{change_in_words(metric_of(experiment, e), e)}: {words[e.shown or 'nothing']}" for e in turns]
    return f"After the primary, at its alpha (Holm): {'; '.join(parts)}."


def copied(estimate: Estimate) -> str:
    """Why an A/A experiment ships nothing."""
    shown = "not computable" if estimate.p_value is None else f"{estimate.p_value:.2g}"
    return f"{estimate.treatment} equals control byte for byte: there is nothing to ship, whatever p ({shown}) says."


def not_safe(experiment: Experiment, estimate: Estimate) -> str:
    """A guardrail that its safety test has not passed."""
    metric = metric_of(experiment, estimate)
    bound = f"margin {metric.margin:.1%}" if metric.margin is not None else f"limit {metric.limit:g}"
    state = "cannot be tested against" if estimate.p_value is None else "is not shown to be within"
    return f"Guardrail {estimate.metric} of {estimate.treatment} {state} its {bound} (one-sided 5%)."


def mismatch(experiment: Experiment, look: Look, *, limit: float) -> str:
    """Units that did not arrive as planned."""
    shares = ", ".join(f"{variant.name} {variant.share:.0%}" for variant in experiment.variants)
    units = ", ".join(f"{name} {n}" for name, n in look.units.items())
    return f"Units arrived as {units}, planned {shares}: sample ratio mismatch, p = {look.srm_p:.2g} < {limit}."


def progress(experiment: Experiment, look: Look) -> str:
    """How far it has come, and what going on would take and bring."""
    units = ", ".join(f"{name} {n}" for name, n in look.units.items())
    horizon = experiment.plan.horizon
    if experiment.plan.method == "fixed":
        return f"{units} of {look.planned} units a variant; a fixed plan shows no effect before its one look."
    seen = f" Look {look.looks} at {look.information:.0%} of the information." if look.information else ""
    if look.ahead is None:
        return f"{units} units; no horizon.{seen}" if experiment.plan.method == "always_valid" else f"{units}.{seen}"
    days = "" if look.ahead.days is None else f", about {number(look.ahead.days)} days at this rate"
    chance = "" if look.ahead.chance is None else f", chance {look.ahead.chance:.0%} that it resolves by then"
    return f"{units} of {horizon} units a variant; {look.ahead.units} more{days}{chance}.{seen}"


def futile_told(experiment: Experiment, look: Look) -> str:
    """Why it is advised to stop."""
    mde = experiment.primary.mde
    gain = "the planned gain" if mde is None else f"a gain of the mde ({mde:.0%})"
    at = f" at {look.information:.0%} of the information" if look.information is not None else ""
    return f"z lies below the futility boundary{at}: {gain} has become unlikely. Advice; going on costs no error rate."


def equivalent_told(experiment: Experiment, look: Look) -> tuple[str, ...]:
    """The margin within which the effect lies, and which variant is the cheaper."""
    margin = experiment.plan.equivalence_margin or experiment.primary.mde or 0.0
    named = ", ".join(name for name, status in look.statuses.items() if status == "equivalent")
    within = f"{named}: both one-sided tests (5% each) show the effect within ±{margin:.1%} of control."
    return (within, cheaper(experiment, look))


def cheaper(experiment: Experiment, look: Look) -> str:
    """Which of equivalent variants costs less, by the plan's metric."""
    name = experiment.plan.cheaper_by
    costs: dict[str, float] = {}
    for each in look.estimates:
        if each.metric == name and each.mean_control is not None and each.mean_treatment is not None:
            costs |= {experiment.control.name: each.mean_control, each.treatment: each.mean_treatment}
    if not costs:
        return "Take the cheaper or simpler."
    metric = next(metric for metric in experiment.metrics if metric.name == name)
    best = (min if metric.direction == "decrease" else max)(costs, key=lambda variant: costs[variant])
    listed = ", ".join(f"{variant} {number(cost)}" for variant, cost in costs.items())
    return f"The cheaper by {name} is {best} ({listed})."


def resolving(experiment: Experiment, look: Look) -> tuple[str, ...]:
    """The units that would resolve what is open."""
    mde = experiment.primary.mde
    if look.resolving_n is None or mde is None:
        return ()
    power = f"{experiment.plan.power:.0%} power"
    if look.resolving_n <= min(look.units.values(), default=0):
        return (f"The units suffice for an mde of {mde:.0%} at {power}: the effect, if any, is smaller.",)
    return (f"With the noise seen, {look.resolving_n:,} units a variant find the mde of {mde:.0%} at {power}.",)
