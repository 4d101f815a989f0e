"""What a plan must hold to be served live: metrics that hooks measure, enough units, texts that can be served."""

from collections.abc import Sequence

from experiment_tracker_tools.conduct.live.outcomes import ATTRIBUTES, MEASURED
from experiment_tracker_tools.conduct.live.serving import prepared
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import listed, quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.live import Live, served_asset, unit_kind
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.workspace import Workspace

_SUCCESS = Metric(name="success", role="guardrail", kind="binary", direction="increase", margin=0.1)
_CLEAR_SUCCESS_UNITS = 100


def with_guardrail(metrics: Sequence[Metric], live: Live | None) -> tuple[Metric, ...]:
    """The metrics; served live, success is among them, as a guardrail where the plan does not name it.

    Raises:
        InvalidInput: for a metric that hooks measure as something else, or a primary that they do not measure.
    """
    if live is None:
        return tuple(metrics)
    for metric in metrics:
        _check_metric(metric)
    if any(metric.name == _SUCCESS.name for metric in metrics):
        return tuple(metrics)
    return (*metrics, _SUCCESS)


def with_attributes(plan: Plan) -> Plan:
    """The plan; served live, it allows what hooks note of every run."""
    if plan.live is None:
        return plan
    allowed = tuple(dict.fromkeys([*plan.privacy.attributes, *ATTRIBUTES]))
    return plan.model_copy(update={"privacy": plan.privacy.model_copy(update={"attributes": allowed})})


def check_live(workspace: Workspace, experiment: Experiment) -> None:
    """Let a plan pass that can be served.

    Raises:
        InvalidInput, GitRefused: naming what cannot.
    """
    live = experiment.plan.live
    if live is None:
        return
    per = unit_kind(live, served_asset(live, experiment.subject.files))
    possible = int(experiment.plan.max_runtime_days / len(experiment.variants))
    if per == "day" and possible < experiment.plan.sample_size:
        raise InvalidInput(
            f"By day, {experiment.plan.max_runtime_days:g} days are {possible} units a variant, and the plan needs "
            f"{experiment.plan.sample_size}. Give a longer runtime_days, or live.per = session."
        )
    prepared(workspace, experiment)


def live_notes(experiment: Experiment) -> list[str]:
    """What a planner should know about serving live."""
    live, primary = experiment.plan.live, experiment.primary
    if live is None:
        return []
    asset = served_asset(live, experiment.subject.files)
    notes = [
        f"Served live from the start: the variants of {asset.kind} {asset.name} meet real work. For a risky change run "
        "it on branches first. `success` guards it."
    ]
    if unit_kind(live, asset) == "invocation":
        notes.append("Runs of one session influence each other: what was served stays in its context.")
    if experiment.plan.eligibility.model is not None:
        notes.append(
            "`claude -p` tells no model before its first answer: such runs get control, counted as `model unknown`."
        )
    if primary.kind == "binary" and experiment.plan.sample_size < _CLEAR_SUCCESS_UNITS:
        notes.append(
            f"{primary.name} moves by a few points: {experiment.plan.sample_size} units a variant will not show it. "
            "Make cost or time the primary (they move by 15 to 30%), success the guardrail."
        )
    return notes


def _check_metric(metric: Metric) -> None:
    kind = MEASURED.get(metric.name)
    if kind is None:
        if metric.role == "primary":
            raise InvalidInput(
                f"{quoted(metric.name)} is not measured in live runs, so it cannot be the primary. Measured: "
                f"{listed(list(MEASURED), 20)}."
            )
        return
    if (kind == "binary") != (metric.kind == "binary") or metric.kind == "ratio":
        raise InvalidInput(f"{metric.name} is measured as {kind}, and the plan says {metric.kind}. Say {kind}.")
