"""Verb: plan an experiment and keep the plan."""

import getpass
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, WithJsonSchema

from experiment_tracker_tools.conduct.advice import next_action, uri_of
from experiment_tracker_tools.conduct.capturing import capture_for, capture_notes
from experiment_tracker_tools.conduct.live_planning import check_live, live_notes, with_attributes, with_guardrail
from experiment_tracker_tools.conduct.planning import Sizing, check_names, planned, sized, with_scheme, with_shares
from experiment_tracker_tools.core.errors import IllegalStep, InvalidInput
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import ExperimentId, Model, Number, Slug, Title
from experiment_tracker_tools.domain.experiment import Experiment, ExperimentType, Hypothesis, Step
from experiment_tracker_tools.domain.lifecycle import STEPS, State
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.variant import Subject, Variant
from experiment_tracker_tools.workspace import OURS, Preset, Resolved, Settings, Workspace, resolved

SampleSize = Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)]
# Told by its own resource, so that it costs every session a line and not a page.
PlanArgument = Annotated[
    PlanOptions, WithJsonSchema({"type": "object", "description": "further options: experiment://reference/plan"})
]
DEFAULT_VARIANTS = (Variant(name="control", control=True), Variant(name="treatment"))
NOT_ENFORCED = ("automatic_rollback", "feature_flags")


class Designed(Model):
    """What design_experiment answers.

    Attributes:
        experiment, name, state: what was stored.
        variants: share by variant, control first.
        primary, guardrails: names of the metrics that decide.
        sample_size: units per variant, in the smallest one.
        power: what that sample can show.
        settings: each value of the plan with its source.
        not_enforced: settings that are stored and have no effect yet.
        files: commit that holds each variant's files.
        advice: what the planner should know.
        uri, next_action: where the rest is, and what to do now.
    """

    experiment: ExperimentId
    name: Title
    state: State
    variants: dict[str, float]
    primary: Slug
    guardrails: tuple[Slug, ...] = ()
    sample_size: int
    power: str
    settings: dict[str, str]
    not_enforced: tuple[str, ...] = ()
    files: dict[str, str] | None = None
    advice: tuple[str, ...] = ()
    uri: str
    next_action: str


@tool("Design an experiment", most_bytes=2048)
def design_experiment(
    workspace: Workspace,
    *,
    name: Title,
    hypothesis: Hypothesis,
    metrics: Annotated[Sequence[Metric], Field(min_length=1, max_length=30)],
    type: ExperimentType = "feature",  # noqa: A002 the field's own word
    variants: Annotated[Sequence[Variant], Field(min_length=2, max_length=10)] = DEFAULT_VARIANTS,
    subject: Subject = Subject(),  # noqa: B008 it is frozen
    preset: Preset | None = None,
    sample_size: Annotated[SampleSize | None, Field(description="units per variant")] = None,
    alpha: Annotated[Number, Field(ge=1e-8, lt=0.5)] | None = None,
    power: Annotated[Number, Field(gt=0, lt=1)] | None = None,
    runtime_days: Annotated[Number, Field(gt=0, le=3650)] | None = None,
    min_runtime_days: Annotated[Number, Field(ge=0, le=3650)] | None = None,
    plan: PlanArgument = PlanOptions(),  # noqa: B008 it is frozen
    owner: Title | None = None,
    tags: Annotated[Sequence[Slug], Field(max_length=20)] = (),
    iterates: ExperimentId | None = None,
) -> Designed:
    """Plan an A/B experiment before any data: hypothesis, variants, one primary metric, guardrails, sample size.

    Files in git: subject {files}, each treatment's `source` (branch, commit, working-tree) or `text` {path: content}.
    Sample size comes from power analysis when the primary has mde, baseline and sd.
    """
    call = Settings.model_validate(
        plan.model_dump(exclude_none=True)
        | _given(
            confidence_level=None if alpha is None else 1 - alpha,
            power=power,
            runtime_days=runtime_days,
            min_runtime_days=min_runtime_days,
        )
    )
    settings = resolved(call, preset, workspace.settings)
    equal = settings.sources.get("traffic_allocation") == "default"
    lineup = with_shares(variants, 1 - 1 / len(variants) if equal else settings.values.traffic_allocation or 0.5)
    measured = with_guardrail([_with_mde(metric, settings) for metric in metrics], settings.values.live)
    check_names("variants", [variant.name for variant in lineup])
    check_names("metrics", [metric.name for metric in measured])
    sizing = sized(_primary(measured), lineup, settings, sample_size)
    settings = with_scheme(settings, "command" if settings.values.live else type, lineup)
    promised = with_attributes(planned(settings, sizing))
    now, door = workspace.clock(), workspace.door

    def build(experiment_id: str) -> Experiment:
        capture = capture_for(workspace, experiment_id, subject, lineup)
        state: State = "planned" if capture is None else "implemented"
        built = Experiment(
            id=experiment_id,
            name=name,
            type=type,
            hypothesis=hypothesis,
            owner=owner or _login(),
            tags=tuple(tags),
            variants=lineup,
            metrics=measured,
            subject=subject,
            plan=promised,
            capture=capture,
            iterates=iterates,
            history=(Step(state=state, at=now, by=door),),
        )
        check_live(workspace, built)
        return built

    workspace.make_ready()
    if iterates is not None:
        _check_iterable(workspace.ledger.experiment(iterates))
    experiment = workspace.ledger.plan(build)
    if iterates is not None:
        reason = f"iterated by {experiment.id}"
        workspace.ledger.change(iterates, lambda old: old.advanced("iterated", at=now, by=door, reason=reason))
    return _reply(experiment, settings, sizing, explicit=sample_size is not None)


