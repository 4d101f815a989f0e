"""How many units a plan takes: the caller's number, else the larger of the power analysis and the minimum."""

from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.variant import Variant
from experiment_tracker_tools.workspace import Resolved

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
    most = values.recommended_sample_size or least
    n = sample_size or max(need.n or most, least)
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
    if sample_size is None and need.n is not None and need.n != least:
        rule = f"the minimum ({settings.sources['min_sample_size']}) for {least}"
        binds = f"the minimum of {least} binds" if need.n < least else f"{need.n} binds, the larger one"
        advice.append(f"The power analysis asks for {need.n} a variant, {rule}; {binds}.")
    return Sizing(n, need.n, need.reason, power, detectable_sd(n, wanted), tuple(advice))
