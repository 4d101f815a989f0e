"""Reports of all experiments at a cadence: what is told every day, week, two weeks and month, from what is recorded."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from experiment_tracker_tools.analysis.pace import Gauge, gauges
from experiment_tracker_tools.analysis.portfolio import Sum, impacts, saved_a_month
from experiment_tracker_tools.conduct.cadence_sections import (
    Span,
    alerts,
    backlog,
    checks,
    corrected,
    decided,
    done,
    learned,
    needs_somebody,
    pace,
    promotions,
    retests,
    running,
    started,
    verdicts,
)
from experiment_tracker_tools.conduct.portfolio import course
from experiment_tracker_tools.conduct.staleness import Stale, stale_decisions
from experiment_tracker_tools.conduct.summaries import Summary, summary_of
from experiment_tracker_tools.core.text import counted
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.trial import Entry
from experiment_tracker_tools.reports.page import Page, Section, page
from experiment_tracker_tools.workspace import Workspace

Cadence = Literal["daily", "weekly", "biweekly", "monthly"]
DAYS: dict[Cadence, int] = {"daily": 1, "weekly": 7, "biweekly": 14, "monthly": 30}
_TITLES: dict[Cadence, str] = {
    "daily": "Daily health",
    "weekly": "Weekly summary",
    "biweekly": "Bi-weekly review",
    "monthly": "Monthly impact",
}


class Round(NamedTuple):
    """All that a report of many experiments rests on.

    Attributes:
        span: from when to when it tells what happened.
        every: the experiments, newest first; those that were archived before the span are only in the figures.
        gauges, impacts, saved: the figures of the whole portfolio.
        learnings: with their experiments, oldest first.
        stale: verdicts to be tested again.
    """

    cadence: Cadence
    span: Span
    every: Sequence[Summary]
    gauges: Sequence[Gauge]
    impacts: Sequence[Sum]
    saved: Sequence[Sum]
    learnings: Sequence[tuple[Summary, Entry[Learning]]]
    stale: Sequence[Stale]


def round_of(workspace: Workspace, cadence: Cadence) -> Round:
    """What is recorded, as of now; no look is taken."""
    now = workspace.clock()
    every = [summary_of(workspace, each) for each in workspace.ledger.experiments()]
    courses = [course(each) for each in every]
    told = [(each, entry) for each in every for entry in workspace.ledger.entries(each.experiment.id, Learning)]
    return Round(
        cadence,
        Span(now - timedelta(days=DAYS[cadence]), now),
        every[::-1],
        gauges(courses, now=now),
        impacts(courses),
        saved_a_month(courses),
        sorted(told, key=lambda each: each[1].at),
        stale_decisions(workspace),
    )


def headline(seen: Round) -> str:
    """The report in a sentence."""
    ended = sum(_ended_in(each, seen.span) for each in seen.every)
    live = sum(each.experiment.state in {"running", "paused"} for each in seen.every)
    waits = len(needs_somebody(seen.every, seen.span).points)
    days = DAYS[seen.cadence]
    return (
        f"{_TITLES[seen.cadence]} of {_day(seen.span.until)}: {ended} decided in "
        f"{counted(days, 'day')}, {live} running, {waits} waiting for somebody."
    )


def told(seen: Round) -> Page:
    """The report."""
    title = f"{_TITLES[seen.cadence]}, {_day(seen.span.since)} to {_day(seen.span.until)}"
    return page(title, Section("Summary", (headline(seen),)), *(make(seen) for make in _CONTENTS[seen.cadence]))


Make = Callable[[Round], Section]
_CONTENTS: dict[Cadence, tuple[Make, ...]] = {
    "daily": (
        lambda seen: needs_somebody(seen.every, seen.span),
        lambda seen: alerts(seen.every),
        lambda seen: checks(seen.every),
        lambda seen: running(seen.every),
        lambda seen: decided(seen.every, seen.span),
        lambda seen: done(seen.every, seen.span),
    ),
    "weekly": (
        lambda seen: decided(seen.every, seen.span),
        lambda seen: done(seen.every, seen.span),
        lambda seen: needs_somebody(seen.every, seen.span),
        lambda seen: running(seen.every),
        lambda seen: started(seen.every, seen.span),
        lambda seen: learned(seen.learnings, seen.span),
    ),
    "biweekly": (
        lambda seen: pace(seen.gauges),
        lambda seen: verdicts(seen.every, seen.span),
        lambda seen: done(seen.every, seen.span),
        lambda seen: needs_somebody(seen.every, seen.span),
        lambda seen: running(seen.every),
        lambda seen: backlog(seen.every),
        lambda seen: retests(seen.stale),
        lambda seen: learned(seen.learnings, seen.span),
    ),
    "monthly": (
        lambda seen: pace(seen.gauges),
        lambda seen: corrected(seen.impacts, seen.saved),
        lambda seen: promotions(seen.every),
        lambda seen: decided(seen.every, seen.span),
        lambda seen: done(seen.every, seen.span),
        lambda seen: retests(seen.stale),
        lambda seen: learned(seen.learnings, seen.span),
    ),
}


def _ended_in(summary: Summary, span: Span) -> bool:
    ended = course(summary).ended
    return ended is not None and span.holds(ended)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
