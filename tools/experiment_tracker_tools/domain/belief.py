"""What is believed of the effect before the data: the stated prior, and when a Bayesian plan is convinced."""

from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.domain.base import Number, Options, Positive


class Belief(Options):
    """The plan's own prior of the lift; the flat and the sceptical one are always shown beside it.

    Attributes:
        mean: expected gain, as a fraction of control's mean; positive is better whatever the metric's direction.
        sd: how far it may be off, likewise.
        convinced: `bayesian` plans only: posterior probability of the better side that decides.
    """

    mean: Annotated[Number, Field(gt=-1, lt=10)] = 0.0
    sd: Annotated[Positive, Field(le=10)]
    convinced: Annotated[Number, Field(ge=0.8, lt=1)] = 0.95
