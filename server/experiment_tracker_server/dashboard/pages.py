"""The pages: what each one shows, made of what the ledger holds now."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from experiment_tracker_server.dashboard.arrivals import Arrivals
from experiment_tracker_server.dashboard.glance import Glance, glance, tone
from experiment_tracker_server.dashboard.reading import Reader
from experiment_tracker_server.dashboard.story import story
from experiment_tracker_tools.analysis.pace import gauges
from experiment_tracker_tools.analysis.portfolio import impacts, saved_a_month
from experiment_tracker_tools.conduct.attention import group_of
from experiment_tracker_tools.conduct.portfolio import course
from experiment_tracker_tools.conduct.staleness import stale_decisions
from experiment_tracker_tools.conduct.summaries import Summary
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.lifecycle import ENDED
from experiment_tracker_tools.search import Query, Searched, search_experiments

GROUPS = {
    "waiting": "Waiting for you",
    "running": "Running",
    "planned": "Planned",
    "ended": "Ended",
}
SIZE = 50
Given = dict[str, object]
Each = TypeVar("Each")


class Pages(NamedTuple):
    """What every page is made of."""

    reader: Reader
    courses: dict[str, Arrivals]


def portfolio(pages: Pages, asked: Callable[[str], str]) -> Given:
    """Every experiment, those that wait for somebody first."""
    every = pages.reader.every()
    placed = [(group_of(each), each) for each in every if not each.experiment.archived]
    group = asked("group") if asked("group") in GROUPS else ""
    chosen = [each for each in placed if group in {"", each[0]}]
    chosen.sort(
        key=lambda each: (list(GROUPS).index(each[0]), -max((a.content.level for a in each[1].alerts), default=0))
    )
    shown, page, pages_ = paged([each for _, each in chosen], asked("page"))
    rows = [glance(each) for each in shown]
    return {
        "title": "Portfolio",
        "groups": [(name, told, [row for row in rows if row.group == name]) for name, told in GROUPS.items()],
        "counts": {name: sum(each[0] == name for each in placed) for name in GROUPS},
        "group": group,
        "total": len(placed),
        "trials": sum(each.trials for _, each in placed),
        **_figures(every, now=pages.reader.workspace.clock()),
        "page": page,
        "pages": pages_,
    }


def _figures(every: Sequence[Summary], *, now: datetime) -> Given:
    """The figures of the whole portfolio; archived experiments were part of it."""
    courses = [course(each) for each in every]
    return {
        "gauges": gauges(courses, now=now),
        "impacts": impacts(courses),
        "saved": saved_a_month(courses),
    }


def backlog(pages: Pages, asked: Callable[[str], str]) -> Given:
    """What is planned and has not started, by its priority."""
    waiting = [s for s in pages.reader.summaries() if s.experiment.entered("running") is None and not _is_over(s)]
    waiting.sort(key=_score, reverse=True)
    shown, page, pages_ = paged(waiting, asked("page"))
    return {"title": "Backlog", "rows": [glance(each) for each in shown], "page": page, "pages": pages_}


def health(pages: Pages, asked: Callable[[str], str]) -> Given:
    """What stands of alerts and of the last look's checks, the most urgent first."""
    live = [s for s in pages.reader.summaries() if not _is_over(s) and s.experiment.entered("running") is not None]
    told = [each for each in live if each.alerts or each.damage or _findings(each)]
    told.sort(key=lambda each: (each.damage is None, -max((a.content.level for a in each.alerts), default=0)))
    shown, page, pages_ = paged(told, asked("page"))
    rows = [(glance(each), each.alerts, each.look.content.health if each.look else None) for each in shown]
    quiet = len(live) - len(told)
    return {"title": "Health and alerts", "rows": rows, "quiet": quiet, "page": page, "pages": pages_}


class Decided(NamedTuple):
    """A line of the decision log."""

    at: datetime
    by: str
    row: Glance
    decision: Decision
    tone: str
    override: str


def decisions(pages: Pages, asked: Callable[[str], str]) -> Given:
    """Every decision, the newest first."""
    decided = [s for s in pages.reader.every() if s.decision is not None]
    found = [
        Decided(entry.at, entry.by, glance(s), entry.content, tone(entry.content.verdict), s.done.override)
        for s in decided
        for entry in pages.reader.entries(s.experiment.id, Decision)
    ]
    found.sort(key=lambda each: each.at, reverse=True)
    shown, page, pages_ = paged(found, asked("page"))
    return {"title": "Decision log", "rows": shown, "total": len(found), "page": page, "pages": pages_}


def retests(pages: Pages, asked: Callable[[str], str]) -> Given:
    """Verdicts that were reached under something else than what is met now, the newest experiments first."""
    found = stale_decisions(pages.reader.workspace)[::-1]
    shown, page, pages_ = paged(found, asked("page"))
    rows = [(glance(pages.reader.summary(each.experiment)), each.told) for each in shown]
    return {"title": "Re-test queue", "rows": rows, "page": page, "pages": pages_}


def searched(pages: Pages, asked: Callable[[str], str]) -> Given:
    """What a few words find.

    Raises:
        InvalidInput: for more words than a search takes.
    """
    query = asked("q").strip()
    found = _found(pages, query) if query else None
    return {"title": "Search", "query": query, "found": found, "tone": tone}


def experiment(pages: Pages, experiment_id: str) -> Given:
    """One experiment.

    Raises:
        NotFound: with the ids that exist.
    """
    told = story(pages.reader, pages.courses.setdefault(experiment_id, Arrivals()), experiment_id)
    return {"title": told.row.name, "story": told, "row": told.row, "experiment": told.row.summary.experiment}


def paged(rows: Sequence[Each], asked: str) -> tuple[Sequence[Each], int, int]:
    """The rows of a page, its number and how many pages there are; what is no page is the first or the last."""
    last = max(1, -(-len(rows) // SIZE))
    page = min(max(1, int(asked)), last) if asked.isdecimal() and len(asked) < 9 else 1
    return rows[(page - 1) * SIZE : page * SIZE], page, last


def _found(pages: Pages, query: str) -> Searched:
    try:
        checked: str = TypeAdapter(Query).validate_python(query)
    except ValidationError as error:
        raise InvalidInput("A search takes up to 500 characters. Give fewer words.") from error
    return search_experiments(pages.reader.workspace, query=checked, limit=50)


def _is_over(summary: Summary) -> bool:
    return summary.experiment.state in ENDED


def _findings(summary: Summary) -> bool:
    health = summary.look.content.health if summary.look is not None else None
    return health is not None and bool(health.halts or health.warnings)


def _score(summary: Summary) -> float:
    priority = summary.experiment.plan.priority
    return priority.score if priority is not None else 0.0
