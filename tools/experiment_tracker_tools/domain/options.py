"""Further options of a plan: one argument of design_experiment, and fields of presets and config.toml."""

from typing import Annotated

from pydantic import AliasChoices, Field

from experiment_tracker_tools.domain.base import Number, Options, Positive
from experiment_tracker_tools.domain.live import Live
from experiment_tracker_tools.domain.plan import BlockSize, Method, Scheme
from experiment_tracker_tools.domain.privacy import Privacy


class PlanOptions(Options):
    """What a plan may say beyond the arguments of design_experiment.

    An option that the call leaves out comes from the preset, from config.toml or from our default; the reply tells
    which. Options that `Plan` has under the same name are stored there as they are.

    Attributes:
        min_sample_size: never plan fewer units per variant.
        method: how the plan decides: `fixed` looks once, at the planned units.
        traffic_allocation: share of the units that the treatments get together; equal shares where nobody says.
        runs_per_month: how often the subject runs, to tell what a saving per run comes to; also understood as
            expected_runs_per_month.
        automatic_rollback: wish for a later monitor; recorded, not enforced yet.
        scheme: how units get their variant: `blocks` (permuted blocks, in the order in which units come) or `hash`
            (of the unit's id); blocks for commands, agents, skills, prompts, workflows and performance.
        block_size: units in a block, a multiple of the smallest that holds the shares exactly; 4 or more by default.
        privacy: whose data may be kept, on what ground, and for how long.
        live: serves the variants of a command, skill or agent in Claude Code while people work; {} takes the defaults.
    """

    min_sample_size: Annotated[int, Field(strict=True, ge=2, le=1_000_000_000)] | None = None
    method: Method | None = None
    traffic_allocation: Annotated[Number, Field(gt=0, lt=1)] | None = None
    runs_per_month: Annotated[
        Annotated[Positive, Field(le=1e12)] | None,
        Field(validation_alias=AliasChoices("runs_per_month", "expected_runs_per_month")),
    ] = None
    automatic_rollback: Annotated[bool, Field(strict=True)] | None = None
    scheme: Scheme | None = None
    block_size: BlockSize | None = None
    privacy: Privacy | None = None
    live: Live | None = None

    @classmethod
    def other_names(cls) -> tuple[str, ...]:
        return ("expected_runs_per_month",)
