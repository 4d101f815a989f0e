"""Verb: plan an experiment and keep the plan."""

import getpass
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, ValidationError, WithJsonSchema

from experiment_tracker_tools.conduct.advice import next_action, uri_of
from experiment_tracker_tools.conduct.capturing import capture_for, held_in_git
from experiment_tracker_tools.conduct.drafting import Draft, drafted
from experiment_tracker_tools.conduct.live.planning import check_live
from experiment_tracker_tools.conduct.neighbours import check_repeat
from experiment_tracker_tools.conduct.planning import check_order, check_phases, check_segments
from experiment_tracker_tools.conduct.sizing import check_reachable
from experiment_tracker_tools.conduct.succession import finish_successions
from experiment_tracker_tools.conduct.told import Told, told_of
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model, Number, Slug, Title
from experiment_tracker_tools.domain.experiment import Experiment, ExperimentType, Hypothesis, Step
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.domain.metric import MetricDraft
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.variant import Subject, Variant
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.settings import Preset, Settings

SampleSize = Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)]
# Told by its own resource, so that it costs every session a line and not a page.
PlanArgument = Annotated[
    PlanOptions, WithJsonSchema({"type": "object", "description": "further options: experiment://reference/plan"})
]


class Designed(Model):
    """What design_experiment answers.

    Attributes:
        experiment, name, state: what was stored.
        variants: share by variant, control first.
        primary, guardrails: names of the metrics that decide.
        sample_size: units per variant, in the smallest one.
        power: what that sample can show.
        operating: what this very plan does, simulated.
        forecast: how many units that is in all, how long it takes, what it costs.
        worth: whether an experiment suits the change at all.
        hypothesis: which criteria it meets, and how to mend the others.
        past: related experiments with their outcome.
        learned: what experiments on the same files, flag, metric or in the same words taught.
        filled_in: what the template, the catalogue and past experiments gave.
        settings: each value of the plan with its source.
        not_enforced: what is stored and has no effect yet.
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
    operating: str
    forecast: str
    worth: str | None = None
    hypothesis: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    learned: tuple[str, ...] = ()
    filled_in: tuple[str, ...] = ()
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
    hypothesis: Hypothesis | None = None,
    metrics: Annotated[Sequence[MetricDraft], Field(max_length=30)] = (),
    type: ExperimentType | None = None,  # noqa: A002 the field's own word
    variants: Annotated[Sequence[Variant], Field(min_length=2, max_length=10)] | None = None,
    subject: Subject = Subject.model_construct(),  # noqa: B008 it is frozen
    preset: Preset | None = None,
    sample_size: Annotated[SampleSize | None, Field(description="units per variant")] = None,
    alpha: Annotated[Number, Field(ge=1e-8, lt=0.5)] | None = None,
    runtime_days: Annotated[Number, Field(gt=0, le=3650)] | None = None,
    plan: PlanArgument = PlanOptions.model_construct(),  # noqa: B008 it is frozen
    owner: Title | None = None,
    tags: Annotated[Sequence[Slug], Field(max_length=20)] = (),
    iterates: ExperimentId | None = None,
) -> Designed:
    """Plan an A/B experiment before any data: hypothesis, variants, one primary metric, guardrails, sample size.

    A metric may be just {name}, one of the catalogue (time, cost, conversion); plan.template gives whole plans.
    Files in git: subject {files}, each treatment's `source` (branch, commit, working-tree) or `text` {path: content}.
    Sample size comes from power analysis when the primary has mde, baseline and sd.
    """
    given = _given(confidence_level=None if alpha is None else 1 - alpha, runtime_days=runtime_days)
    draft = drafted(
        workspace,
        name,
        Settings.model_validate(plan.model_dump(exclude_none=True) | given),
        hypothesis=hypothesis,
        metrics=metrics,
        type_=type,
        variants=variants,
        subject=subject,
        preset=preset,
        sample_size=sample_size,
    )
    check_repeat(draft.tried, reason=draft.plan.repeat_reason or iterates)
    experiment = _kept(workspace, draft, name, owner=owner, tags=tags, iterates=iterates)
    return _reply(experiment, told_of(workspace, experiment, draft))


def _kept(
    workspace: Workspace, draft: Draft, name: str, *, owner: str | None, tags: Sequence[str], iterates: str | None
) -> Experiment:
    """The experiment as it is stored; the one that it iterates has ended with it."""
    now, door = workspace.clock(), workspace.door

    def build(experiment_id: str) -> Experiment:
        capture = capture_for(workspace, experiment_id, draft.subject, draft.variants)
        state: State = "planned" if capture is None else "implemented"
        built = Experiment(
            id=experiment_id,
            name=name,
            type=draft.type_,
            hypothesis=draft.hypothesis,
            owner=owner or _login(),
            tags=tuple(tags),
            variants=draft.variants,
            metrics=draft.metrics,
            subject=draft.subject,
            plan=draft.plan,
            capture=capture,
            iterates=iterates,
            history=(Step(state=state, at=now, by=door),),
        )
        check_live(workspace, built)
        check_order(built)
        check_phases(built)
        check_segments(built.plan)
        check_reachable(built)
        return built

    workspace.make_ready()
    finish_successions(workspace)
    try:
        return workspace.ledger.plan(build, taken_elsewhere=held_in_git(workspace), iterates=iterates)
    except ValidationError as error:
        raise InvalidInput(
            f"{str(error.errors()[0]['msg']).removeprefix('Value error, ')}. Nothing was planned."
        ) from error


def _login() -> str:
    try:
        return getpass.getuser()[:120]
    except (OSError, KeyError):
        return "unknown"


def _given(**values: float | None) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _reply(experiment: Experiment, told: Told) -> Designed:
    capture = experiment.capture
    return Designed(
        experiment=experiment.id,
        name=experiment.name,
        state=experiment.state,
        variants={variant.name: round(variant.share or 0.0, 6) for variant in experiment.variants},
        primary=experiment.primary.name,
        guardrails=tuple(metric.name for metric in experiment.metrics if metric.role == "guardrail"),
        sample_size=experiment.plan.sample_size,
        power=told.power,
        operating=told.operating,
        forecast=told.forecast,
        worth=told.worth,
        hypothesis=told.hypothesis,
        past=told.past,
        learned=told.learned,
        filled_in=told.filled_in,
        settings=told.settings,
        not_enforced=told.not_enforced,
        files={name: held.commit[:12] for name, held in capture.variants.items()} if capture else None,
        advice=told.advice,
        uri=uri_of(experiment.id),
        next_action=next_action(experiment),
    )
