"""One experiment as a Markdown document: empty sections are left out, and recorded text is quoted as text."""

import re
from collections.abc import Sequence

from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.domain.decision import Decision, Promotion, RollBack
from experiment_tracker_tools.domain.experiment import Experiment

_ACTIVE = re.compile(r"([\\`*_{}\[\]()<>#+!|~-])")


def document(
    experiment: Experiment,
    *,
    decision: Decision | None = None,
    promotion: Promotion | None = None,
    rollback: RollBack | None = None,
    deviations: Sequence[str] | None = None,
) -> str:
    """The experiment from hypothesis to outcome; of deviations nothing is said where nobody asked for them."""
    sections = [
        _overview(experiment),
        _hypothesis(experiment),
        _design(experiment),
        _results(experiment, decision),
        _outcome(decision, promotion, rollback),
        _deviations(experiment, deviations),
        _history(experiment),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def inert(text: str) -> str:
    """Recorded text that renders as itself, on one line.

    >>> inert("<b>x</b> [y](z)")
    '\\\\<b\\\\>x\\\\</b\\\\> \\\\[y\\\\]\\\\(z\\\\)'
    """
    return _ACTIVE.sub(r"\\\1", " ".join(text.split()))


def _overview(experiment: Experiment) -> str:
    tags = f", tags {', '.join(experiment.tags)}" if experiment.tags else ""
    return (
        f"# {inert(experiment.name)}\n\n{experiment.id}, {experiment.type}, **{experiment.state}**, "
        f"owner {inert(experiment.owner)}{tags}"
    )


def _hypothesis(experiment: Experiment) -> str:
    held = experiment.hypothesis
    parts = (("Change", held.change), ("Impact", held.impact), ("Reasoning", held.reasoning))
    return "## Hypothesis\n\n" + "\n".join(f"- {title}: {inert(text)}" for title, text in parts)


def _design(experiment: Experiment) -> str:
    plan = experiment.plan
    variants = "\n".join(
        f"| {variant.name} | {variant.share:.4g} | {'control' if variant.control else inert(variant.source or '')} |"
        for variant in experiment.variants
    )
    metrics = "\n".join(
        f"| {metric.name} | {metric.role} | {metric.kind} | {metric.direction} | {inert(metric.unit or '')} |"
        for metric in experiment.metrics
    )
    return (
        f"## Design\n\nMethod {plan.method}, alpha {plan.alpha:g}, power {plan.power:g}, {plan.sample_size} units a "
        f"variant, {plan.min_runtime_days:g} to {plan.max_runtime_days:g} days.\n\n"
        f"| variant | share | source |\n|---|---|---|\n{variants}\n\n"
        f"| metric | role | kind | good is | unit |\n|---|---|---|---|---|\n{metrics}"
    )


def _results(experiment: Experiment, decision: Decision | None) -> str:
    if decision is None or not decision.look.estimates:
        return ""
    metrics = {metric.name: metric for metric in experiment.metrics}
    rows = "\n".join(
        f"| {e.metric} | {e.treatment} | {inert(change_in_words(metrics[e.metric], e))} | "
        f"{'none' if e.p_value is None else f'{e.p_value:.3g}'} | {e.n_control} + {e.n_treatment} | {e.test} |"
        for e in decision.look.estimates
    )
    return f"## Results\n\n| metric | treatment | change | p | n | test |\n|---|---|---|---|---|---|\n{rows}"


def _outcome(decision: Decision | None, promotion: Promotion | None, rollback: RollBack | None) -> str:
    lines: list[str] = []
    if decision is not None:
        lines += [f"**{decision.verdict}**", *(f"- {inert(reason)}" for reason in decision.reasons)]
        lines += [f"- Rationale: {inert(decision.rationale)}"] if decision.rationale else []
    if promotion is not None:
        lines.append(f"- Promoted {promotion.variant} by {promotion.commit} on {inert(promotion.branch)}")
    if rollback is not None:
        what = f"{rollback.reverts} undone by {rollback.commit}" if rollback.commit else "nothing had been promoted"
        lines.append(f"- Rolled back: {what}. {inert(rollback.reason)}".rstrip())
    return "## Decision\n\n" + "\n".join(lines) if lines else ""


def _deviations(experiment: Experiment, deviations: Sequence[str] | None) -> str:
    """What was not as planned; that there was nothing is told too, once it has run."""
    if deviations is None or experiment.entered("running") is None:
        return ""
    told = "\n".join(f"- {inert(each)}" for each in deviations) or "None: everything went as sealed."
    return f"## Deviations from the plan\n\n{told}"


def _history(experiment: Experiment) -> str:
    steps = "\n".join(
        f"- {step.at:%Y-%m-%d %H:%M} UTC {step.state} ({step.by}){f': {inert(step.reason)}' if step.reason else ''}"
        for step in experiment.history
    )
    return f"## History\n\n{steps}"
