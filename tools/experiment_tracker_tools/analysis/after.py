"""What can be said of a gain after the stop: stage-wise p-value, interval and median-unbiased lift.

Of a plan without horizon nothing is corrected: its interval holds at every look, and so where it stopped.
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.analysis.asking import Room, estimates_along
from experiment_tracker_tools.analysis.deviates import Scale, means
from experiment_tracker_tools.analysis.evidence import lift_limits
from experiment_tracker_tools.analysis.exact import Question, interval
from experiment_tracker_tools.analysis.lines import scale_of, stats_along
from experiment_tracker_tools.analysis.rules import by_e_values, success_bounds
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.looks import Look
from experiment_tracker_tools.stats.proportion_intervals import miettinen_nurminen
from experiment_tracker_tools.stats.rates_within_strata import shared_rates
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING
from experiment_tracker_tools.stats.stagewise import after_stopping
from experiment_tracker_tools.stats.tails import t_quantile


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
            if metric.kind in ("binary", "count"):
                inverted = _widened(inverted, room, metric, treatment, look, alpha=alpha)
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


def _widened(
    inverted: tuple[float, float, float], room: Room, metric: Metric, treatment: str, look: int, *, alpha: float
) -> tuple[float, float, float]:
    """The randomisation test's limits, joined with those of the score (of a rate) or Welch's t (of a count).

    No effect is the only shift that every yes and no can have. Any other, however small, breaks the ties, and whatever
    lies beyond 0 is rejected for that alone: the limit sticks at 0 and covers less often than it says.
    """
    from scipy.special import ndtr

    middle, low, high = inverted
    bound = success_bounds(room.grid, alpha=alpha, scale="means")[look]
    level, along = 2 * float(ndtr(-bound)), [room.along[metric.name][look]]
    control, other = (stats_along(along, name, scale="means") for name in (room.experiment.control.name, treatment))
    ends: tuple[float | None, float | None] = (None, None)
    if level > 0 and metric.kind == "binary":
        pairs = [(round(float(each.mean[0] * each.n[0])), int(each.n[0])) for each in (control, other)]
        found = miettinen_nurminen(*pairs, alpha=level)
        ends = found.ci_low, found.ci_high
    elif level > 0:
        welch = means(control, other)
        if float(welch.se[0]) > 0:
            half = t_quantile(float(welch.df[0]), level) * float(welch.se[0])
            ends = float(welch.effect[0]) - half, float(welch.effect[0]) + half
    return (
        middle,
        low if ends[0] is None else min(low, ends[0]),
        high if ends[1] is None else max(high, ends[1]),
    )


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
