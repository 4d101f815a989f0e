"""Flags: edits that bring one in and edits that only look so, through the hook's path and through a range of commits.

The hook reads before and after of one file with the compiled catalogue and the lexer; a range scans both ends. The
later edits (15 with a flag, 15 without) were all told rightly at first sight, both ways.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.flags.edit import Edit, note_on
from experiment_tracker_tools.flags.project import scanned
from experiment_tracker_tools.flags.remembered import Remembered

FOLDER = Path(__file__).with_name("flags_edits")
_HEAD = re.compile(r"(?m)^=== (\S+)(?: (\S+))?\n")


class Case(NamedTuple):
    """One edit, and the key that it brings in; None where it brings in none."""

    edit: Edit
    key: str | None


class Outcome(NamedTuple):
    """Told rightly and wrongly; missed and false are the edits that went wrong."""

    found: int
    of: int
    false: int
    none: int
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.found} of {self.of} new flags told, {self.false} false of {self.none} edits without one"


def cases() -> Iterator[Case]:
    """All edits of the set."""
    for name in ("new.txt", "none.txt", "new_later.txt", "none_later.txt"):
        parts = _HEAD.split((FOLDER / name).read_text("utf-8"))[1:]
        for path, key, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            lines = body.rstrip("\n").split("\n")
            before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
            after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
            yield Case(Edit(path, before, after), key)


def by_hook(edit: Edit) -> set[str]:
    """The keys that the hook tells as new."""
    note = note_on(edit, Remembered(), lambda _: {})
    return set(note.keys) if note is not None and note.what == "new" else set()


def by_range(edit: Edit) -> set[str]:
    """The keys that the file's later text has and its earlier one has not."""
    before, after = (
        {use.key for use in scanned([(edit.path, text)]).uses if use.kind != "toggle"}
        for text in (edit.before, edit.after)
    )
    return after - before


def outcome(way: str) -> Outcome:
    """How the edits came out, one way: hook or range."""
    told = {"hook": by_hook, "range": by_range}[way]
    found = false = of = none = 0
    wrong: list[str] = []
    for case in cases():
        keys = told(case.edit)
        right = keys == ({case.key} if case.key else set())
        of, none = of + (case.key is not None), none + (case.key is None)
        found, false = found + (case.key is not None and right), false + (case.key is None and not right)
        if not right:
            wrong.append(f"{case.edit.path}: {sorted(keys)}, not {case.key}")
    return Outcome(found, of, false, none, tuple(wrong))


def main() -> None:
    """Print both ways; with -v what went wrong."""
    for way in ("hook", "range"):
        result = outcome(way)
        print(f"{way}: {result}")
        for line in result.wrong if "-v" in sys.argv else ():
            print(f"  {line}")


if __name__ == "__main__":
    main()
