"""How a portfolio of experiments goes, each figure beside its target: how many, how soon, how often they win."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from experiment_tracker_tools.domain.decision import FINAL, Decision
from experiment_tracker_tools.domain.experiment import Experiment

QUARTER = timedelta(days=91)
LEAST = 5
PER_QUARTER, DAYS_TO_DECISION, WIN_RATE, IMPLEMENTATION_RATE = 12, 14.0, 0.3, 0.9


class Course(NamedTuple):
    """What became of one experiment.

    Attributes:
        decision: its newest verdict, and when it was recorded.
        standing: the variant that was promoted and stands; None for none.
        unmerged: it was promoted as a branch or a patch, which somebody has to merge.
    """

    experiment: Experiment
    decision: Decision | None = None
    decided_at: datetime | None = None
    standing: str | None = None
    unmerged: bool = False

    @property
    def started(self) -> datetime | None:
        """When it first ran."""
        return next((step.at for step in self.experiment.history if step.state == "running"), None)

    @property
    def verdict(self) -> str | None:
        """The verdict that ended it; None while there is none."""
        return self.decision.verdict if self.decision is not None and self.decision.verdict in FINAL else None

    @property
    def ended(self) -> datetime | None:
        """When it had its verdict, or expired or was rolled back without one; None before, and if it never ran."""
        if self.started is None:
            return None
        if self.verdict is not None:
            return self.decided_at
        step = self.experiment.entered("expired", "rolled_back")
        return step.at if step is not None else None


class Gauge(NamedTuple):
    """A figure beside its target.

    Attributes:
        name: of the figure.
        value: in `unit`; None where it cannot be said yet.
        target: what it should be: at least, or for days at most.
        met: whether it is; None where that cannot be said.
        told: what it rests on, or why there is none.
    """

    name: str
    value: float | None
    unit: str
    target: float
    met: bool | None
    told: str

    @property
    def shown(self) -> str:
        """The figure as people read it."""
        return "none yet" if self.value is None else _shown(self.value, self.unit)

    @property
    def aim(self) -> str:
        """The target as people read it."""
        return f"{'at most' if self.unit == 'days' else 'at least'} {_shown(self.target, self.unit)}"


def gauges(courses: Sequence[Course], *, now: datetime) -> tuple[Gauge, ...]:
    """The four figures of a portfolio as of a moment."""
    ended = [course for course in courses if course.ended is not None and course.ended <= now]
    return (
        _per_quarter(courses, ended, now),
        _time_to_decision(ended, now),
        _win_rate(ended),
        _implementation_rate(ended),
    )


def _per_quarter(courses: Sequence[Course], ended: Sequence[Course], now: datetime) -> Gauge:
    count = sum(_in_quarter(course.ended, now) for course in ended)
    first = min((course.started for course in courses if course.started is not None), default=None)
    told = f"ended in the last {QUARTER.days} days"
    met: bool | None = count >= PER_QUARTER
    if first is None:
        told, met = "no experiment has started", None
    elif not met and now - first < QUARTER:
        told, met = f"{told}; the first one started {_span(_days(now - first))} ago, so a quarter is not over", None
    return Gauge("Experiments a quarter", count, "", PER_QUARTER, met, told)


def _time_to_decision(ended: Sequence[Course], now: datetime) -> Gauge:
    taken = [
        _days(course.decided_at - course.started)
        for course in ended
        if course.verdict and course.started and course.decided_at and _in_quarter(course.decided_at, now)
    ]
    name = "Time to decision"
    if not taken:
        return Gauge(name, None, "days", DAYS_TO_DECISION, None, f"no verdict in the last {QUARTER.days} days")
    value = median(taken)
    told = f"median from start to verdict of {len(taken)} in the last {QUARTER.days} days, longest {_span(max(taken))}"
    return Gauge(name, value, "days", DAYS_TO_DECISION, value <= DAYS_TO_DECISION, told)


def _win_rate(ended: Sequence[Course]) -> Gauge:
    wins = sum(course.verdict == "SHIP" for course in ended)
    return _rate("Win rate", wins, len(ended), WIN_RATE, "of {n} that ended, {x} with SHIP")


def _implementation_rate(ended: Sequence[Course]) -> Gauge:
    won = [course for course in ended if course.verdict == "SHIP"]
    done = sum(course.experiment.entered("completed") is not None for course in won)
    undone = sum(course.experiment.state == "rolled_back" for course in won)
    to_merge = sum(course.unmerged for course in won)
    more = f", {to_merge} of them as a branch or patch" if to_merge else ""
    more += f", {undone} rolled back since" if undone else ""
    return _rate(
        "Implementation rate", done, len(won), IMPLEMENTATION_RATE, f"of {{n}} with SHIP, {{x}} promoted{more}"
    )


def _rate(name: str, x: int, n: int, target: float, told: str) -> Gauge:
    from experiment_tracker_tools.stats.single_proportion import wilson

    words = told.format(n=n, x=x)
    if n < LEAST:
        return Gauge(name, None, "%", target, None, f"{words}; a rate takes {LEAST}")
    found = wilson(x, n)
    assert found.ci_low is not None
    assert found.ci_high is not None
    words += f"; {found.ci_low:.0%} to {found.ci_high:.0%} (95%)"
    return Gauge(name, x / n, "%", target, x / n >= target, words)


def _in_quarter(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and now - QUARTER < moment <= now


def _days(span: timedelta) -> float:
    return span.total_seconds() / 86_400


def _shown(value: float, unit: str) -> str:
    if unit == "%":
        return f"{value:.0%}"
    return _span(value) if unit == "days" else f"{value:g}"


def _span(days: float) -> str:
    """A length of time as people say it.

    >>> _span(0.01), _span(0.5), _span(1.0), _span(14.0), _span(9.26)
    ('under an hour', '12 hours', '1 day', '14 days', '9.3 days')
    """
    if days < 1 / 24:
        return "under an hour"
    value, unit = (24 * days, "hour") if days < 1 else (days, "day")
    shown = f"{value:.1f}".removesuffix(".0")
    return f"{shown} {unit}" if shown == "1" else f"{shown} {unit}s"
