"""A page as Markdown that diffs well: one thing a line, and recorded text is quoted as text."""

import re

from experiment_tracker_tools.core.text import plainly
from experiment_tracker_tools.reports.page import Page, Section, Table

# Anywhere; before what would make it a link; where a line begins.
_ACTIVE = re.compile(r"[\\`*_\[\]<>|~&$@]|(?<=\])\(|:(?=//)|(?<=www)\.|-(?=-)|^[#+=-]", re.IGNORECASE)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_MOST = 2_000


def markdown(page: Page) -> str:
    """The page, every section under a heading of its own."""
    return "\n\n".join([f"# {inert(page.title)}", *map(_section, page.sections)]) + "\n"


def inert(text: str) -> str:
    """Recorded text that renders as itself, on one line, at most 2,000 characters of it.

    >>> inert("<b>x</b> [y](z)")
    '\\\\<b\\\\>x\\\\</b\\\\> \\\\[y\\\\]\\\\(z)'
    """
    shown = plain(text)
    numbered = _NUMBERED.match(shown)
    head = f"{numbered[1]}\\{numbered[2]}" if numbered else ""
    return head + _ACTIVE.sub(r"\\\g<0>", shown[numbered.end() :] if numbered else shown)


def plain(text: str, most: int = _MOST) -> str:
    """Recorded text on one line, without characters that hide or re-order it, cut where it is too long."""
    return plainly(text, most)


def _section(section: Section) -> str:
    blocks = [
        "\n\n".join(map(inert, section.lines)),
        "\n".join(f"- {inert(point)}" for point in section.points),
        "\n".join(f"- [{'x' if task.done else ' '}] {inert(task.text)}" for task in section.tasks),
        _table(section.table) if section.table and section.table.rows else "",
    ]
    return "\n\n".join([f"## {section.title}", *(block for block in blocks if block)])


def _table(table: Table) -> str:
    rule = f"|{'---|' * len(table.head)}"
    return "\n".join([_row(table.head), rule, *map(_row, table.rows)])


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(inert, cells))} |"
