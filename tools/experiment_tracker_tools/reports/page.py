"""What a report consists of before it is Markdown, HTML or blocks: plain text that whoever renders it makes inert."""

from typing import NamedTuple


class Table(NamedTuple):
    """Rows under a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Task(NamedTuple):
    """Something to do, or done."""

    text: str
    done: bool = False


class Section(NamedTuple):
    """A heading with lines of text, then points, then tasks, then a table; each may be missing."""

    title: str
    lines: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    table: Table | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands under the heading."""
        return not (self.lines or self.points or self.tasks or (self.table and self.table.rows))


class Page(NamedTuple):
    """A report.

    Attributes:
        title: its heading.
        sections: those that say something, in their order.
    """

    title: str
    sections: tuple[Section, ...]


def page(title: str, *sections: Section) -> Page:
    """A page without the sections that have nothing to say."""
    return Page(title, tuple(section for section in sections if not section.is_empty))
