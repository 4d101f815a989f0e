"""What a planner is told about a plan that was just kept."""

from typing import NamedTuple, cast

from experiment_tracker_tools.analysis.forecast import forecast
from experiment_tracker_tools.analysis.hypothesis import Finding, lint
from experiment_tracker_tools.analysis.worth import worth
from experiment_tracker_tools.conduct.capturing import capture_notes
from experiment_tracker_tools.conduct.drafting import Draft
from experiment_tracker_tools.conduct.lessons import lessons
from experiment_tracker_tools.conduct.live.planning import live_notes
from experiment_tracker_tools.conduct.neighbours import check_no_collision
from experiment_tracker_tools.conduct.sizing import Sizing
from experiment_tracker_tools.conduct.starting import unenforced
from experiment_tracker_tools.core.errors import Conflict
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import Phase
from experiment_tracker_tools.domain.wish import Wish
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.settings import Resolved, ours

_MOST_PAST = 3


class Told(NamedTuple):
    """Texts of the reply, as `Designed` names them."""

    power: str
    operating: str
    forecast: str
    worth: str | None
    hypothesis: tuple[str, ...]
    past: tuple[str, ...]
    learned: tuple[str, ...]
    filled_in: tuple[str, ...]
    settings: dict[str, str]
    not_enforced: tuple[str, ...]
    advice: tuple[str, ...]


def told_of(workspace: Workspace, experiment: Experiment, draft: Draft) -> Told:
    """Everything that the caller should know and did not say."""
    plan, settings, sizing = experiment.plan, draft.settings, draft.sizing
    needs = forecast(
        experiment.variants,
        plan.sample_size,
        units_per_day=plan.units_per_day,
        cost_per_trial=plan.cost_per_trial,
        phases=plan.phases,
    )
    told = settings.sources.get("runtime_days", "default") != "default"
    basis = "call" if draft.explicit else "power analysis" if sizing.sample_size == sizing.needed else _rule(draft)
    sources = {
        name: f"{_shown(name, settings)} ({source})"
        for name, source in settings.sources.items()
        if source != "default" or name in ours().model_fields_set
    }
    return Told(
        power=_power_in_words(sizing, draft.assurance),
        operating=_operating_in_words(experiment),
        forecast=needs.told(most_days=plan.max_runtime_days),
        worth=worth(experiment.type, nature=plan.nature, certainty=plan.certainty),
        hypothesis=_hypothesis(lint(experiment.hypothesis, experiment.primary, runtime_told=told)),
        past=tuple(tried.told for tried in draft.tried[:_MOST_PAST]),
        learned=tuple(lesson.told for lesson in lessons(workspace, experiment)),
        filled_in=draft.filled_in,
        settings={"sample_size": f"{sizing.sample_size} ({basis})", **sources},
        not_enforced=unenforced(experiment),
        advice=(*_advice(workspace, experiment, draft), *capture_notes(experiment), *live_notes(experiment)),
    )


def _advice(workspace: Workspace, experiment: Experiment, draft: Draft) -> list[str]:
    sizing = draft.sizing
    advice = list(sizing.advice)
    try:
        check_no_collision(workspace, experiment.subject, experiment.plan, own=experiment.id)
    except Conflict as conflict:
        advice.append(f"It cannot start yet: {conflict}")
    if not experiment.plan.eligibility.everyone:
        takes = experiment.plan.eligibility.told
        advice.append(f"Takes only {takes}: units, days and units_per_day are of those; others get control.")
    if sizing.unknown is not None:
        advice.append(f"No power analysis: {sizing.unknown}.")
    if draft.settings.values.catastrophic_loss and experiment.primary.kind == "ratio":
        advice.append(f"No breaker on a catastrophic loss: {experiment.primary.name} is a ratio; watch its numerator.")
    for metric in experiment.metrics:
        if metric.role == "leading":
            advice.append(f"{metric.name} is leading: an early sign that never decides.")
        if metric.role == "lagging" and metric.due_days is not None:
            told = f"{metric.name} is lagging: due {metric.due_days:g} days after the decision"
            advice.append(f"{told}, and re-opens it if it contradicts.")
            kept = experiment.plan.privacy.retention_days
            if metric.due_days >= kept:
                mend = "it can re-open nothing. Raise privacy.retention_days."
                advice.append(
                    f"{metric.name} is due after {metric.due_days:g} days, rows are erased after {kept:g}: {mend}"
                )
    return advice


def _rule(draft: Draft) -> str:
    return "recommended" if draft.sizing.sample_size == draft.settings.values.recommended_sample_size else "minimum"


def _hypothesis(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """What is met on one line, what is not on one line each."""
    met = [each.criterion for each in findings if each.hint is None]
    return (*([f"ok: {', '.join(met)}"] if met else []), *(each.line for each in findings if each.hint is not None))


def _shown(name: str, settings: Resolved) -> str:
    value = getattr(settings.values, name)
    if isinstance(value, Model):
        return value.model_dump_json(exclude_defaults=True)
    if name == "traffic_allocation" and settings.sources[name] == "default":
        return "equal shares"
    if isinstance(value, tuple):
        each_one = cast("tuple[object, ...]", value)
        return ", ".join(each.told if isinstance(each, Wish | Phase) else str(each) for each in each_one)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _operating_in_words(experiment: Experiment) -> str:
    from experiment_tracker_tools.analysis.operating import operating

    found = operating(experiment)
    return f"not simulated: {found}" if isinstance(found, str) else found.told


def _power_in_words(sizing: Sizing, assurance: float | None) -> str:
    able = f"{sizing.sample_size} a variant detect {sizing.detects_sd:.2g} standard deviations at the planned power"
    power = [] if sizing.power is None else [f"{sizing.power:.0%} for the mde"]
    over = [] if assurance is None else [f"{assurance:.0%} over the prior"]
    return "; ".join([*power, *over, able])
