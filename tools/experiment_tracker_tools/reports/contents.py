"""The document of one experiment: what it says, in the order of the field; empty fields are left out."""

from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.reports.findings import (
    deviations,
    health,
    impact,
    learnings,
    made_under,
    next_steps,
    opinions,
    options,
    outcome,
    results,
    segments,
)
from experiment_tracker_tools.reports.page import Page, Section, Table, page
from experiment_tracker_tools.reports.record import Record

_DAY_S = 86_400


def contents(record: Record) -> Page:
    """The experiment from summary to next steps."""
    experiment = record.experiment
    return page(
        experiment.name,
        _summary(record),
        _overview(record),
        _hypothesis(experiment),
        _success(experiment),
        _method(record),
        _variants(experiment),
        _assumptions(experiment),
        _privacy(experiment),
        _monitoring(experiment),
        made_under(record),
        results(record),
        segments(record),
        health(record),
        opinions(record),
        impact(record),
        deviations(record),
        outcome(record),
        options(record),
        learnings(record),
        next_steps(record),
        _history(record),
    )


def headline(record: Record) -> str:
    """The experiment in a sentence: its verdict with the primary's change, or where it stands."""
    experiment, decision = record.experiment, record.decision
    if decision is None:
        units = "" if record.look is None else f", {min(record.look.units.values())} of {record.look.planned} units"
        return f"{experiment.id} is {experiment.state}{units}; no verdict yet."
    primary = experiment.primary
    chosen = [e for e in decision.look.estimates if e.metric == primary.name]
    best = next((e for e in chosen if e.treatment == decision.winner), next(iter(chosen), None))
    change = f": {best.treatment}, {change_in_words(primary, best)}" if best is not None else ""
    return f"{decision.verdict}{change}."


def _summary(record: Record) -> Section:
    decision = record.decision
    lines = [headline(record), *(decision.reasons[:2] if decision else ())]
    return Section("Executive summary", (record.experiment.hypothesis.change, *lines))


def _overview(record: Record) -> Section:
    experiment = record.experiment
    points = [f"Id: {experiment.id}", f"Type: {experiment.type}", f"State: {experiment.state}"]
    points += [f"Owner: {experiment.owner}"]
    points += [f"Tags: {', '.join(experiment.tags)}"] if experiment.tags else []
    points += [f"Iterates: {experiment.iterates}"] if experiment.iterates else []
    subject = experiment.subject
    points += [f"Files: {', '.join(subject.files[:20])}"] if subject.files else []
    points += [f"Flag: {subject.flag}"] if subject.flag else []
    if record.started is not None:
        ended = record.ended
        until = (
            ""
            if ended is None
            else f" to {ended:%Y-%m-%d}, {(ended - record.started).total_seconds() / _DAY_S:.2g} days"
        )
        points.append(f"Ran: from {record.started:%Y-%m-%d}{until}")
    if record.look is not None and record.decision is not None:
        units = ", ".join(f"{name} {n}" for name, n in record.look.units.items())
        points.append(f"Units: {units} (planned: {record.look.planned} a variant)")
    if record.outside:
        left = ", ".join(f"{why} {n}" for why, n in sorted(record.outside.items()))
        points.append(f"Outside, with control and not analysed: {left}")
    return Section("Overview", points=tuple(points))


def _hypothesis(experiment: Experiment) -> Section:
    held = experiment.hypothesis
    told = (("Change", held.change), ("Impact", held.impact), ("Reasoning", held.reasoning))
    return Section("Hypothesis", points=tuple(f"{title}: {text}" for title, text in told))


def _success(experiment: Experiment) -> Section:
    rows = tuple(
        (
            metric.name,
            metric.role,
            metric.kind,
            f"{metric.direction}s",
            metric.unit or "",
            _asked_of(experiment, metric),
        )
        for metric in experiment.metrics
    )
    head = ("metric", "role", "kind", "good if it", "unit", "what is asked of it")
    return Section("Success criteria", table=Table(head, rows))


