"""Whose data an experiment may keep, on what ground, and for how long."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from experiment_tracker_tools.domain.base import Model, Note, Number, Slug

CONSENT = "consent"
RETENTION_DAYS = 90.0
LawfulBasis = Literal[
    "consent", "contract", "legal_obligation", "vital_interests", "public_task", "legitimate_interests"
]


class Privacy(Model):
    """What was promised to the people behind the units.

    Attributes:
        purpose: what the data are collected for.
        lawful_basis: the legal ground for it; None where no people are concerned.
        requires_consent: units without consent are neither assigned nor recorded, and such attempts are counted.
        attributes: names of the attributes that may be stored with a unit; others are refused.
        retention_days: so long after its end an experiment's rows are kept; its statistics stay.
    """

    purpose: Note = ""
    lawful_basis: LawfulBasis | None = None
    requires_consent: bool = False
    attributes: Annotated[tuple[Slug, ...], Field(max_length=30)] = ()
    retention_days: Annotated[Number, Field(ge=0, le=36_500)] = RETENTION_DAYS

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        if self.lawful_basis == CONSENT and not self.requires_consent:
            raise ValueError("lawful_basis consent goes with requires_consent: true")
        if CONSENT in self.attributes:
            raise ValueError("the attribute consent is always allowed; leave it out of attributes")
        return self
