"""How a flag's winner is rolled out: in steps, each with limits that the units behind it must keep."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from experiment_tracker_tools.domain.base import Model, Note, Number, Options, Positive, Slug, UnitId
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.variant import GitText

Fraction = Annotated[float, Field(strict=True, gt=0, le=1)]


class Ramp(Options):
    """The steps of a rollout and what stops it.

    Attributes:
        steps: share of the units that get the winner, rising, 1 at the end.
        errors: binary metric whose bad events are errors; no limit on errors where left out.
        error_limit: largest tolerated rate of errors, a fraction.
        latency: duration metric; no limit on latency where left out.
        p95_limit: what 95% of the durations must stay below, in the metric's unit.
        auto_kill: the monitor switches the flag off when a limit is shown to be passed.
    """

    steps: Annotated[tuple[Fraction, ...], Field(min_length=1, max_length=20)] = (0.1, 0.5, 1.0)
    errors: Slug | None = None
    error_limit: Annotated[Number, Field(gt=0, lt=1)] = 0.01
    latency: Slug | None = None
    p95_limit: Positive = 200.0
    auto_kill: Annotated[bool, Field(strict=True)] = True

    @model_validator(mode="after")
    def _rises_to_everybody(self) -> Self:
        if list(self.steps) != sorted(set(self.steps)) or self.steps[-1] != 1:
            raise ValueError(f"the steps {list(self.steps)} must rise and end with 1")
        return self

    @property
    def limited(self) -> tuple[str, ...]:
        """The metrics that have a limit."""
        return tuple(name for name in (self.errors, self.latency) if name is not None)

    def check_metrics(self, metrics: Sequence[Metric]) -> None:
        """Let a ramp pass whose metrics the plan measures, in the kinds that their limits need.

        Raises:
            ValueError: naming the metric.
        """
        kinds = {metric.name: metric.kind for metric in metrics}
        for name, kind in ((self.errors, "binary"), (self.latency, "duration")):
            if name is not None and kinds.get(name) != kind:
                found = f"which is {kinds[name]}" if name in kinds else f"which is not among {', '.join(kinds)}"
                raise ValueError(f"ramp watches {name}, {found}; it needs a {kind} metric")


class Ramped(Model):
    """A step of a rollout that was done and read back.

    Attributes:
        flag: its key; variant: what its units get.
        share: of the units.
        version: the provider's, after the step.
        override: why it was done although a limit was not shown to be kept.
    """

    flag: GitText
    variant: Slug
    share: Fraction
    version: Annotated[str, Field(max_length=200)]
    override: Note = ""


class SwitchedOff(Model):
    """A flag that was switched off and read back.

    Attributes:
        flag: its key.
        version: the provider's, after it.
        reason: why.
    """

    flag: GitText
    version: Annotated[str, Field(max_length=200)]
    reason: Note = ""


class Outcome(Model):
    """What happened to a unit behind a step: the metrics that have a limit, and not who it was."""

    variant: Slug
    metrics: Annotated[dict[Slug, Number], Field(min_length=1, max_length=2)]
    key: UnitId | None = None


class Watched(Model):
    """Outcomes behind a step of a rollout; they are compared with its limits and enter no verdict."""

    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1, max_length=10_000)]
