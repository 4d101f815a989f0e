"""What can be said of a gain after the stop: stage-wise p-value, interval and median-unbiased lift.

Of a plan without horizon nothing is corrected: its interval holds at every look, and so where it stopped.
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.analysis.asking import Room, estimates_along
from experiment_tracker_tools.analysis.deviates import Scale
from experiment_tracker_tools.analysis.evidence import lift_limits
from experiment_tracker_tools.analysis.exact import Question, interval
from experiment_tracker_tools.analysis.lines import scale_of, stats_along
from experiment_tracker_tools.analysis.rules import by_e_values, success_bounds
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.looks import Look
from experiment_tracker_tools.stats.rates_within_strata import shared_rates
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING
from experiment_tracker_tools.stats.stagewise import after_stopping


class Unbiased(NamedTuple):
    """A lift after the stop, a fraction of control.

    Attributes:
        lift: median-unbiased; low, high: limits of the stage-wise interval, infinite where there is none.
        p_value: stage-wise, two-sided; None for the randomisation test, which has its own.
        factor: the unbiased over the raw effect, on the scale of the test; 1 where the raw one is 0.
    """

    lift: float
    low: float
    high: float
    p_value: float | None
    factor: float


def unbiased(room: Room, metric: Metric, treatment: str, look: int, *, alpha: float = 0.05) -> Unbiased | None:
    """The gain at the look that ended the experiment, whose earlier looks passed without an end."""
    found = estimates_along(room, metric, treatment)
    effect, se, df = float(found.effect[look]), float(found.se[look]), float(found.df[look])
    if se <= 0:
        return None
    log = bool(found.log[look])
    if (blocks := room.blocks.get((metric.name, treatment))) is not None:
        inverted = interval(blocks, Question(alpha, 2, OBRIEN_FLEMING))
        size = control_level(room, metric, treatment, look)
        if inverted is not None and metric.kind == "duration":
            return _lifted(*inverted, log=True, p_value=None, raw=effect)
        if inverted is not None and size > 0:
            # The test of other metrics is of a difference, in their unit.
            return _lifted(*(end / size for end in inverted), log=False, p_value=None, raw=effect)
    if room.grid.method in {"always_valid", "bayesian"}:
        half, limits = _half_width(room, look, se, df, alpha), exact_limits(room, metric, treatment, look, alpha=alpha)
        seen = _lifted(effect, effect - half, effect + half, log=log, p_value=None, raw=effect)
        return seen if limits is None else seen._replace(low=limits[0], high=limits[1])
    looks = [place for place in range(look + 1) if room.grid.speaks[place]]
    times = [room.grid.times[place] for place in looks]
    if not looks or looks[-1] != look:
        return None
    boundary = boundaries(times, alpha=alpha, closes=room.grid.closes and look + 1 == len(room.grid.times))
    stopped = after_stopping(Look(times[-1], effect, se, df), boundary=boundary, alpha=alpha)
    return _lifted(stopped.estimate, stopped.ci_low, stopped.ci_high, log=log, p_value=stopped.p_value, raw=effect)


def control_level(room: Room, metric: Metric, treatment: str, look: int) -> float:
    """The size of control's mean, of which a lift is a fraction; within strata as their comparison has it."""
    along = [room.along[metric.name][look]]
    scale: Scale = "rates" if metric.kind == "binary" else "means"
    control, other = (stats_along(along, name, scale=scale) for name in (room.experiment.control.name, treatment))
    if control.counts is None or other.counts is None:
        return abs(float(control.mean[0]))
    return float(shared_rates(control.counts, other.counts)[0][0])


def exact_limits(room: Room, metric: Metric, treatment: str, look: int, *, alpha: float) -> tuple[float, float] | None:
    """Limits of the lift of rates of a plan without horizon, which hold at every look; None for other comparisons."""
    along = room.along[metric.name]
    if not by_e_values(room.grid, scale_of(metric, along)):
        return None
    sides = (stats_along(along[: look + 1], name, scale="rates") for name in (room.experiment.control.name, treatment))
    return lift_limits(*sides, alpha=alpha)


def _half_width(room: Room, look: int, se: float, df: float, alpha: float) -> float:
    """Of the confidence sequence of a plan without horizon at a look; infinite for other plans."""
    from scipy.special import ndtr, stdtrit

    if room.grid.method != "always_valid":
        return math.inf
    speaking = room.grid._replace(speaks=(True,) * len(room.grid.times))
    bound = success_bounds(speaking, alpha=alpha, scale="means")[look]
    if not math.isfinite(bound):
        return math.inf
    return se * (-float(stdtrit(df, float(ndtr(-bound)))) if math.isfinite(df) else bound)


def _lifted(middle: float, low: float, high: float, *, log: bool, p_value: float | None, raw: float) -> Unbiased:
    def lift(value: float) -> float:
        if not log:
            return value
        return math.expm1(value) if value < 700 else math.inf

    return Unbiased(lift(middle), lift(low), lift(high), p_value, middle / raw if raw else 1.0)
