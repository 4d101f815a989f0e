"""What somebody has to know of a running experiment, by how much it matters."""

from typing import Annotated, Literal

from pydantic import Field

from experiment_tracker_tools.domain.base import Model, Note

AlertKind = Literal[
    "anomaly", "planned_units", "runtime_over", "verdict_ready", "lagging_due", "not_promoted",
    "integrity", "damaged", "plan_changed",
    "harm",
]  # fmt: skip
Level = Annotated[int, Field(strict=True, ge=1, le=3)]
LEVELS: dict[AlertKind, int] = {
    "anomaly": 1,
    "planned_units": 1,
    "runtime_over": 1,
    "verdict_ready": 1,
    "lagging_due": 1,
    "not_promoted": 1,
    "integrity": 2,
    "damaged": 2,
    "plan_changed": 2,
    "harm": 3,
}


class Alert(Model):
    """One alert; the same one is recorded once between two starts of recording.

    Attributes:
        kind: what happened.
        about: of what: a gate, a metric or a verdict; with `kind` it tells two alerts apart.
        level: 1 tell the owner; 2 integrity is at risk: pause; 3 harm by a valid test: pause at once, roll back where
            the plan allows it.
        told: what happened, with its numbers.
    """

    kind: AlertKind
    about: str = ""
    level: Level
    told: Note


class Delivery(Model):
    """An alert that the webhook has taken.

    Attributes:
        alert: the alert's position in the journal.
    """

    alert: int


def alert_of(kind: AlertKind, told: str, *, about: str = "") -> Alert:
    """An alert at the level of its kind."""
    return Alert(kind=kind, about=about, level=LEVELS[kind], told=told[:1_000])
