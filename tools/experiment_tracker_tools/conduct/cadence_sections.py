"""The sections that reports of many experiments are made of; an effect is always that of a recorded look."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from experiment_tracker_tools.analysis.pace import Gauge
from experiment_tracker_tools.analysis.portfolio import Sum
from experiment_tracker_tools.analysis.wording import change_in_words
from experiment_tracker_tools.conduct.attention import group_of, todo
from experiment_tracker_tools.conduct.lagging import lagging
from experiment_tracker_tools.conduct.portfolio import course
from experiment_tracker_tools.conduct.staleness import Stale
from experiment_tracker_tools.conduct.standing import saved
from experiment_tracker_tools.conduct.summaries import Summary
from experiment_tracker_tools.core.text import counted
from experiment_tracker_tools.domain.decision import Estimate
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.lifecycle import LIVE, State
from experiment_tracker_tools.domain.trial import Entry
from experiment_tracker_tools.reports.page import Section, Table

_MOST = 20
_STEPS: dict[State, str] = {"completed": "completed", "rolled_back": "rolled back", "expired": "expired"}


class Span(NamedTuple):
    """From when to when a report tells what happened."""

    since: datetime
    until: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether something happened in it."""
        return self.since < moment <= self.until


def pace(found: Sequence[Gauge]) -> Section:
    """The four figures beside their targets."""
    marks = {None: "too early to say", True: "yes", False: "no"}
    rows = tuple((each.name, each.shown, each.aim, marks[each.met], each.told) for each in found)
    return Section("Figures", table=Table(("figure", "now", "target", "met", "rests on"), rows))


def corrected(impacts: Sequence[Sum], saved_: Sequence[Sum]) -> Section:
    """What the promotions that stand come to."""
    lines = ("Sums over the promotions that stand, each against its own control; the luck of winners taken out.",)
    nothing = ("No promotion stands whose effect could be added up.",)
    points = [f"{each.what}: {each.shown}, {counted(each.promotions, 'promotion')}" for each in impacts]
    points += [f"Saved: {each.shown}, {counted(each.promotions, 'promotion')}" for each in saved_]
    return Section("Cumulative impact", lines if points else nothing, tuple(points))


def promotions(every: Sequence[Summary]) -> Section:
    """Each promotion that stands, as its experiment measured it."""
    points: list[str] = []
    for each in every:
        variant = course(each).standing
        if variant is not None:
            found = next((e for e in _of_primary(each) if e.treatment == variant), None)
            saves = saved(each.experiment, each.done)
            told = [variant, _change(each, found) if found else "", saves.told if saves else ""]
            points.append(f"{_name(each)}: {'; '.join(filter(None, told))}")
    return Section("Promotions that stand, as measured", points=_most(points))


def decided(every: Sequence[Summary], span: Span) -> Section:
    """The verdicts of the span, with what they found."""
    rows = [
        (_name(each), each.decision.content.verdict, _found(each), f"{each.decision.by}, {each.decision.at:%Y-%m-%d}")
        for each in every
        if each.decision is not None and span.holds(each.decision.at) and course(each).verdict
    ]
    return Section("Decided", table=Table(("experiment", "verdict", "found", "by"), tuple(rows[:_MOST])))


def verdicts(every: Sequence[Summary], span: Span) -> Section:
    """The verdicts of the span with their reasons."""
    points: list[str] = []
    for each in every:
        if each.decision is not None and span.holds(each.decision.at) and course(each).verdict:
            decision = each.decision.content
            found = [] if _found(each) in decision.reasons[0] else [_found(each)]
            told = ". ".join([decision.verdict, *found, decision.reasons[0].rstrip(".")])
            why = f" Rationale: {decision.rationale}" if decision.rationale else ""
            points.append(f"{_name(each)}: {told}.{why}")
    return Section("Decided, with reasons", points=_most(points))


def done(every: Sequence[Summary], span: Span) -> Section:
    """What was promoted, rolled back and what expired."""
    points = [
        f"{_name(each)}: {_STEPS[step.state]}{f' ({step.reason})' if step.reason else ''}"
        for each in every
        for step in each.experiment.history
        if step.state in _STEPS and span.holds(step.at)
    ]
    return Section("Done about it", points=_most(points))


def started(every: Sequence[Summary], span: Span) -> Section:
    """What began to run."""
    begun = [(each, course(each).started) for each in every]
    points = [
        f"{_name(each)}: {each.experiment.hypothesis.change}" for each, at in begun if at is not None and span.holds(at)
    ]
    return Section("Started", points=_most(points))


