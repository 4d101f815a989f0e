"""The catalogue of metrics: names that a plan may use without saying what they are."""

from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field

from experiment_tracker_tools.domain.base import Model, Note, Number, Positive, Slug, Statement, Title
from experiment_tracker_tools.domain.metric import Direction, Kind, Role
from experiment_tracker_tools.workspace.tomls import parsed

MetricClass = Literal["business", "engagement", "reliability", "performance", "quality", "cost"]


class Known(Model):
    """One metric of the catalogue.

    Attributes:
        title: what it is, for people.
        kind, unit, direction: as in a plan.
        role: what it is for where the plan does not say.
        class_: what it is about.
        limit: worst tolerated mean of a guardrail, where the field has one.
        margin: tolerated loss of a guardrail, as a fraction, where there is no limit and the plan has none.
        due_days: lagging only: so many days after the decision it is known.
        note: where a figure comes from.
    """

    title: Title
    kind: Kind
    unit: Title | None = None
    direction: Direction
    role: Role
    class_: Annotated[MetricClass, Field(alias="class")]
    limit: Number | None = None
    margin: Annotated[Positive, Field(lt=1)] = 0.1
    due_days: Positive | None = None
    note: Note = ""


class _File(Model):
    source: Statement
    metrics: dict[Slug, Known]


@cache
def catalogue() -> dict[str, Known]:
    """Every metric by its name."""
    folder = resources.files("experiment_tracker_tools.workspace") / "metrics"
    found: dict[str, Known] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        found |= parsed(file.name, file.read_text("utf-8"), _File).metrics
    return found
