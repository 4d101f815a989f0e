"""A page as data: the same texts as in its other forms, and the portfolio's figures as numbers."""

import json
from collections.abc import Sequence

from experiment_tracker_tools.analysis.pace import Gauge
from experiment_tracker_tools.analysis.portfolio import Sum
from experiment_tracker_tools.reports.page import Page, Section


def as_json(page: Page, *, gauges: Sequence[Gauge] = (), impacts: Sequence[Sum] = (), saved: Sequence[Sum] = ()) -> str:
    """JSON in ASCII alone; what is empty is left out, what cannot be said is null with its reason."""
    told: dict[str, object] = {
        "title": page.title,
        "figures": [each._asdict() for each in gauges],
        "impact": [each._asdict() for each in impacts],
        "saved_a_month": [each._asdict() for each in saved],
        "sections": [_section(section) for section in page.sections],
    }
    return json.dumps({name: each for name, each in told.items() if each}, ensure_ascii=True, indent=2) + "\n"


def _section(section: Section) -> dict[str, object]:
    table = section.table
    rows = [dict(zip(table.head, row, strict=True)) for row in table.rows] if table is not None else []
    told: dict[str, object] = {
        "title": section.title,
        "lines": section.lines,
        "points": section.points,
        "tasks": [task._asdict() for task in section.tasks],
        "rows": rows,
    }
    return {name: each for name, each in told.items() if each}
