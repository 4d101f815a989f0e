"""What the ledger's measurements share: steps timed in turn, and journals of any size."""

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.ledger_sample import trial

from experiment_tracker_tools.ledger.frames import Order as Wanted
from experiment_tracker_tools.ledger.frames import encoded, linked, to_line
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


def in_turn(steps: Mapping[str, Step], rounds: int) -> dict[str, float]:
    """Median seconds of each step, taken in turn."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) for name, taken in times.items()}
