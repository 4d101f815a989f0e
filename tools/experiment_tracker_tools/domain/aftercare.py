"""How a promoted command, skill or agent is watched, and what may follow when it got worse."""

from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.domain.base import Number, Options


class Aftercare(Options):
    """How long a promoted asset is watched, and what may follow.

    Attributes:
        days: after the promotion, as long as the file stays as it was promoted; 0 watches nothing.
        tolerated_loss: loss against the winner's own trials that is no harm, as a fraction (of a rate: in points); a
            guardrail's margin stands in for it.
        alpha: chance of ever telling a loss beyond the tolerated one where there is none; all watched metrics share it.
        automatic_rollback: monitor_experiments rolls back by itself when such a loss is shown; else it is proposed.
    """

    days: Annotated[Number, Field(ge=0, le=365)] = 30.0
    tolerated_loss: Annotated[Number, Field(ge=0, lt=1)] = 0.1
    alpha: Annotated[Number, Field(gt=0, lt=0.5)] = 0.05
    automatic_rollback: Annotated[bool, Field(strict=True)] = False
