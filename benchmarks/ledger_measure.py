"""What the ledger's measurements share: steps timed in turn, and journals of any size."""

import fcntl
import os
import statistics
import time
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.ledger_sample import trial

from experiment_tracker_tools.ledger.frames import Order as Wanted
from experiment_tracker_tools.ledger.frames import encoded, linked, next_line, to_line
from experiment_tracker_tools.ledger.journal import JournalFile

Step = Callable[[], object]
NOW = "2026-11-20T12:00:00.000000+00:00"
DOCUMENT = {"provenance": "command", "content": trial(1).model_dump(mode="json", exclude_defaults=True)}


def filled_journal(path: Path, trials: int) -> None:
    """Write a journal with so many trials, and its checkpoint."""
    journal = JournalFile(path, about="bench", now=lambda: NOW, writer="mcp")
    with journal.writing(new=True) as draft:
        draft.put("i", "trials", 1, DOCUMENT)
    # One line a trial, as they come in; written at once, because syncing each is not what is measured here.
    crc, place, chain = journal.crc, journal.place, journal.chain
    with path.open("ab") as file:
        for id_ in range(2, trials + 1):
            parts = linked([Wanted("i", "trials", id_, encoded(DOCUMENT), NOW, "mcp")], place, chain)
            line, crc = to_line(parts, crc)
            place, chain = place + 1, parts[0].chain
            file.write(line)
    journal.refresh()
    journal.save_checkpoint()


def same_steps(path: Path) -> Step:
    """The steps of a durable append in one flat function without checks: what a line costs that is locked and chained.

    Lock, is it the same file, encode, hash twice, checksum, write, unlock, remember the offset, sync.
    """
    path.parent.mkdir()
    fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    name, inode, offsets, state = str(path), os.fstat(fd).st_ino, array("q"), ["0" * 64, "0" * 8]

    def step() -> None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = os.stat(name)  # noqa: PTH116 as the engine asks it
        assert status.st_ino == inode
        place = len(offsets)
        order = Wanted("i", "trials", place + 1, encoded(DOCUMENT), NOW, "mcp")
        line, state[1], state[0] = next_line([order], place, state[0], state[1])
        os.write(fd, line)
        fcntl.flock(fd, fcntl.LOCK_UN)
        offsets.append(status.st_size)
        os.fdatasync(fd)

    return step


def in_turn(steps: Mapping[str, Step], rounds: int) -> dict[str, float]:
    """Median seconds of each step, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}
