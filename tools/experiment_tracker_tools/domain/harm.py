"""What may stop an experiment for harm, and the one error budget that all of it shares."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from experiment_tracker_tools.domain.base import Number, Options, Positive, Slug
from experiment_tracker_tools.domain.metric import Metric

PRIMARY_LOSS = "primary_loss"
CATASTROPHE = "catastrophic_loss"
_CATASTROPHE_WEIGHT = 0.25


class Breaker(Options):
    """A rule that sends everybody back to control before any verdict.

    Attributes:
        name: what reasons and alerts call it.
        metric: which metric it watches.
        kind: `events` trips on too many bad events of a binary metric (1 is bad where the metric should decrease, 0
            where it should increase), judged after every unit; `below` on a mean below `limit`; `loss` on a loss
            above `limit`, both judged at the looks.
        limit: tolerated rate of bad events, 0 to 1 (events); least mean, in the metric's unit (below); largest
            tolerated loss as a fraction of control's mean (loss).
        times: events only: tolerated multiple of control's own rate, where no rate is given.
        weight: its part of the budget beside the others'.
    """

    name: Slug
    metric: Slug
    kind: Literal["events", "below", "loss"]
    limit: Number | None = None
    times: Annotated[Number, Field(gt=1, le=1000)] | None = None
    weight: Positive = 1.0

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if (self.limit is None) == (self.times is None):
            raise ValueError(f"breaker {self.name} needs either limit or times")
        if self.kind != "events" and self.limit is None:
            raise ValueError(f"times belongs to events; breaker {self.name} is {self.kind}: give limit")
        if self.kind == "events" and self.limit is not None and not 0 < self.limit < 1:
            raise ValueError(f"limit of breaker {self.name} is a rate strictly between 0 and 1")
        if self.kind == "loss" and self.limit is not None and not 0 <= self.limit < 10:
            raise ValueError(f"limit of breaker {self.name} is a loss as a fraction, 0 to 10")
        return self


class Harm(Options):
    """How harm is tested while an experiment runs.

    Attributes:
        budget: one-sided error rate of everything together that can roll back: primary loss, guardrails, breakers. At
            2.5% it and a false ship (the good side of a two-sided alpha of 5%) come to 5% together.
        tolerated_loss: loss of the primary that is no harm, as a fraction of control's mean.
        primary_weight: the primary's part of the budget beside the others' weights.
        guardrail_weight: each guardrail's part.
        lagging_weight: of each lagging metric, whose contradiction re-opens a decision; 0 tells them only. Plans with
            lagging metrics get 1 where it is left out.
        breakers: further rules.
    """

    budget: Annotated[Number, Field(gt=0, lt=0.5)] = 0.025
    tolerated_loss: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    primary_weight: Annotated[Number, Field(ge=0)] = 1.0
    guardrail_weight: Annotated[Number, Field(ge=0)] = 1.0
    lagging_weight: Annotated[Number, Field(ge=0)] = 0.0
    breakers: Annotated[tuple[Breaker, ...], Field(max_length=20)] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [breaker.name for breaker in self.breakers]
        if len(set(names)) != len(names):
            raise ValueError(f"two breakers share a name: {', '.join(names)}")
        return self

    def with_lagging(self, metrics: Sequence[Metric]) -> Self:
        """The same with a part of the budget for lagging metrics, unless it says how much or there are none."""
        late = any(metric.role == "lagging" for metric in metrics)
        if "lagging_weight" in self.model_fields_set or not late:
            return self
        return self.model_copy(update={"lagging_weight": 1.0})

    def with_catastrophe(self, primary: Metric, limit: float | None) -> Self:
        """The same with a breaker on a loss of the primary beyond `limit`, unless it has one or cannot have one."""
        own = any(b.name == CATASTROPHE or (b.metric == primary.name and b.kind == "loss") for b in self.breakers)
        if not limit or own or primary.kind == "ratio":
            return self
        breaker = Breaker(name=CATASTROPHE, metric=primary.name, kind="loss", limit=limit, weight=_CATASTROPHE_WEIGHT)
        return self.model_copy(update={"breakers": (*self.breakers, breaker)})
