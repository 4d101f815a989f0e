"""A plan put together: what the call gave, completed from template, catalogue, preset, config.toml and the log."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from experiment_tracker_tools.conduct.live.planning import with_attributes, with_guardrail
from experiment_tracker_tools.conduct.measures import completed
from experiment_tracker_tools.conduct.neighbours import Sketch, Tried, tried_before
from experiment_tracker_tools.conduct.planning import check_names, planned, with_scheme, with_shares
from experiment_tracker_tools.conduct.priors import prior_of
from experiment_tracker_tools.conduct.rates import Rate, measured_rate
from experiment_tracker_tools.conduct.sizing import Sizing, assured, sized
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import listed
from experiment_tracker_tools.domain.experiment import ExperimentType, Hypothesis
from experiment_tracker_tools.domain.metric import Metric, MetricDraft
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.variant import Subject, Variant
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.settings import Preset, Resolved, Settings, resolved
from experiment_tracker_tools.workspace.templates import Template, template, template_names

M = TypeVar("M")
DEFAULT_VARIANTS = (Variant(name="control", control=True), Variant(name="treatment"))


class Draft(NamedTuple):
    """A plan before it is kept.

    Attributes:
        type_, hypothesis, variants, metrics, subject, plan: as the experiment will have them.
        settings: where each value came from.
        sizing: what the power analysis said.
        assurance: the chance, over the plan's prior, that its units show a gain; None without a prior.
        explicit: the caller gave the sample size.
        tried: related experiments of the past.
        filled_in: what the template, the catalogue and past experiments gave, in words.
    """

    type_: ExperimentType
    hypothesis: Hypothesis
    variants: tuple[Variant, ...]
    metrics: tuple[Metric, ...]
    subject: Subject
    plan: Plan
    settings: Resolved
    sizing: Sizing
    assurance: float | None
    explicit: bool
    tried: tuple[Tried, ...]
    filled_in: tuple[str, ...]


def drafted(
    workspace: Workspace,
    name: str,
    call: Settings,
    *,
    hypothesis: Hypothesis | None,
    metrics: Sequence[MetricDraft],
    type_: ExperimentType | None,
    variants: Sequence[Variant] | None,
    subject: Subject,
    preset: Preset | None,
    sample_size: int | None,
) -> Draft:
    """Complete what a caller gave.

    Raises:
        InvalidInput: for what is missing or contradicts itself.
        NotFound: for a template that there is not.
    """
    base = template(workspace.folder, call.template) if call.template is not None else None
    believed = _needed("hypothesis", hypothesis or (base.hypothesis if base else None), workspace)
    drafts = _needed("metrics", metrics or (base.metrics if base else ()), workspace)
    lineup = variants or (base.variants if base else ()) or DEFAULT_VARIANTS
    used = preset or (base.preset if base else None)
    settings = _with_rate(
        resolved(call, used, workspace.settings, template=base.plan if base else None),
        measured_rate(workspace, subject),
    )
    equal = settings.sources.get("traffic_allocation") == "default"
    shares = with_shares(lineup, 1 - 1 / len(lineup) if equal else settings.values.traffic_allocation or 0.5)
    done = completed(drafts, mde=settings.values.mde, max_regression=settings.values.max_regression)
    check_names("variants", [variant.name for variant in shares])
    measured = with_guardrail(done.metrics, settings.values.live)
    check_names("metrics", [metric.name for metric in measured])
    primary, kind = _primary(measured), type_ or (base.type if base else "feature")
    sizing = sized(measured, shares, settings, sample_size)
    settings = with_scheme(settings, "command" if settings.values.live else kind, shares)
    prior = prior_of(workspace, settings, primary, kind)
    sketch = Sketch(name, believed, subject, primary.name)
    return Draft(
        type_=kind,
        hypothesis=believed,
        variants=shares,
        metrics=measured,
        subject=subject,
        plan=with_attributes(planned(settings, sizing.sample_size, measured, belief=prior.belief)),
        settings=settings,
        sizing=sizing,
        assurance=assured(measured, shares, settings, sizing.sample_size, prior.belief),
        explicit=sample_size is not None,
        tried=tried_before(workspace, sketch),
        filled_in=(
            *_from_template(call.template, base, hypothesis, metrics, variants),
            *done.told,
            *([prior.told] if prior.told else []),
        ),
    )


def _needed(what: str, value: M | None, workspace: Workspace) -> M:
    if value:
        return value
    names = listed(sorted(template_names(workspace.folder)), 20)
    raise InvalidInput(f"{what}: is missing. Give it, or plan.template, one of: {names}. Nothing was changed.")


def _with_rate(settings: Resolved, rate: Rate | None) -> Resolved:
    """The settings with how often the subject runs, where nobody said it and the log knows."""
    if rate is None:
        return settings
    source = f"assignment log of {rate.experiment}"
    if settings.values.units_per_day is None:
        settings = settings.with_value("units_per_day", rate.per_day, source)
    if settings.values.runs_per_month is None:
        settings = settings.with_value("runs_per_month", rate.per_month, source)
    return settings


def _primary(metrics: Sequence[Metric]) -> Metric:
    primaries = [metric for metric in metrics if metric.role == "primary"]
    if len(primaries) != 1:
        named = ", ".join(metric.name for metric in primaries) or "none"
        raise InvalidInput(f"Exactly one metric has the role primary; this plan has {len(primaries)} ({named}).")
    return primaries[0]


def _from_template(name: str | None, base: Template | None, *given: object) -> tuple[str, ...]:
    """Which parts the template gave."""
    if base is None:
        return ()
    parts = [part for part, value in zip(("hypothesis", "metrics", "variants"), given, strict=True) if not value]
    return (f"template {name}: {', '.join(parts) or 'its settings only'}",)
