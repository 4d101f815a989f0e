"""What promoted winners come to together: what was measured, and the same with the luck of being picked taken out.

Effects are compared as fractions of control's arithmetic mean, the good way up, and pooled within one metric; what has
different units is never added up.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from experiment_tracker_tools.analysis.pace import LEAST, Course
from experiment_tracker_tools.analysis.savings import Savings, savings
from experiment_tracker_tools.analysis.wording import number
from experiment_tracker_tools.core.text import counted
from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.metric import Metric


class Gain(NamedTuple):
    """One treatment's gain on its primary, as a fraction of control's mean, and its standard error.

    Attributes:
        stands: this treatment was promoted and stands.
        month: what it measured as saved a month; None where the plan does not say how often the subject runs.
    """

    experiment: str
    metric: Metric
    gain: float
    se: float
    stands: bool
    month: Savings | None


class Sum(NamedTuple):
    """A sum over promotions that stand; None with a reason where it cannot be said.

    Attributes:
        what: the metric, or saved.
        unit: "%" for gains, else of what is saved, such as "h a month".
        promotions: how many are added up.
        measured: as their experiments measured them.
        value: the same corrected, with its 95% interval low to high.
        reason: why there is none.
    """

    what: str
    unit: str
    promotions: int
    measured: float
    value: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str | None = None

    @property
    def shown(self) -> str:
        """The corrected sum with its interval, and what was measured.

        >>> Sum("cost", "%", 2, 0.31, 0.22, 0.1, 0.34).shown
        '+22.0% (+10.0% to +34.0%), measured +31.0%'
        >>> Sum("saved", "h a month", 1, 12.0, reason="1 experiment on time; the correction takes 5").shown
        'not corrected (1 experiment on time; the correction takes 5), measured 12 h a month'
        """
        measured = f"measured {self._told(self.measured)}"
        if self.value is None or self.low is None or self.high is None:
            return f"not corrected ({self.reason}), {measured}"
        return f"{self._told(self.value)} ({self._told(self.low)} to {self._told(self.high)}), {measured}"

    def _told(self, value: float) -> str:
        return f"{value:+.1%}" if self.unit == "%" else f"{number(value)} {self.unit}"


def impacts(courses: Iterable[Course]) -> tuple[Sum, ...]:
    """By metric: the gains of the promotions that stand, added up, each against its own control."""
    found = (_impact(gains) for gains in _by_metric(courses) if any(gain.stands for gain in gains))
    return tuple(sorted(found, key=lambda each: (-each.promotions, each.what)))


def saved_a_month(courses: Iterable[Course]) -> tuple[Sum, ...]:
    """By unit: what the promotions that stand save a month, of those whose plan says how often the subject runs."""
    parts: defaultdict[str, list[Sum]] = defaultdict(list)
    for gains in _by_metric(courses):
        for unit in sorted({gain.month.unit for gain in gains if gain.stands and gain.month is not None}):
            parts[unit].append(_saved(gains, unit))
    return tuple(_added_up(unit, each) for unit, each in sorted(parts.items()))


def _by_metric(courses: Iterable[Course]) -> list[list[Gain]]:
    """Gains that can be pooled: those of one metric, in one unit, with one good direction."""
    groups: defaultdict[tuple[str, ...], list[Gain]] = defaultdict(list)
    for course in courses:
        for gain in _gains(course):
            metric = gain.metric
            groups[metric.name, metric.kind, metric.unit or "", metric.direction].append(gain)
    return list(groups.values())


def _gains(course: Course) -> list[Gain]:
    if course.verdict is None or course.decision is None:
        return []
    primary = course.experiment.primary
    found = (
        _gain(course, primary, estimate)
        for estimate in course.decision.look.estimates
        if estimate.metric == primary.name
    )
    return [gain for gain in found if gain is not None]


def _gain(course: Course, metric: Metric, estimate: Estimate) -> Gain | None:
    from experiment_tracker_tools.stats.tails import z_quantile

    effect, low, high, mean = estimate.effect, estimate.ci_low, estimate.ci_high, estimate.mean_control
    if effect is None or low is None or high is None or not mean or not high > low:
        return None
    sign = 1 if metric.direction == "increase" else -1
    se = (high - low) / (2 * z_quantile(1 - estimate.confidence)) / abs(mean)
    runs = course.experiment.plan.runs_per_month
    month = savings(metric, estimate, runs_per_month=runs) if runs is not None else None
    stands = course.standing == estimate.treatment
    return Gain(course.experiment.id, metric, sign * effect / abs(mean), se, stands, month)


def _impact(gains: Sequence[Gain]) -> Sum:
    return _total(gains, gains[0].metric.name, "%", [1.0 if gain.stands else 0.0 for gain in gains])


def _saved(gains: Sequence[Gain], unit: str) -> Sum:
    weights = [
        gain.month.month / gain.gain if gain.stands and gain.month and gain.month.unit == unit and gain.gain else 0.0
        for gain in gains
    ]
    return _total(gains, gains[0].metric.name, unit, weights)


def _total(gains: Sequence[Gain], metric: str, unit: str, weights: Sequence[float]) -> Sum:
    from experiment_tracker_tools.stats.portfolio_total import shrunk_total

    count = sum(weight != 0 for weight in weights)
    measured = math.fsum(weight * gain.gain for weight, gain in zip(weights, gains, strict=True))
    experiments = len({gain.experiment for gain in gains})
    if experiments < LEAST:
        reason = f"{counted(experiments, 'experiment')} on {metric}; the correction takes {LEAST}"
        return Sum(metric, unit, count, measured, reason=reason)
    found = shrunk_total([gain.gain for gain in gains], [gain.se for gain in gains], weights)
    return Sum(metric, unit, count, measured, found.shrunk, found.ci_low, found.ci_high)


def _added_up(unit: str, parts: Sequence[Sum]) -> Sum:
    """Sums of different metrics in one unit: independent, so that the arms of their intervals add up in squares."""
    what, unit, count = "saved", f"{unit} a month", sum(part.promotions for part in parts)
    measured = math.fsum(part.measured for part in parts)
    if reasons := [part.reason for part in parts if part.reason]:
        return Sum(what, unit, count, measured, reason="; ".join(reasons))
    value = math.fsum(part.value or 0.0 for part in parts)
    below = math.hypot(*((part.value or 0.0) - (part.low or 0.0) for part in parts))
    above = math.hypot(*((part.high or 0.0) - (part.value or 0.0) for part in parts))
    return Sum(what, unit, count, measured, value, value - below, value + above)
