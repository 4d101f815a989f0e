"""How many units a plan needs, and what the units it has can show."""

import math
from typing import NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats import power_means, power_proportions


class Wanted(NamedTuple):
    """What the power analysis starts from.

    Attributes:
        alpha: two-sided error rate of one comparison.
        power: wanted probability of detecting the mde.
        share_control: fraction of the units that control gets.
        share_treatment: that of the smallest treatment.
    """

    alpha: float
    power: float
    share_control: float
    share_treatment: float

    @property
    def allocation(self) -> float:
        """Treatment units per control unit."""
        return self.share_treatment / self.share_control


class Needed(NamedTuple):
    """Units of the smaller variant, or None with the reason why they cannot be computed."""

    n: int | None
    reason: str | None


def needed(primary: Metric, wanted: Wanted) -> Needed:
    """Units per variant that detect the primary's mde."""
    shift = _shift(primary)
    if isinstance(shift, str):
        return Needed(None, shift)
    try:
        if primary.kind == "binary":
            found = power_proportions.n_per_variant(
                shift.start,
                shift.start + shift.effect,
                alpha=wanted.alpha,
                power=wanted.power,
                allocation=wanted.allocation,
            )
        else:
            found = power_means.n_per_variant(
                shift.effect, sd=shift.sd, alpha=wanted.alpha, power=wanted.power, allocation=wanted.allocation
            )
    except InvalidInput as error:
        return Needed(None, str(error))
    return Needed(min(found.n_control, found.n_treatment), None)


def power_at(primary: Metric, n: int, wanted: Wanted) -> float | None:
    """The probability that n units in the smaller variant detect the primary's mde; None where that is unknown."""
    shift = _shift(primary)
    if isinstance(shift, str):
        return None
    control, treatment = _sizes(n, wanted)
    if primary.kind == "binary":
        return power_proportions.power(
            shift.start, shift.start + shift.effect, n_control=control, n_treatment=treatment, alpha=wanted.alpha
        )
    return power_means.power(shift.effect, sd=shift.sd, n_control=control, n_treatment=treatment, alpha=wanted.alpha)


def detectable_sd(n: int, wanted: Wanted) -> float:
    """The smallest difference, in standard deviations, that n units in the smaller variant detect.

    >>> round(detectable_sd(20, Wanted(0.05, 0.8, 0.5, 0.5)), 2)
    0.91
    """
    control, treatment = _sizes(n, wanted)
    return power_means.mde(n_control=control, n_treatment=treatment, alpha=wanted.alpha, power=wanted.power)


class _Shift(NamedTuple):
    start: float
    effect: float
    sd: float


def _sizes(n: int, wanted: Wanted) -> tuple[float, float]:
    ratio = wanted.allocation
    return (n / ratio, n) if ratio < 1 else (n, n * ratio)


def _shift(primary: Metric) -> _Shift | str:
    """The planned change on the scale of the test, or what is missing to know it."""
    lacking = [name for name in ("mde", "baseline") if getattr(primary, name) is None]
    lacking += ["sd"] if primary.kind != "binary" and primary.sd is None else []
    if lacking:
        return f"{primary.name} has no {', '.join(lacking)}: give them for a power analysis"
    mde, baseline, sd = primary.mde or 0.0, primary.baseline or 0.0, primary.sd or 0.0
    sign = 1 if primary.direction == "increase" else -1
    if primary.kind == "binary":
        moved = baseline * (1 + sign * mde)
        return (
            _Shift(baseline, moved - baseline, 0.0)
            if 0 < moved < 1
            else f"its mde, a lift, moves {primary.name} to {moved:g}"
        )
    if primary.kind == "duration":
        if 1 + sign * mde <= 0:
            return f"an mde of {mde:.0%} leaves no time"
        return _Shift(baseline, math.log(1 + sign * mde), math.sqrt(math.log1p((sd / baseline) ** 2)))
    if baseline == 0:
        return f"a lift of {primary.name} from a baseline of 0 is undefined"
    return _Shift(baseline, sign * mde * abs(baseline), sd)