def running(every: Sequence[Summary]) -> Section:
    """What runs: how far it is, and what its last recorded look showed, if that showed anything."""
    live = [each for each in every if each.experiment.state in LIVE]
    rows = tuple((_name(each), each.experiment.state, _progress(each), _last_look(each)) for each in live[:_MOST])
    more = (f"And {len(live) - _MOST} more.",) if len(live) > _MOST else ()
    return Section("Running", more, table=Table(("experiment", "state", "units of planned", "last look"), rows))


def needs_somebody(every: Sequence[Summary], span: Span) -> Section:
    """What waits for a person."""
    points = [f"{_name(each)}: {todo(each)}" for each in every if _waits(each)]
    for each in every:
        due = [metric for metric in lagging(each.experiment, span.until) if metric.passed and not _closed(each)]
        points += [f"{_name(each)}: {metric.told}" for metric in due]
    return Section("Needs somebody", points=_most(points))


def alerts(every: Sequence[Summary]) -> Section:
    """Alerts that stand, the weightiest first."""
    found = [(each, entry) for each in every if not _closed(each) for entry in each.alerts]
    found.sort(key=lambda pair: (-pair[1].content.level, -pair[1].at.timestamp()))
    points = [f"Level {e.content.level}, {e.at:%Y-%m-%d}, {_name(each)}: {e.content.told}" for each, e in found]
    return Section("Alerts", points=_most(points))


def checks(every: Sequence[Summary]) -> Section:
    """What the last looks' checks of the data found, and damaged journals."""
    live = [each for each in every if each.experiment.state in (*LIVE, "analyzing")]
    points: list[str] = []
    for each in live:
        health = each.look.content.health if each.look is not None else None
        if health is not None:
            points += [f"{_name(each)}: stops it: {finding.told}" for finding in health.halts]
            points += [f"{_name(each)}: {finding.told}" for finding in health.warnings]
    looked = sum(each.look is not None for each in live)
    unseen = f"; {len(live) - looked} have none yet" if looked < len(live) else ""
    quiet = () if points or not live else (f"The last looks of {looked} found nothing{unseen}.",)
    return Section("Checks of the data", quiet, _most(points))


def backlog(every: Sequence[Summary]) -> Section:
    """What is planned, by priority."""
    waiting = [each for each in every if group_of(each) == "planned" and each.experiment.entered("running") is None]
    scores = {each.experiment.id: p.score for each in waiting if (p := each.experiment.plan.priority) is not None}
    waiting.sort(key=lambda each: -scores.get(each.experiment.id, 0.0))
    points = [
        f"{_name(each)}: priority {scores[each.experiment.id]:.1f}" if each.experiment.id in scores else _name(each)
        for each in waiting
    ]
    return Section("Backlog", points=_most(points, 5))


def retests(stale: Sequence[Stale]) -> Section:
    """Verdicts that were reached under something else than what is met now."""
    return Section("To be tested again", points=_most([f"{each.experiment}: {each.told}" for each in reversed(stale)]))


def learned(learnings: Sequence[tuple[Summary, Entry[Learning]]], span: Span) -> Section:
    """What was learned in the span."""
    points = [
        f"{entry.content.statement} ({each.experiment.id} {entry.content.stance} it)"
        for each, entry in learnings
        if span.holds(entry.at)
    ]
    return Section("Learnt", points=_most(points))


def _waits(each: Summary) -> bool:
    return group_of(each) == "waiting" and not each.experiment.archived


def _closed(each: Summary) -> bool:
    return each.experiment.archived or each.experiment.state in {"expired", "iterated", "rolled_back"}


def _name(each: Summary) -> str:
    return f"{each.experiment.name} ({each.experiment.id})"


def _of_primary(each: Summary) -> list[Estimate]:
    return [e for e in each.done.estimates if e.metric == each.experiment.primary.name]


def _change(each: Summary, estimate: Estimate) -> str:
    return change_in_words(each.experiment.primary, estimate)


def _found(each: Summary) -> str:
    winner = each.decision.content.winner if each.decision is not None else None
    found = _of_primary(each)
    best = next((e for e in found if e.treatment == winner), next(iter(found), None))
    return f"{best.treatment}: {_change(each, best)}" if best is not None else "no effect shown"


def _progress(each: Summary) -> str:
    planned = each.experiment.plan.sample_size
    return ", ".join(f"{name} {n:,}/{planned:,}" for name, n in each.units.items())


def _last_look(each: Summary) -> str:
    look = each.decision if each.decision is not None else each.look
    if look is None:
        return "none yet"
    found = _of_primary(each)
    told = "; ".join(f"{e.treatment}: {_change(each, e)}" for e in found[:3]) or "shows no effect yet"
    return f"{look.at:%Y-%m-%d}: {told}"


def _most(points: Sequence[str], most: int = _MOST) -> tuple[str, ...]:
    more = [f"And {len(points) - most} more."] if len(points) > most else []
    return (*points[:most], *more)
