"""The plan: what was promised before the data came in."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from experiment_tracker_tools.domain.aftercare import Aftercare
from experiment_tracker_tools.domain.base import Model, Note, Number, Slug
from experiment_tracker_tools.domain.belief import Belief
from experiment_tracker_tools.domain.eligibility import Eligibility
from experiment_tracker_tools.domain.harm import Harm
from experiment_tracker_tools.domain.layer import Layer
from experiment_tracker_tools.domain.live import Live
from experiment_tracker_tools.domain.phase import Phases
from experiment_tracker_tools.domain.priority import Nature, Priority
from experiment_tracker_tools.domain.privacy import Privacy
from experiment_tracker_tools.domain.ramp import Ramp
from experiment_tracker_tools.domain.segment import Segments
from experiment_tracker_tools.domain.wish import Wish

Method = Literal["sequential", "always_valid", "fixed", "bayesian"]
Scheme = Literal["hash", "blocks"]
Order = Literal["blocks", "abba"]
AutoPromote = Literal["off", "branch", "commit"]
BlockSize = Annotated[int, Field(strict=True, ge=2, le=1000)]


class Plan(Model):
    """How an experiment decides.

    Attributes:
        method: `sequential` looks at the plan's grid of information and spends alpha over it; `always_valid` needs no
            horizon; `fixed` analyses once, on the first sample_size units of every variant, and shows no effect before
            that; `bayesian` stops on a posterior probability.
        alpha: two-sided error rate of the experiment, shared by the treatments (and further success metrics).
        power: wanted probability of detecting the mde, 0 to 1.
        sample_size: independent units per variant.
        min_sample_size: units per variant before which only harm, futility and a halt may speak.
        n_max: units per variant up to which it may go on; sample_size where left out.
        looks: points of the information grid, evenly spaced up to 1; the first is at 5% and 10 units a variant.
        futility: advise to stop where a gain of the mde has become unlikely.
        min_worthwhile: smallest lift worth shipping, as a fraction; 0 ships any real gain.
        equivalence_margin: lift that is taken for none, as a fraction; the primary's mde where left out.
        harm: what may roll back while it runs.
        belief: the stated prior.
        success_metrics: secondary metrics that ship as the primary does; all of them share alpha by Holm.
        confirmatory: secondary metrics that are tested after the primary, with alpha passed on.
        practical_effect: standardised effect that is told as practically significant; it decides nothing.
        ready_at: P(better) that is told as ready; it decides nothing.
        cheaper_by: metric that picks the cheaper of equivalent variants.
        iterate_rating: mean rating, 1 to 5, from which a flat result is worth another iteration.
        min_runtime_days: no verdict earlier, however many units came in.
        max_runtime_days: the experiment expires after it.
        runs_per_month: how often the subject runs, to tell what a saving per run comes to.
        template, units_per_day, cost_per_trial, certainty, nature, priority, layer, factorial, repeat_reason, wishes:
            as in PlanOptions.
        automatic_rollback: monitor_experiments rolls back by itself when a harm test fires; control is back at once.
        auto_promote: monitor_experiments promotes a SHIP by itself, if every value was measured by a hook or a command:
            as branch experiment/<id>, or by a commit on the current branch; off leaves it to a person.
        scheme: how units get their variant; `hash` is salted SHA-256 of the unit, `blocks` gives them the places of
            permuted blocks in the order in which they come.
        block_size: units in a block; each variant gets exactly its share of them. None under `hash`.
        order: of the places of a block: shuffled, or ABBA and BAAB at even chance, in which a steady drift cancels.
        live: serves the variants of a command, skill or agent inside Claude Code; None where units come otherwise.
        salt: random, per experiment, so that experiments do not share their splits.
        privacy: whose data may be kept, on what ground, and for how long.
        ramp: how the winner of a flag is rolled out.
        segments: in which parts of the units the effect is told too, and from how many units on.
        aftercare: how a promoted command, skill or agent is watched.
        eligibility: whom it takes; everybody else gets control and is counted, not analysed.
        phases: steps in which the share of the units that take part grows; without any, all do from the start.
    """

    method: Method = "fixed"
    alpha: Annotated[Number, Field(gt=0, lt=1)] = 0.05
    power: Annotated[Number, Field(gt=0, lt=1)] = 0.8
    sample_size: Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)]
    min_sample_size: Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)] = 2
    n_max: Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)] | None = None
    looks: Annotated[int, Field(strict=True, ge=1, le=100)] = 20
    futility: bool = True
    min_worthwhile: Annotated[Number, Field(ge=0, lt=10)] = 0.0
    equivalence_margin: Annotated[Number, Field(gt=0, lt=1)] | None = None
    harm: Harm = Harm.model_construct()
    belief: Belief | None = None
    success_metrics: Annotated[tuple[Slug, ...], Field(max_length=5)] = ()
    confirmatory: Annotated[tuple[Slug, ...], Field(max_length=10)] = ()
    cheaper_by: Slug | None = None
    practical_effect: Annotated[Number, Field(gt=0, le=10)] | None = None
    ready_at: Annotated[Number, Field(gt=0.5, lt=1)] | None = None
    iterate_rating: Annotated[Number, Field(ge=1, le=5)] = 4.0
    min_runtime_days: Annotated[Number, Field(ge=0, le=3650)] = 0.0
    max_runtime_days: Annotated[Number, Field(gt=0, le=3650)] = 14.0
    runs_per_month: Annotated[Number, Field(gt=0, le=1e12)] | None = None
    template: Slug | None = None
    units_per_day: Number | None = None
    cost_per_trial: Number | None = None
    certainty: Number | None = None
    nature: Nature | None = None
    priority: Priority | None = None
    layer: Layer | None = None
    factorial: bool = False
    repeat_reason: Note | None = None
    wishes: tuple[Wish, ...] = ()
    automatic_rollback: bool = True
    auto_promote: AutoPromote = "off"
    scheme: Scheme = "hash"
    block_size: BlockSize | None = None
    order: Order = "blocks"
    live: Live | None = None
    salt: Slug
    privacy: Privacy = Privacy.model_construct()
    ramp: Ramp = Ramp.model_construct()
    segments: Segments = Segments.model_construct()
    aftercare: Aftercare = Aftercare.model_construct()
    eligibility: Eligibility = Eligibility.model_construct()
    phases: Phases = ()

    @model_validator(mode="after")
    def _scheme_has_what_it_needs(self) -> Self:
        if (self.scheme == "blocks") != (self.block_size is not None):
            raise ValueError(f"scheme = {self.scheme} with block_size = {self.block_size}; only blocks have a size")
        if self.order == "abba" and (self.block_size != 4 or self.live is not None):
            raise ValueError("order = abba is of blocks of 4: scheme = blocks, block_size = 4, and not served live")
        return self

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.n_max is not None and self.n_max < self.sample_size:
            raise ValueError(f"n_max = {self.n_max} is below sample_size = {self.sample_size}")
        if self.method == "fixed" and self.n_max not in {None, self.sample_size}:
            raise ValueError("a fixed plan is analysed at sample_size; n_max belongs to plans that look while they run")
        if self.method == "bayesian" and self.belief is None:
            raise ValueError("a bayesian plan needs belief (sd, and convinced)")
        return self

    @model_validator(mode="after")
    def _somebody_can_be_eligible(self) -> Self:
        if self.live is not None and (names := list(self.eligibility.attributes)):
            raise ValueError(f"eligibility.attributes names {names[0]}, and a live run has no attributes. Leave it out")
        return self

    @property
    def endless(self) -> bool:
        """Whether nothing but its answer, a budget or its runtime ends it."""
        return self.method == "always_valid" and self.n_max is None

    @property
    def horizon(self) -> int:
        """Units per variant at which the information is complete."""
        return self.n_max or self.sample_size

    @property
    def floor(self) -> int:
        """Units per variant before which no success is declared."""
        return min(self.min_sample_size, self.sample_size)
