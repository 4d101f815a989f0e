"""A page as Slack's Block Kit: what a webhook takes, within Slack's limits, and recorded text inert in it.

References:
    Slack, Block Kit reference: at most 50 blocks a message, 3,000 characters a section's text, 150 a header's.
"""

import re
from collections.abc import Iterator, Sequence

from experiment_tracker_tools.reports.markdown import plain
from experiment_tracker_tools.reports.page import Page, Section

Block = dict[str, object]
BLOCKS, TEXT, HEADER = 50, 3_000, 150
_LINE, _CELL = 500, 160
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# What would be bold, struck or code; one that stands at a word's edge would make it italic.
_LOOKS_LIKE = {"*": "∗", "~": "∼", "`": "ˋ", "_": "ˍ"}
_ACTIVE = re.compile(r"[*~`]|(?<!\w)_|_(?!\w)")


def slack(page: Page, *, whole: str) -> dict[str, object]:
    """The message: a fallback text, and the blocks; `whole` names the file that has what does not fit."""
    blocks: list[Block] = [{"type": "header", "text": _plain_text(page.title)}]
    blocks += [block for section in page.sections for block in _blocks(section)]
    if len(blocks) > BLOCKS:
        left = len(blocks) - BLOCKS + 1
        told = mrkdwn(f"{left} more parts are in {whole}")
        blocks = [*blocks[: BLOCKS - 1], {"type": "context", "elements": [_marked(told)]}]
    return {"text": mrkdwn(page.title), "blocks": blocks}


def mrkdwn(text: str, *, most: int = _LINE) -> str:
    """Recorded text that Slack shows as itself, on one line: no mention, link or emphasis; `most` characters of it.

    >>> mrkdwn("<!channel> *now* & _here_")
    '&lt;!channel&gt; ∗now∗ &amp; ˍhereˍ'
    """
    shown = _ACTIVE.sub(lambda found: _LOOKS_LIKE[found[0]], plain(text, most))
    return "".join(_ENTITIES.get(character, character) for character in shown)


def _blocks(section: Section) -> Iterator[Block]:
    """Lines packed into as few texts as hold them, the heading in the first."""
    text = f"*{mrkdwn(section.title, most=HEADER)}*"
    for line in _lines(section):
        if len(text) + 1 + len(line) > TEXT:
            yield {"type": "section", "text": _marked(text)}
            text = line
        else:
            text += f"\n{line}"
    yield {"type": "section", "text": _marked(text)}


def _lines(section: Section) -> Iterator[str]:
    yield from map(mrkdwn, section.lines)
    yield from (f"• {mrkdwn(point)}" for point in section.points)
    yield from (f"{'☑' if task.done else '☐'} {mrkdwn(task.text)}" for task in section.tasks)
    if section.table is not None:
        yield from (f"• {mrkdwn(_row(section.table.head, row))}" for row in section.table.rows)


def _row(head: Sequence[str], row: Sequence[str]) -> str:
    """The first cell names the row; the others are told with what they are."""
    told = [f"{name}: {plain(cell, _CELL)}" for name, cell in zip(head[1:], row[1:], strict=True) if cell]
    return " · ".join([plain(row[0], _CELL), *told])


def _marked(text: str) -> Block:
    # Verbatim: addresses and names of channels in it become no links.
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _plain_text(text: str) -> Block:
    return {"type": "plain_text", "text": plain(text, HEADER), "emoji": False}
