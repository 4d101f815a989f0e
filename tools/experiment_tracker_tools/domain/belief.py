"""What is believed of the effect before the data: the stated prior, and when a Bayesian plan is convinced."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from experiment_tracker_tools.domain.base import ExperimentId, Model, Number, Options, Positive

Mean = Annotated[Number, Field(gt=-1, lt=10)]
Spread = Annotated[Positive, Field(le=10)]
Convinced = Annotated[Number, Field(ge=0.8, lt=1)]


class Belief(Model):
    """The plan's own prior of the gain, sealed with it.

    Attributes:
        mean, sd, convinced: as in StatedBelief.
        pooled: the past experiments that it was pooled from; none where it was stated.
    """

    mean: Mean = 0.0
    sd: Spread
    convinced: Convinced = 0.95
    pooled: tuple[ExperimentId, ...] = ()


class StatedBelief(Options):
    """The plan's own prior of the gain; a flat, a sceptical and a widened one are always shown beside it.

    Attributes:
        mean: expected gain, as a fraction of control's mean (exactly: the log of the ratio); positive is better
            whatever the metric's direction. 0 where left out.
        sd: how far it may be off, likewise.
        past: take both from past experiments of this type on this metric, pooled by random effects, in the place of
            mean and sd; it takes 5 of them.
        convinced: `bayesian` plans only: posterior probability of the better side that decides.
    """

    mean: Mean | None = None
    sd: Spread | None = None
    past: Annotated[bool, Field(strict=True)] = False
    convinced: Convinced = 0.95

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.past and (self.mean is not None or self.sd is not None):
            raise ValueError("past takes mean and sd from past experiments; give either past or sd")
        if not self.past and self.sd is None:
            raise ValueError("needs sd, or past to take both from past experiments")
        return self
