"""A unified diff as pieces of files before and after: what its hunks show of each, with the lines they stand at."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_IMPORTS = re.compile(r"^\s*(?:import|from|using|use|package|require)\b|\brequire\(")
_MOST_IMPORTS = 200


class Side(NamedTuple):
    """One side of a file: the lines that the diff shows, and their numbers."""

    lines: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()

    def text(self, head: str) -> str:
        """The lines as a file that begins with `head`."""
        return head + "".join(f"{line}\n" for line in self.lines)


class Piece(NamedTuple):
    """What a diff shows of one file."""

    path: str
    before: Side
    after: Side


def pieces(diff: str) -> list[Piece]:
    """The files of a unified diff; empty where it is none.

    >>> pieces("--- a/x.py\\n+++ b/x.py\\n@@ -1 +1,2 @@\\n a\\n+b\\n")[0].after
    Side(lines=('a', 'b'), numbers=(1, 2))
    """
    found: dict[str, tuple[Side, Side]] = {}
    lines = diff.split("\n")
    old = new = ""
    at = 0
    while at < len(lines):
        line, at = lines[at], at + 1
        if line.startswith("--- ") and at < len(lines) and lines[at].startswith("+++ "):
            old, new, at = _path(line), _path(lines[at]), at + 1
        elif (hunk := _HUNK.match(line)) is not None and (old or new):
            first, second, at = _hunk(lines, at, hunk)
            before, after = found.get(new or old, (Side(), Side()))
            found[new or old] = _joined(before, first), _joined(after, second)
    return [Piece(path, before, after) for path, (before, after) in found.items()]


def head_of(text: str) -> str:
    """The lines of a file that say where names come from: a hunk seldom shows them."""
    return "".join(f"{line}\n" for line in _imports(text))


def _imports(text: str) -> Iterator[str]:
    for line in text.split("\n")[:_MOST_IMPORTS]:
        if _IMPORTS.search(line) is not None:
            yield line


def _path(line: str) -> str:
    path = line[4:].split("\t", maxsplit=1)[0].strip().strip('"')
    return "" if path == "/dev/null" else re.sub(r"^[abciwo]/", "", path)


def _hunk(lines: list[str], at: int, hunk: re.Match[str]) -> tuple[Side, Side, int]:
    """Both sides of a hunk, as many lines as its header counts, and where it ends."""
    starts = int(hunk.group(1)), int(hunk.group(3))
    wanted = [int(hunk.group(2) or 1), int(hunk.group(4) or 1)]
    sides: tuple[list[str], list[str]] = ([], [])
    while at < len(lines) and (len(sides[0]) < wanted[0] or len(sides[1]) < wanted[1]):
        sign, content = lines[at][:1], lines[at][1:]
        if sign not in {"-", "+", " ", "\\", ""}:
            break
        if sign != "\\":
            for side, other in ((0, "+"), (1, "-")):
                if sign != other:
                    sides[side].append(content)
        at += 1
    first, second = (
        Side(tuple(side), tuple(range(start, start + len(side)))) for side, start in zip(sides, starts, strict=True)
    )
    return first, second, at


def _joined(side: Side, more: Side) -> Side:
    return Side(side.lines + more.lines, side.numbers + more.numbers)
