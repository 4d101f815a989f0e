"""What a change of every run comes to in a month and a year."""

from typing import NamedTuple

from experiment_tracker_tools.analysis.wording import number
from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.metric import Metric

HOURS = "h"
_SECONDS = {
    "ms": 0.001,
    "s": 1.0,
    "sec": 1.0,
    "seconds": 1.0,
    "min": 60.0,
    "minutes": 60.0,
    "h": 3600.0,
    "hours": 3600.0,
}
_WORK_WEEK_H = 40.0


class Savings(NamedTuple):
    """What is saved a month, with its interval; in `unit`.

    Attributes:
        unit: h for times, else the metric's own.
        month: of the arithmetic means.
        low, high: its interval at the estimate's confidence; None where the effect has none.
    """

    unit: str
    month: float
    low: float | None
    high: float | None

    @property
    def told(self) -> str:
        """A month, a year, and for times the work-weeks of 40 hours.

        >>> Savings("h", 20.0, 10.0, 30.0).told
        'saves 20 h a month (10 to 30), 240 h a year (120 to 360), 6 work-weeks a year (3 to 9)'
        """
        parts = [self._part(1, self.unit, "month"), self._part(12, self.unit, "year")]
        if self.unit == HOURS:
            parts.append(self._part(12 / _WORK_WEEK_H, "work-weeks", "year"))
        return f"{'saves' if self.month >= 0 else 'costs'} {', '.join(parts)}"

    def _part(self, times: float, unit: str, period: str) -> str:
        sign = 1 if self.month >= 0 else -1
        interval = ""
        if self.low is not None and self.high is not None:
            ends = sorted((sign * times * self.low, sign * times * self.high))
            interval = f" ({number(ends[0])} to {number(ends[1])})"
        return f"{number(sign * times * self.month)} {unit} a {period}{interval}"


def savings(metric: Metric, estimate: Estimate, *, runs_per_month: float) -> Savings | None:
    """What a metric that should fall saves; None for other metrics, without a unit or without an effect."""
    if metric.direction != "decrease" or metric.unit is None or metric.kind == "binary" or estimate.effect is None:
        return None
    seconds = _SECONDS.get(metric.unit.lower()) if metric.kind == "duration" else None
    scale = -runs_per_month * (seconds / 3600 if seconds is not None else 1.0)
    ends: tuple[float | None, float | None] = (None, None)
    if estimate.ci_low is not None and estimate.ci_high is not None:
        ends = (scale * estimate.ci_high, scale * estimate.ci_low)
    return Savings(HOURS if seconds is not None else metric.unit, scale * estimate.effect, *ends)
