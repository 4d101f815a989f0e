"""Three-way merges of single files, made from blobs alone: neither index nor work tree takes part."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command
from experiment_tracker_tools.vcs.trees import Entries, Entry

# No file holds a line that begins with so many of them by chance.
_MARKER = 61
_OPENS, _CLOSES = re.compile(rb"^<{61} "), re.compile(rb"^>{61} ")
_BASE, _THEIRS = re.compile(rb"^\|{61} "), re.compile(rb"^={61}\r?$")
_MOST_NAMED = 3


class Merge(NamedTuple):
    """What a merge came to.

    Attributes:
        entries: the merged content of every path; `ours` where it conflicts.
        merged: paths where both sides had changed, and both changes are in `entries`.
        conflicts: a line for each path that needs a person, with the lines of `ours` that are in question.
    """

    entries: Entries
    merged: tuple[str, ...]
    conflicts: tuple[str, ...]


def merge(
    root: Path,
    *,
    base: Mapping[str, Entry | None],
    ours: Mapping[str, Entry | None],
    theirs: Mapping[str, Entry | None],
) -> Merge:
    """Take over what `theirs` changed since `base` into `ours`; all three must have the same paths.

    Merged contents are kept in the object store.

    Raises:
        GitRefused: if git fails.
    """
    entries: Entries = {}
    merged: list[str] = []
    conflicts: list[str] = []
    for path, old in base.items():
        our, their = ours[path], theirs[path]
        entries[path] = our
        if old in (our, their) or our == their:
            entries[path] = their if old == our else our
        elif our is None or their is None:
            conflicts.append(f"{quoted(path)}: deleted on one side and changed on the other")
        elif isinstance(found := _files(root, old, our, their), Entry):
            entries[path] = found
            merged.append(path)
        else:
            conflicts.append(f"{quoted(path)}: {found}")
    return Merge(entries, tuple(merged), tuple(conflicts))


def _files(root: Path, base: Entry | None, ours: Entry, theirs: Entry) -> Entry | str:
    """The merged file, or what is in question."""
    mode = theirs.mode if base is not None and base.mode == ours.mode else ours.mode
    if base is not None and base.blob in (ours.blob, theirs.blob):
        return Entry(mode, theirs.blob if base.blob == ours.blob else ours.blob)
    if ours.blob == theirs.blob:
        return Entry(mode, ours.blob)
    with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as folder:
        sides = [Path(folder) / name for name in ("ours", "base", "theirs")]
        for side, entry in zip(sides, (ours, base, theirs), strict=True):
            side.write_bytes(command.run(root, "cat-file", "blob", entry.blob) if entry else b"")
        asked = ("merge-file", "-p", "--diff3", f"--marker-size={_MARKER}", *(str(side) for side in sides))
        said = command.attempt(root, *asked)
    if said.status == 0:
        return Entry(mode, command.line(root, "hash-object", "-w", "--stdin", stdin=said.out))
    if said.status >= 128:
        return "both sides changed it, and it cannot be merged line by line (binary?)"
    return _hunks(said.out)


def _hunks(text: bytes) -> str:
    """Name the lines of our side that conflict, with the first of them.

    >>> side = [b"<" * 61 + b" ours", b"fast", b"|" * 61 + b" base", b"slow", b"=" * 61, b"x", b">" * 61 + b" theirs"]
    >>> _hunks(b"\\n".join([b"one", *side, b"two"]))
    "line 2 ('fast')"
    """
    found: list[str] = []
    number, start, first, inside = 0, 0, b"", "both"
    for line in text.split(b"\n"):
        if _OPENS.match(line):
            inside, start, first = "ours", number + 1, b""
        elif inside == "ours" and _BASE.match(line):
            inside = "base"
            found.append(_named(start, number, first))
        elif inside == "base" and _THEIRS.match(line):
            inside = "theirs"
        elif inside == "theirs" and _CLOSES.match(line):
            inside = "both"
        elif inside in {"both", "ours"}:
            number += 1
            first = first or line
    more = f" and {len(found) - _MOST_NAMED} more places" if len(found) > _MOST_NAMED else ""
    return ", ".join(found[:_MOST_NAMED]) + more


def _named(start: int, end: int, first: bytes) -> str:
    if end < start:
        return f"before line {start}"
    where = f"line {start}" if end == start else f"lines {start} to {end}"
    return f"{where} ({quoted(first.decode('utf-8', 'replace').strip(), 40)})"


def refused(conflicts: tuple[str, ...], *, what: str) -> list[str]:
    """Tell conflicts as a problem; nothing to tell where there are none."""
    if not conflicts:
        return []
    more = f"; and {len(conflicts) - _MOST_NAMED} more files" if len(conflicts) > _MOST_NAMED else ""
    return [f"{what}: {'; '.join(conflicts[:_MOST_NAMED])}{more}"]


def unchanged(entries: Mapping[str, Entry | None]) -> Merge:
    """A merge that had nothing to do."""
    return Merge(dict(entries), (), ())
