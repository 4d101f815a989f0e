"""What a look found beside its estimates: tests against their boundaries, beliefs, and what going on would bring."""

from typing import Annotated, Literal

from pydantic import Field

from experiment_tracker_tools.domain.base import Model, Slug, Title

Question = Literal["better", "harm", "safe", "equivalent"]
Status = Literal["open", "waits", "wins", "not_worthwhile", "worse", "equivalent"]
Prior = Literal["flat", "stated", "widened", "sceptical"]


class Tested(Model):
    """One test of the plan against its boundary.

    Attributes:
        question: better (the primary, two-sided), harm, safe (a guardrail within its bound) or equivalent.
        name: metric, or name of the breaker.
        treatment: which variant against control.
        statistic: as a normal deviate, signed so that larger answers yes; log e for events and always-valid rates.
        boundary: what it must reach; None where nothing may be said yet.
        at: fraction of the planned information at the first crossing; None while there is none.
    """

    question: Question
    name: Title
    treatment: Slug
    statistic: float | None = None
    boundary: float | None = None
    at: float | None = None


class Believed(Model):
    """One treatment's gain on the primary under one prior; it never decides unless the plan is bayesian.

    Attributes:
        treatment: which variant; prior: under which prior.
        p_better: probability that it is better than control.
        gain: its posterior mean, as a fraction of control's mean, positive where it is better; None in older looks.
        loss: expected loss of choosing it, as a fraction of control's mean.
        ci_low: lower end of the 95% credible interval of the gain, likewise; ci_high: its upper end.
    """

    treatment: Slug
    prior: Prior
    p_better: float
    gain: float | None = None
    loss: float
    ci_low: float
    ci_high: float


class Opinion(Model):
    """What people say of one variant.

    Attributes:
        ratings: how many; mean: of them, 1 to 5, None without any.
        worse_p: treatments only: one-sided p-value that they are lower than control's; None below five a variant.
    """

    ratings: int
    mean: float | None = None
    worse_p: float | None = None


class Ahead(Model):
    """What going on would take and bring.

    Attributes:
        units: further units in the smallest variant.
        days: at the rate so far; None where nobody can tell.
        chance: that it resolves, if the effect is as it looks now.
    """

    units: int
    days: float | None = None
    chance: Annotated[float, Field(ge=0, le=1)] | None = None


class Panel(Model):
    """All beliefs of a look.

    Attributes:
        believed: by treatment and prior.
        p_best: probability of each variant to be the best, control included, under the flat prior.
        ready: the most probable treatment has P(better) of the plan's ready_at (0.80 where it says none) under the
            stated prior, else the flat one; told, never decisive.
        error: `bayesian` plans: chance that the stopping rule ships or keeps where there is no effect.
    """

    believed: tuple[Believed, ...] = ()
    p_best: dict[Slug, float] = Field(default_factory=dict)
    ready: bool = False
    error: float | None = None