def _login() -> str:
    try:
        return getpass.getuser()[:120]
    except (OSError, KeyError):
        return "unknown"


def _given(**values: float | None) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _primary(metrics: Sequence[Metric]) -> Metric:
    primaries = [metric for metric in metrics if metric.role == "primary"]
    if len(primaries) != 1:
        named = ", ".join(metric.name for metric in primaries) or "none"
        raise InvalidInput(f"Exactly one metric has the role primary; this plan has {len(primaries)} ({named}).")
    return primaries[0]


def _with_mde(metric: Metric, settings: Resolved) -> Metric:
    if metric.role != "primary" or metric.mde is not None or settings.values.mde is None:
        return metric
    return metric.model_copy(update={"mde": settings.values.mde})


def _check_iterable(old: Experiment) -> None:
    if "iterated" not in STEPS[old.state]:
        raise IllegalStep(f"{quoted(old.id)} is {old.state}; only an ended or decided experiment can be iterated.")


def _reply(experiment: Experiment, settings: Resolved, sizing: Sizing, *, explicit: bool) -> Designed:
    advice = [*sizing.advice, *capture_notes(experiment), *live_notes(experiment)]
    if sizing.unknown is not None:
        advice.append(f"No power analysis: {sizing.unknown}.")
    sources = {
        name: f"{_shown(name, settings)} ({source})"
        for name, source in settings.sources.items()
        if source != "default" or name in OURS.model_fields_set
    }
    basis = "call" if explicit else "power analysis" if sizing.sample_size == sizing.needed else "minimum"
    capture = experiment.capture
    return Designed(
        experiment=experiment.id,
        name=experiment.name,
        state=experiment.state,
        variants={variant.name: round(variant.share or 0.0, 6) for variant in experiment.variants},
        primary=experiment.primary.name,
        guardrails=tuple(metric.name for metric in experiment.metrics if metric.role == "guardrail"),
        sample_size=sizing.sample_size,
        power=_power_in_words(sizing),
        settings={"sample_size": f"{sizing.sample_size} ({basis})", **sources},
        not_enforced=tuple(name for name in NOT_ENFORCED if settings.sources.get(name, "default") != "default"),
        files={name: held.commit[:12] for name, held in capture.variants.items()} if capture else None,
        advice=tuple(advice),
        uri=uri_of(experiment.id),
        next_action=next_action(experiment),
    )


def _shown(name: str, settings: Resolved) -> str:
    value = getattr(settings.values, name)
    if isinstance(value, Model):
        return value.model_dump_json(exclude_defaults=True)
    if name == "traffic_allocation" and settings.sources[name] == "default":
        return "equal shares"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _power_in_words(sizing: Sizing) -> str:
    able = f"{sizing.sample_size} a variant detect {sizing.detects_sd:.2g} standard deviations at the planned power"
    return able if sizing.power is None else f"{sizing.power:.0%} for the mde; {able}"
