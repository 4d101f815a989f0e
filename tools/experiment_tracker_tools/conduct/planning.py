"""From what a caller gave to a complete plan: shares of the variants, options of the plan."""

import secrets
from collections.abc import Sequence

from pydantic import ValidationError

from experiment_tracker_tools.assignment.blocks import block_size
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import listed, quoted
from experiment_tracker_tools.domain.belief import Belief
from experiment_tracker_tools.domain.experiment import Experiment, ExperimentType
from experiment_tracker_tools.domain.harm import Harm
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.phase import PHASE
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.workspace.settings import Resolved

IN_BLOCKS: frozenset[ExperimentType] = frozenset({"command", "agent", "skill", "prompt", "workflow", "performance"})


def check_names(what: str, names: Sequence[str]) -> None:
    """Let names pass that are all different.

    Raises:
        InvalidInput: naming the one that occurs twice.
    """
    if twice := sorted({name for name in names if list(names).count(name) > 1}):
        raise InvalidInput(f"Two {what} are called {', '.join(twice)}. Give each its own name.")


def with_shares(variants: Sequence[Variant], treatment_share: float) -> tuple[Variant, ...]:
    """The variants, control first, every share filled in.

    Where no share is given the treatments get `treatment_share` together; where some are, the rest is split equally.

    Raises:
        InvalidInput: for two controls, or shares that leave nothing for the others.
    """
    controls = [variant for variant in variants if variant.control]
    if len(controls) > 1:
        raise InvalidInput(f"{len(controls)} variants say control; exactly one is. Mark one.")
    control = controls[0] if controls else variants[0]
    ordered = [control.model_copy(update={"control": True}), *(v for v in variants if v is not control)]
    given = [variant.share for variant in ordered if variant.share is not None]
    open_count = len(ordered) - len(given)
    if not open_count:
        if abs(sum(given) - 1) > 1e-9:
            raise InvalidInput(f"The shares {given} add up to {sum(given):g}, not to 1. Rescale them.")
        return tuple(ordered)
    if not given:
        rest = treatment_share / (len(ordered) - 1)
        return tuple(v.model_copy(update={"share": 1 - treatment_share if v.control else rest}) for v in ordered)
    left = 1 - sum(given)
    if left <= 0:
        raise InvalidInput(f"The shares given add up to {sum(given):g}; nothing is left for the others. Lower them.")
    return tuple(v if v.share is not None else v.model_copy(update={"share": left / open_count}) for v in ordered)


def with_scheme(settings: Resolved, kind: ExperimentType, variants: Sequence[Variant]) -> Resolved:
    """The settings with how units get their variant: what runs a few dozen times is assigned in blocks.

    Raises:
        InvalidInput: if no block, or not the one that is wanted, holds the shares exactly.
    """
    wanted = settings.values.block_size
    asked = settings.values.scheme if settings.sources.get("scheme", "default") != "default" else None
    if asked == "hash" and wanted is not None:
        raise InvalidInput(f"block_size = {wanted} belongs to scheme = blocks. Leave it out, or plan blocks.")
    if asked == "hash" or (asked is None and wanted is None and kind not in IN_BLOCKS):
        return settings
    try:
        size = block_size([(variant.name, variant.share or 0.0) for variant in variants], wanted)
    except ValueError as error:
        if asked is None and wanted is None:
            return settings
        raise InvalidInput(f"{error}, or plan scheme = hash.") from error
    why = settings.sources["scheme"] if asked else settings.sources.get("block_size", f"type {kind}")
    values = settings.values.model_copy(update={"scheme": "blocks", "block_size": size})
    return Resolved(values=values, sources={"block_size": "default", **settings.sources, "scheme": why})


def check_order(experiment: Experiment) -> None:
    """Let a plan pass whose order of places its variants can take.

    Raises:
        InvalidInput: for ABBA with other than two variants in equal shares.
    """
    shares = [variant.share or 0.0 for variant in experiment.variants]
    if experiment.plan.order == "abba" and (len(shares) != 2 or abs(shares[0] - shares[1]) > 1e-9):
        raise InvalidInput("order = abba takes two variants in equal shares. Plan order = blocks for others.")


def check_segments(plan: Plan) -> None:
    """Let a plan pass whose declared segments are by attributes that it may store.

    Raises:
        InvalidInput: naming the first that is not.
    """
    allowed = plan.privacy.attributes
    strange = next((name for name in plan.segments.by if name not in allowed), None)
    if strange is not None:
        raise InvalidInput(
            f"Segments by {quoted(strange)}: it is not on the plan's allow-list ({listed(list(allowed)) or 'none'}). "
            "Add it to privacy.attributes, or leave it out."
        )


def check_phases(experiment: Experiment) -> None:
    """Let a plan pass whose units a phase of exposure can take a share of.

    Raises:
        InvalidInput: for units that are days, places of ABBA, an attribute that phases would be taken for, or a last
            phase that would never begin.
    """
    plan = experiment.plan
    if not plan.phases:
        return
    if plan.order == "abba" or (plan.live is not None and plan.live.per == "day"):
        what = "order = abba" if plan.order == "abba" else "live.per = day"
        raise InvalidInput(f"phases take a share of the units that come; {what} needs them all in a row. Drop one.")
    if PHASE in plan.privacy.attributes:
        raise InvalidInput(f"An attribute called {PHASE} would be taken for the phases of exposure. Rename it.")
    units, days = sum(phase.units or 0 for phase in plan.phases), sum(phase.days or 0.0 for phase in plan.phases)
    ends = [f"{plan.horizon} units a variant"] if units >= plan.horizon and not plan.endless else []
    ends += [f"{plan.max_runtime_days:g} days"] if days >= plan.max_runtime_days else []
    if ends:
        raise InvalidInput(f"The last phase would never begin: the plan ends at {ends[0]}. Ask less of the others.")


def planned(settings: Resolved, sample_size: int, metrics: Sequence[Metric], *, belief: Belief | None = None) -> Plan:
    """The plan with a salt, its prior, the breaker on a catastrophic loss armed, and a part of harm's budget for later.

    Raises:
        InvalidInput: if the shortest runtime is longer than the longest, or the options contradict each other.
    """
    values = settings.values
    least, most = values.min_runtime_days or 0.0, values.runtime_days or 14.0
    if least > most:
        raise InvalidInput(f"min_runtime_days = {least:g} is above runtime_days = {most:g}. Give a longer runtime.")
    options = {name: getattr(values, name) for name in PlanOptions.model_fields.keys() & Plan.model_fields.keys()}
    primary = next(metric for metric in metrics if metric.role == "primary")
    harm = (values.harm or Harm()).with_catastrophe(primary, values.catastrophic_loss).with_lagging(metrics)
    fields = {
        **{name: value for name, value in options.items() if value is not None},
        "harm": harm,
        "belief": belief,
        "alpha": round(1 - (values.confidence_level or 0.95), 12),
        "power": values.power or 0.8,
        "sample_size": sample_size,
        "min_runtime_days": least,
        "max_runtime_days": most,
        "salt": secrets.token_hex(16),
    }
    try:
        return Plan.model_validate(fields)
    except ValidationError as error:
        told = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise InvalidInput(f"{told}. Nothing was planned.") from error
