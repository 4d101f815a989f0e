"""From what a caller gave to a complete plan: defaults with their sources, shares, sample size."""

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.assignment.blocks import block_size
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.experiment import ExperimentType
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.plan import Plan
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.workspace import Resolved

IN_BLOCKS: frozenset[ExperimentType] = frozenset({"command", "agent", "skill", "prompt", "workflow", "performance"})
MOST_UNITS = 1_000_000_000


class Sizing(NamedTuple):
    """What the power analysis says about a plan.

    Attributes:
        sample_size: units per variant that bind (in the smallest variant).
        needed: units that detect the mde; None with `unknown`, the reason.
        power: probability that sample_size detects the mde.
        detects_sd: smallest difference, in standard deviations, that sample_size detects.
        advice: what the planner should know.
    """

    sample_size: int
    needed: int | None
    unknown: str | None
    power: float | None
    detects_sd: float
    advice: tuple[str, ...]


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


def sized(primary: Metric, variants: Sequence[Variant], settings: Resolved, sample_size: int | None) -> Sizing:
    """The binding sample size: the caller's, else the larger of the power analysis and the folk minimum.

    Raises:
        InvalidInput: if the power analysis asks for more units than any plan can have.
    """
    from experiment_tracker_tools.analysis.sample_size import Wanted, detectable_sd, needed, power_at

    values = settings.values
    wanted = Wanted(
        alpha=(1 - (values.confidence_level or 0.95)) / (len(variants) - 1),
        power=values.power or 0.8,
        share_control=variants[0].share or 0.5,
        share_treatment=min(variant.share or 0.5 for variant in variants[1:]),
    )
    need = needed(primary, wanted)
    least = values.min_sample_size or 2
    n = sample_size or max(need.n or 0, least)
    if n > MOST_UNITS:
        raise InvalidInput(
            f"Detecting the mde of {primary.name} needs more than {MOST_UNITS:,} units a variant. Give a larger mde, "
            "or check baseline and sd."
        )
    power = power_at(primary, n, wanted)
    advice: list[str] = []
    if sample_size is not None and need.n is not None and sample_size < need.n:
        advice.append(f"{sample_size} a variant is below the {need.n} that detect the mde at {wanted.power:.0%} power.")
    if sample_size is not None and sample_size < least:
        advice.append(
            f"{sample_size} a variant is below the minimum of {least} ({settings.sources['min_sample_size']})."
        )
    if sample_size is None and need.n is not None and need.n < least:
        advice.append(f"The power analysis asks for {need.n}; the minimum of {least} binds.")
    return Sizing(n, need.n, need.reason, power, detectable_sd(n, wanted), tuple(advice))


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


def planned(settings: Resolved, sizing: Sizing) -> Plan:
    """The plan with a fresh random salt.

    Raises:
        InvalidInput: if the shortest runtime is longer than the longest.
    """
    values = settings.values
    least, most = values.min_runtime_days or 0.0, values.runtime_days or 14.0
    if least > most:
        raise InvalidInput(f"min_runtime_days = {least:g} is above runtime_days = {most:g}. Give a longer runtime.")
    options = {name: getattr(values, name) for name in PlanOptions.model_fields.keys() & Plan.model_fields.keys()}
    return Plan.model_validate(
        {
            **{name: value for name, value in options.items() if value is not None},
            "alpha": round(1 - (values.confidence_level or 0.95), 12),
            "power": values.power or 0.8,
            "sample_size": sizing.sample_size,
            "min_runtime_days": least,
            "max_runtime_days": most,
            "salt": secrets.token_hex(16),
        }
    )
