"""Whether an experiment's data can be trusted: what stops it, what a reader must know, and the numbers behind both."""

from typing import Literal

from pydantic import Field

from experiment_tracker_tools.domain.base import Model, Note, Slug
from experiment_tracker_tools.domain.trial import Provenance

Gate = Literal[
    "sample_ratio",
    "missing",
    "event_accuracy",
    "crossed_units",
    "zero_variance",
    "too_few",
    "provenance",
    "drift",
    "outliers",
    "too_good",
    "novelty",
    "served",
]
MEASURED: tuple[Provenance, ...] = ("hook", "command")


class Finding(Model):
    """One gate that did not pass.

    Attributes:
        gate: which one.
        told: what is wrong, with its numbers.
        numbers: the same numbers by name; shares are fractions 0 to 1.
    """

    gate: Gate
    told: Note
    numbers: dict[Slug, float] = Field(default_factory=dict[Slug, float])


class Health(Model):
    """The gates before any verdict; what halts uses counts and times, never an effect.

    Attributes:
        halts: findings that stop the experiment.
        warnings: findings that a reader must know; in a look that shows effects also what they make suspicious.
        srm_p: p-value of the planned shares: always valid while units come, one test once the look is final.
        missing: units without the primary's value whose time has passed, by variant.
        provenance: how many trials and aggregates came, by who measured them.
    """

    halts: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()
    srm_p: float | None = None
    missing: dict[Slug, int] = Field(default_factory=dict[Slug, int])
    provenance: dict[Provenance, int] = Field(default_factory=dict[Provenance, int])

    @property
    def doubts(self) -> tuple[Finding, ...]:
        """What the effect itself makes suspicious, and shares that nobody could test."""
        gates = {"sample_ratio", "too_good", "novelty"}
        return tuple(finding for finding in self.warnings if finding.gate in gates)

    @property
    def measured(self) -> bool:
        """Whether every value was measured by a hook or a command; only then may it be promoted automatically."""
        return bool(self.provenance) and all(kind in MEASURED for kind, count in self.provenance.items() if count)
