"""A finished experiment kept as a template: its plan as TOML that is read back the same."""

import json
from pathlib import Path
from typing import cast

from experiment_tracker_tools.conduct.standing import outcome
from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.domain.base import Slug
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import ENDED
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.templates import keep_template

_OF_VARIANTS = {"name", "control", "share", "description"}
# What belongs to one experiment and not to those that are made like it.
_OWN = {"template", "repeat_reason", "priority", "certainty", "units_per_day", "runs_per_month"}


def save_template(workspace: Workspace, experiment_id: str, name: Slug) -> Path:
    """Write a finished experiment's plan to .experiments/templates/<name>.toml.

    Raises:
        IllegalStep: if it has not ended yet.
        Conflict: if there is a template of that name.
    """
    experiment = workspace.ledger.experiment(experiment_id)
    if experiment.state not in (*ENDED, "decided"):
        raise IllegalStep(f"{experiment.id} is {experiment.state}. Only a decided or ended experiment is a template.")
    ended = outcome(workspace, experiment).verdict or experiment.state
    return keep_template(workspace.folder, name, template_text(experiment, ended=ended))


def template_text(experiment: Experiment, *, ended: str) -> str:
    """The plan of an experiment as a template."""
    source = f"saved from {experiment.id}, which ended {ended}"
    parts = [
        "\n".join(_lines({"title": experiment.name, "source": source, "type": experiment.type})),
        _table("[hypothesis]", experiment.hypothesis.model_dump(mode="json")),
        _table("[plan]", _options(experiment.plan)),
        *(_table("[[metrics]]", metric.model_dump(mode="json")) for metric in experiment.metrics),
        *(_table("[[variants]]", each.model_dump(mode="json", include=_OF_VARIANTS)) for each in experiment.variants),
    ]
    return "\n\n".join(parts) + "\n"


def _options(plan: Plan) -> dict[str, object]:
    shared = (PlanOptions.model_fields.keys() & Plan.model_fields.keys()) - _OWN
    return {
        "confidence_level": round(1 - plan.alpha, 12),
        "runtime_days": plan.max_runtime_days,
        **plan.model_dump(mode="json", include=shared, exclude_defaults=True),
        "min_sample_size": plan.sample_size,
    }


def _table(head: str, fields: dict[str, object]) -> str:
    return "\n".join([head, *_lines(fields)])


def _lines(fields: dict[str, object]) -> list[str]:
    return [f"{name} = {_toml(value)}" for name, value in fields.items() if value is not None]


def _toml(value: object) -> str:
    """A JSON value in TOML; its strings are JSON's."""
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        inner = ", ".join(f"{json.dumps(name)} = {_toml(each)}" for name, each in pairs if each is not None)
        return f"{{ {inner} }}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(each) for each in cast('list[object]', value))}]"
    return json.dumps(value, ensure_ascii=False)
