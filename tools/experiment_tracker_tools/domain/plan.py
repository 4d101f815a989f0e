"""The plan: what was promised before the data came in."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from experiment_tracker_tools.domain.base import Model, Number, Slug
from experiment_tracker_tools.domain.live import Live
from experiment_tracker_tools.domain.privacy import Privacy

Method = Literal["fixed"]
Scheme = Literal["hash", "blocks"]
BlockSize = Annotated[int, Field(strict=True, ge=2, le=1000)]


class Plan(Model):
    """How an experiment decides.

    Attributes:
        method: `fixed` analyses once, on the first sample_size units of every variant; before that no effect is shown.
        alpha: two-sided error rate of the primary metric, shared equally by the treatments.
        power: wanted probability of detecting the mde, 0 to 1.
        sample_size: independent units per variant.
        min_runtime_days: no verdict earlier, however many units came in.
        max_runtime_days: the experiment expires after it.
        runs_per_month: how often the subject runs, to tell what a saving per run comes to.
        automatic_rollback: wish for a later monitor; recorded, not enforced yet.
        scheme: how units get their variant; `hash` is salted SHA-256 of the unit, `blocks` gives them the places of
            permuted blocks in the order in which they come.
        block_size: units in a block; each variant gets exactly its share of them. None under `hash`.
        live: serves the variants of a command, skill or agent inside Claude Code; None where units come otherwise.
        salt: random, per experiment, so that experiments do not share their splits.
        privacy: whose data may be kept, on what ground, and for how long.
    """

    method: Method = "fixed"
    alpha: Annotated[Number, Field(gt=0, lt=1)] = 0.05
    power: Annotated[Number, Field(gt=0, lt=1)] = 0.8
    sample_size: Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)]
    min_runtime_days: Annotated[Number, Field(ge=0, le=3650)] = 0.0
    max_runtime_days: Annotated[Number, Field(gt=0, le=3650)] = 14.0
    runs_per_month: Annotated[Number, Field(gt=0, le=1e12)] | None = None
    automatic_rollback: bool = True
    scheme: Scheme = "hash"
    block_size: BlockSize | None = None
    live: Live | None = None
    salt: Slug
    privacy: Privacy = Privacy()

    @model_validator(mode="after")
    def _scheme_has_what_it_needs(self) -> Self:
        if (self.scheme == "blocks") != (self.block_size is not None):
            raise ValueError(f"scheme = {self.scheme} with block_size = {self.block_size}; only blocks have a size")
        return self
