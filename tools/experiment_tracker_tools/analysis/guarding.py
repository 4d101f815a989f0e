"""How likely so many units show a guardrail safe that nothing changes: a SHIP needs every one shown.

References:
    Chow, Shao, Wang & Lokhnygina (2017), chapter 3. Farrington & Manning (1990), Statistics in Medicine 9, for rates.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.analysis.deviates import rates, stats
from experiment_tracker_tools.analysis.rules import SAFETY_ALPHA
from experiment_tracker_tools.analysis.sample_size import Wanted, fixed_sizes
from experiment_tracker_tools.analysis.supposed import Unit, unit_of
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.power_means import power_noninferiority
from experiment_tracker_tools.stats.tails import z_quantile

_MOST = 1_000_000_000


class Guarded(NamedTuple):
    """What so many units show of a guardrail with a margin.

    Attributes:
        metric: the guardrail.
        chance: that it is shown within its margin where nothing changes, 0 to 1.
        needed: units in the smaller variant that show it at the wanted power; None beyond a milliard.
        supposed: what the plan does not say of it and was supposed, in words; empty where it says all.
    """

    metric: Metric
    chance: float
    needed: int | None
    supposed: str


def guarded(metrics: Sequence[Metric], n: int, wanted: Wanted) -> list[Guarded]:
    """The guardrails with a margin that n units in the smaller variant show less often than is wanted, worst first.

    >>> time = Metric(name="time", role="primary", kind="duration", direction="decrease")
    >>> right = Metric(name="right", role="guardrail", kind="binary", direction="increase", margin=0.01, baseline=0.9)
    >>> [(each.needed, round(each.chance, 2)) for each in guarded([time, right], 100, Wanted(0.05, 0.8, 0.5, 0.5))]
    [(13621, 0.08)]
    """
    primary = next(metric for metric in metrics if metric.role == "primary")
    found: list[Guarded] = []
    for metric in metrics:
        unit = unit_of(metric, primary) if metric.role == "guardrail" and metric.margin is not None else None
        if unit is not None and metric.kind != "ratio" and (chance := _chance(metric, unit, n, wanted)) < wanted.power:
            found.append(Guarded(metric, chance, _needed(metric, unit, n, wanted), _supposed(metric, unit, primary)))
    return sorted(found, key=lambda each: each.chance)


def _chance(metric: Metric, unit: Unit, n: int, wanted: Wanted) -> float:
    """The chance of the plan's own one-sided test, looked at once."""
    control, treatment = fixed_sizes(n, wanted)
    ratio = 1 - unit.sign * (metric.margin or 0.0)
    if unit.scale == "rates":
        return _of_rates(unit.mean, ratio, control, treatment, unit.sign)
    room, sd = abs(math.log(ratio)), unit.sd
    if unit.scale == "means":
        # Of treatment - ratio * control.
        room, sd = abs(1 - ratio) * abs(unit.mean), unit.sd * math.sqrt((1 + ratio**2) / 2)
    if sd == 0:
        return 1.0
    return power_noninferiority(room, n_control=control, n_treatment=treatment, sd=sd, alpha=SAFETY_ALPHA)


def _of_rates(rate: float, ratio: float, control: float, treatment: float, sign: int) -> float:
    from scipy.special import ndtr

    parts = [stats(n, rate, n * rate * (1 - rate)) for n in (control, treatment)]
    expected, gap = sign * float(rates(*parts, ratio=ratio)), abs(1 - ratio) * rate
    if not expected > 0:
        return 0.0
    room = expected - z_quantile(SAFETY_ALPHA, sides=1)
    real = math.sqrt(rate * (1 - rate) * (1 / treatment + ratio**2 / control))
    return float(ndtr(room * gap / expected / real))


def _needed(metric: Metric, unit: Unit, n: int, wanted: Wanted) -> int | None:
    low, high = n, 2 * n
    while _chance(metric, unit, high, wanted) < wanted.power:
        low, high = high, 2 * high
        if low > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _chance(metric, unit, middle, wanted) >= wanted.power else (middle, high)
    return high


def _supposed(metric: Metric, unit: Unit, primary: Metric) -> str:
    if metric.kind == "binary":
        return "" if metric.baseline is not None else f"{unit.mean:.0%} in control"
    if metric.baseline and metric.sd is not None:
        return ""
    known = primary.baseline and primary.sd is not None
    return f"an sd as large, for its mean, as that of {primary.name}" if known else "an sd as large as its mean"