def _asked_of(experiment: Experiment, metric: Metric) -> str:
    asked = [f"detect {metric.mde:.3g}"] if metric.mde is not None else []
    if metric.role == "primary" and experiment.plan.min_worthwhile:
        asked.append(f"worth at least {experiment.plan.min_worthwhile:.3g}")
    asked += [f"lose at most {metric.margin:.3g} of control"] if metric.margin is not None else []
    asked += [f"stay within {metric.limit:g}"] if metric.limit is not None else []
    asked += [f"known {metric.due_days:g} days after the decision"] if metric.due_days is not None else []
    return ", ".join(asked)


def _method(record: Record) -> Section:
    plan = record.experiment.plan
    points = [
        f"Method: {plan.method}, alpha {plan.alpha:g}, power {plan.power:g}",
        f"Sample: {plan.sample_size:,} units a variant" + (f", at most {plan.n_max:,}" if plan.n_max else ""),
        f"Runtime: {plan.min_runtime_days:g} to {plan.max_runtime_days:g} days",
        f"Assignment: {plan.scheme}" + (f" of {plan.block_size}" if plan.block_size else ""),
    ]
    points += [] if plan.eligibility.everyone else [f"Takes only: {plan.eligibility.told}"]
    points += [f"Exposure: {', then '.join(phase.told for phase in plan.phases)} of the units"] if plan.phases else []
    points += [f"Prior: mean {plan.belief.mean:g}, sd {plan.belief.sd:g}"] if plan.belief else []
    points += [f"Sealed plan: {record.sealed}"] if record.sealed else []
    return Section("Method and sample size", points=tuple(points))


def _variants(experiment: Experiment) -> Section:
    rows = tuple(
        (v.name, f"{v.share:.4g}", "control" if v.control else v.source or "", v.description)
        for v in experiment.variants
    )
    return Section("Variants", table=Table(("variant", "share", "source", "description"), rows))


def _assumptions(experiment: Experiment) -> Section:
    plan = experiment.plan
    points = ["Units differ between variants by chance alone: they are drawn, and the shares are checked."]
    points.append("A unit meets one variant and does not influence others.")
    if not plan.eligibility.everyone:
        points.append("What was found holds for whom the plan takes; others were not analysed.")
    if plan.layer is not None or plan.factorial:
        points.append("Other experiments run beside it on the same subject; their effects are taken to add up.")
    return Section("Causal assumptions", points=tuple(points))


def _privacy(experiment: Experiment) -> Section:
    held = experiment.plan.privacy
    points = [f"Purpose: {held.purpose}"] if held.purpose else []
    points += [f"Lawful basis: {held.lawful_basis}"] if held.lawful_basis else []
    points += ["Consent: required"] if held.requires_consent else []
    points += [f"Attributes: {', '.join(held.attributes)}"] if held.attributes else []
    points += [f"Rows are kept {held.retention_days:g} days after the end"] if points else []
    return Section("Privacy", points=tuple(points))


def _monitoring(experiment: Experiment) -> Section:
    plan = experiment.plan
    points = [f"Harm: one error budget of {plan.harm.budget:g}; automatic roll-back {_on(plan.automatic_rollback)}"]
    for breaker in plan.harm.breakers:
        bound = f"{breaker.times:g} times control's rate" if breaker.limit is None else f"{breaker.limit:g}"
        points.append(f"Breaker {breaker.name}: {breaker.metric}, {breaker.kind} {bound}")
    points += [f"Guardrail {metric.name}" for metric in experiment.metrics if metric.role == "guardrail"]
    points += [f"Afterwards: {metric.name}" for metric in experiment.metrics if metric.role == "lagging"]
    return Section("Monitoring plan", points=tuple(points))


def _on(value: bool) -> str:  # noqa: FBT001 a value to be told
    return "on" if value else "off"


def _history(record: Record) -> Section:
    points = [
        (step.at, f"{step.at:%Y-%m-%d %H:%M} UTC {step.state} ({step.by}){f': {step.reason}' if step.reason else ''}")
        for step in record.experiment.history
    ]
    for at, by, begun in ((entry.at, entry.by, entry.content) for entry in record.phases):
        why = f": {begun.early}" if begun.early else ""
        told = f"phase {begun.phase}, {100 * begun.share:g}% of the units ({by}){why}"
        points.append((at, f"{at:%Y-%m-%d %H:%M} UTC {told}"))
    return Section("History", points=tuple(told for _, told in sorted(points, key=lambda point: point[0])))
