"""Units that an experiment does not take: they get control, are counted by reason, and never analysed."""

from typing import Annotated

from pydantic import Field, StringConstraints

from experiment_tracker_tools.domain.base import Model, UnitId

Why = Annotated[str, StringConstraints(pattern=r"^(attribute )?[a-z0-9][a-z0-9_-]{0,63}( unknown)?$")]
"""What kept a unit outside: `client` (its session has not read the stub), `layer`, a field of the plan's eligibility,
or `attribute` and its name; `unknown` stands behind it where whoever asked could not tell."""


class Outside(Model):
    """A unit that the experiment did not take when it came; once it meets a variant it no longer counts as outside.

    Attributes:
        unit: what came: a unit, or a live run; None where it has no name, or nobody may keep it.
        key: of a trial without a unit, so that a retry counts once.
        why: what kept it outside.
        n: how many, where they have neither.
    """

    unit: UnitId | None = None
    key: UnitId | None = None
    why: Why
    n: Annotated[int, Field(strict=True, ge=1)] = 1
