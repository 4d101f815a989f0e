"""How a metric's units are supposed to come out before there are any."""

import math
from typing import NamedTuple

from experiment_tracker_tools.analysis.deviates import Scale
from experiment_tracker_tools.domain.metric import Metric

RARE = 0.05


class Unit(NamedTuple):
    """How a metric's units are drawn: mean and sd of a unit on the scale of the test."""

    scale: Scale
    mean: float
    sd: float
    sign: int


def unit_of(metric: Metric, primary: Metric) -> Unit | None:
    """How a metric's units are drawn; the spread that it does not say is the primary's."""
    sign = 1 if metric.direction == "increase" else -1
    if metric.kind == "binary":
        mean = metric.baseline if metric.baseline is not None or metric.role == "primary" else _within(metric, sign)
        return None if mean is None else Unit("rates", mean, 0.0, sign)
    mean, sd = metric.baseline, metric.sd
    if metric.role != "primary" and (not mean or sd is None):
        mean = mean or (metric.limit * 2.0**sign if metric.limit else 1.0)
        sd = abs(mean) * _spread(primary)
    if not mean or sd is None:
        return None
    if metric.kind == "duration":
        log_sd = math.sqrt(math.log1p((sd / mean) ** 2))
        return Unit("logs", math.log(mean) - log_sd**2 / 2, log_sd, sign)
    return Unit("means", mean, sd, sign)


def _within(metric: Metric, sign: int) -> float:
    """A rate half way within its limit; rarely bad where it has none."""
    bad = RARE
    if metric.limit is not None and 0 < metric.limit < 1:
        bad = (metric.limit if sign < 0 else 1 - metric.limit) / 2
    return bad if sign < 0 else 1 - bad


def _spread(primary: Metric) -> float:
    return primary.sd / abs(primary.baseline) if primary.sd is not None and primary.baseline else 1.0
