"""Which journals may say something new: the catalogue's new anchors name them, and now and then every one is asked.

Every plan, step, decision and learning leaves an anchor in the catalogue; trials leave none. A process that died before
its anchor, and a folder that was copied in by hand, are found when every journal is asked for its size.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.ledger.frames import Record, read_records

EVERYTHING_AFTER = 100
Stamp = tuple[int, int]


class Mark(NamedTuple):
    """How far the catalogue was read.

    Attributes:
        read: up to which byte; changed: its time of change then, in nanoseconds; inode: of which file.
        behind: how often its anchors alone were asked since every journal was.
    """

    read: int
    changed: int
    inode: int
    behind: int = 0


class Fresh(NamedTuple):
    """What to compare with what is known.

    Attributes:
        journals: size and time of change of those that may be new; whole: these are all there are.
        gone: those that were named and are not there.
        mark: how far the catalogue is read now; None without one.
    """

    journals: Mapping[str, Stamp]
    whole: bool
    gone: frozenset[str]
    mark: Mark | None


def fresh_since(folder: Path, mark: Mark | None, *, everything: bool = False) -> Fresh | None:
    """What may have changed since a mark; None where nothing has."""
    path = folder / "catalogue.jsonl"
    try:
        now = path.stat()
    except OSError:
        return Fresh(dict(_all(folder)), whole=True, gone=frozenset(), mark=None)
    if mark is not None and mark[:3] == (now.st_size, now.st_mtime_ns, now.st_ino) and not everything:
        return None
    follows = mark is not None and mark.inode == now.st_ino and mark.read <= now.st_size
    if mark is None or not follows or mark.behind >= EVERYTHING_AFTER or everything:
        mark = Mark(now.st_size, now.st_mtime_ns, now.st_ino)
        return Fresh(dict(_all(folder)), whole=True, gone=frozenset(), mark=mark)
    names, read = _anchored(path, mark.read, now.st_size)
    stamps = {name: _stamp(os.path.join(folder, name, "journal.jsonl")) for name in names}  # noqa: PTH118
    there = {name: stamp for name, stamp in stamps.items() if stamp is not None}
    new = Mark(read, now.st_mtime_ns, now.st_ino, mark.behind + 1)
    return Fresh(there, whole=False, gone=frozenset(stamps.keys() - there.keys()), mark=new)


def _anchored(path: Path, start: int, end: int) -> tuple[set[str], int]:
    """The experiments that whole lines between two bytes name, and where the last whole line ends."""
    with path.open("rb") as file:
        file.seek(start)
        text = file.read(end - start)
    whole = text[: text.rfind(b"\n") + 1]
    records = (record for line in whole.splitlines() for record in _records(line))
    names = {str(record.document.get("experiment", "")) for record in records if record.table == "anchors"}
    return {name for name in names if name.startswith("exp-")}, start + len(whole)


def _records(line: bytes) -> Iterable[Record]:
    try:
        return read_records(line)
    except (ValueError, KeyError):
        # A damaged line is told by `verify`; the index is only an index.
        return ()


def _all(folder: Path) -> Iterable[tuple[str, Stamp]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("exp-"):
                # Ten thousand times: pathlib would take four times as long.
                stamp = _stamp(os.path.join(entry.path, "journal.jsonl"))  # noqa: PTH118
                if stamp is not None:
                    yield entry.name, stamp


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
