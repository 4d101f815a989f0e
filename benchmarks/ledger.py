"""What does durability cost, beside a raw append with sync, TinyDB's own storage and SQLite (WAL, synchronous=FULL)?

Every figure is a ratio of medians measured in turn in one run, because a busy machine moves all of them together.
"""

import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import ledger_duckdb, ledger_stdio
from benchmarks.ledger_measure import DOCUMENT, NOW, Step, filled_journal, in_turn, same_steps
from benchmarks.ledger_sample import (
    ID,
    Outcome,
    opened,
    report,
    scratch,
    started,
    trial,
)
from tinydb import TinyDB

from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.ledger.documents import JournalDB
from experiment_tracker_tools.ledger.frames import Order as Wanted
from experiment_tracker_tools.ledger.frames import encoded, linked, to_line
from experiment_tracker_tools.ledger.journal import JournalFile
from experiment_tracker_tools.ledger.tables import document_of

LINE = to_line(linked([Wanted("i", "trials", 1, encoded(DOCUMENT), NOW, "mcp")], 0, ""), "00000000")[0]


def raw_append(path: Path) -> Step:
    """Append a line of the same size and sync it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def step() -> None:
        os.write(fd, LINE)
        os.fdatasync(fd)

    return step


def engine_append(path: Path) -> Step:
    """Append one document to our engine."""
    journal = JournalFile(path, about="bench", now=lambda: NOW, writer="mcp")
    with journal.writing(new=True) as draft:
        draft.put("i", "trials", 1, DOCUMENT)

    def step() -> None:
        with journal.writing() as draft:
            draft.put("i", "trials", journal.tables["trials"].next_id, DOCUMENT)

    return step


def ledger_record(folder: Path, writer: int = 0) -> Step:
    """Record one trial with every rule checked."""
    ledger, number = opened(folder, "mcp"), [0]

    def step() -> None:
        number[0] += 1
        ledger.record(ID, Batch(trials=[trial(number[0], writer)]))

    return step


def sqlite_insert(path: Path) -> Step:
    """Insert one document into SQLite, WAL, synchronous=FULL."""
    db = sqlite3.connect(path, isolation_level=None, timeout=60)
    db.execute("pragma journal_mode=wal")
    db.execute("pragma synchronous=full")
    db.execute("create table if not exists trials (id integer primary key, document text)")

    def step() -> None:
        db.execute("begin immediate")
        db.execute("insert into trials (document) values (?)", (json.dumps(DOCUMENT),))
        db.execute("commit")

    return step


def one_process(rounds: int) -> list[Outcome]:
    """Durable append in one process."""
    with scratch() as folder:
        started(folder)
        with TinyDB(folder / "tiny") as tiny:
            steps = {
                "raw": raw_append(folder / "raw"),
                "same steps": same_steps(folder / "flat" / "j"),
                "engine": engine_append(folder / "engine" / "j"),
                "record": ledger_record(folder),
                "sqlite": sqlite_insert(folder / "sqlite"),
                "tinydb": lambda: tiny.insert(DOCUMENT),
            }
            taken = in_turn(steps, rounds)
    raw = taken["raw"]
    return [
        _ratio("durable append / raw append + fdatasync", taken["engine"] / raw, 1.3),
        Outcome("  beside it: the same steps in one flat function / raw", f"{taken['same steps'] / raw:.2f}", True),
        Outcome("Ledger.record, all rules checked / raw append", f"{taken['record'] / raw:.2f}", True),
        _ratio("durable append / SQLite WAL FULL insert", taken["engine"] / taken["sqlite"], 1.0),
        Outcome(
            "beside it: SQLite / raw, TinyDB's own storage / raw",
            f"{taken['sqlite'] / raw:.2f}, {taken['tinydb'] / raw:.2f} ({rounds} documents)",
            True,
        ),
    ]


def many_processes(processes: int, rounds: int) -> list[Outcome]:
    """Throughput of several processes on one store."""
    with scratch() as folder:
        engine_append(folder / "engine" / "j")
        started(folder)
        sqlite_insert(folder / "sqlite")
        speeds: dict[str, list[float]] = {"raw": [], "engine": [], "record": [], "sqlite": []}
        for turn in range(3):
            kinds: dict[str, Callable[[int], Step]] = {
                "raw": lambda _name: raw_append(folder / "raw"),
                "engine": lambda _name: engine_append(folder / "engine" / "j"),
                "record": partial(_recorder, folder, turn),
                "sqlite": lambda _name: sqlite_insert(folder / "sqlite"),
            }
            for kind, build in kinds.items():
                speeds[kind].append(_throughput(processes, rounds, build))
    speed = {kind: statistics.median(found) for kind, found in speeds.items()}
    return [
        _at_least(f"{processes} processes, durable appends / raw", speed["engine"] / speed["raw"], 0.5),
        Outcome(f"{processes} processes, Ledger.record / raw", f"{speed['record'] / speed['raw']:.2f}", True),
        _at_least(f"{processes} processes, durable appends / SQLite", speed["engine"] / speed["sqlite"], 1.0),
    ]


def _recorder(folder: Path, turn: int, name: int) -> Step:
    return ledger_record(folder, 100 * turn + name)


def _throughput(processes: int, rounds: int, build: Callable[[int], Step]) -> float:
    ready, go = os.pipe(), os.pipe()
    pids = []
    for name in range(processes):
        pid = os.fork()
        if not pid:
            step = build(name)
            step()
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            for _ in range(rounds):
                step()
            os._exit(0)
        pids.append(pid)
    for _ in range(processes):
        os.read(ready[0], 1)
    start = time.perf_counter()
    os.write(go[1], b"x" * processes)
    for pid in pids:
        os.waitpid(pid, 0)
    for fd in (*ready, *go):
        os.close(fd)
    return processes * rounds / (time.perf_counter() - start)


def large(trials: int, rounds: int) -> list[Outcome]:
    """Cost of an append beside so many trials, and of opening them."""
    with scratch() as folder:
        small, big = folder / "small" / "j", folder / "big" / "j"
        filled_journal(small, 100)
        filled_journal(big, trials)
        steps = {"small": engine_append_to(small), "big": engine_append_to(big)}
        taken = in_turn(steps, rounds)
        with_checkpoint, memory = _opening(big)
        big.with_suffix(".checkpoint").unlink()
        without, _ = _opening(big)
    return [
        _ratio(f"append at {trials:,} trials / at 100", taken["big"] / taken["small"], 1.2),
        _ratio(f"open at {trials:,} with checkpoint, ms", with_checkpoint * 1000, 50),
        _ratio("  its memory, MB", memory, 20),
        _ratio(f"open at {trials:,} without checkpoint, s", without, 4),
    ]


def engine_append_to(path: Path) -> Step:
    """Append one document to a journal that exists."""
    journal = JournalFile(path, about="bench", now=lambda: NOW, writer="mcp")
    journal.refresh()

    def step() -> None:
        with journal.writing() as draft:
            draft.put("i", "trials", journal.tables["trials"].next_id, DOCUMENT)

    step()
    return step


def record_at_size(trials: int) -> list[Outcome]:
    """The whole ledger beside so many trials, each of another unit with another key."""
    with scratch() as folder:
        ledger = started(folder)
        for start in range(0, trials, 1000):
            ledger.record(ID, Batch(trials=[trial(number) for number in range(start, start + 1000)]))
        ledger.close()
        script = (
            "import sys, time; from pathlib import Path; from benchmarks.ledger_sample import *\n"
            "from experiment_tracker_tools.ledger import Batch\n"
            "ledger = opened(Path(sys.argv[1])); ledger.experiment(ID[:-1] + '1'); start = time.perf_counter()\n"
            "ledger = opened(Path(sys.argv[1])); ledger.record(ID, Batch(trials=[trial(-1)]))\n"
            "print(time.perf_counter() - start)"
        )
        first = float(_python(script, str(folder)))
        totals = ledger.statistics(ID)
    return [
        Outcome(
            f"open and record the first trial at {trials:,} (keys and units known), ms", f"{first * 1000:.0f}", True
        ),
        Outcome("statistics without reading rows", f"n = {totals.running['control', 'latency'].n:,}", True),
    ]


def tinydb_growth(sizes: tuple[int, int]) -> list[Outcome]:
    """One insert beside few and many documents: TinyDB's own storage, and ours."""
    ratios = {}
    for name, kind in (("TinyDB's own storage", TinyDB), ("ours", JournalDB)):
        with scratch() as folder:
            steps: dict[str, Step] = {}
            for size in sizes:
                db = kind(folder / str(size))
                db.insert_multiple([DOCUMENT] * size)
                steps[str(size)] = partial(db.insert, DOCUMENT)
            taken = in_turn(steps, 15)
            ratios[name] = taken[str(sizes[1])] / taken[str(sizes[0])]
    text = ", ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())
    return [Outcome(f"insert at {sizes[1]:,} documents / at {sizes[0]:,}", text, ratios["ours"] <= 1.5)]


def _opening(path: Path) -> tuple[float, float]:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from experiment_tracker_tools.ledger.journal import JournalFile\n"
        # Not ru_maxrss: a child starts with its parent's, and would seem to need nothing.
        "used = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) / 1024\n"
        "before, start = used(), time.perf_counter()\n"
        "journal = JournalFile(Path(sys.argv[1]), about='bench', now=str, writer='x'); journal.refresh()\n"
        "assert journal.find('trials', journal.tables['trials'].count) is not None\n"
        "print(time.perf_counter() - start, used() - before)"
    )
    seconds, megabytes = _python(script, str(path)).split()
    return float(seconds), float(megabytes)


def _python(script: str, *arguments: str) -> str:
    root = Path(__file__).parents[1]
    path = os.pathsep.join(str(root / name) for name in ("tools", "."))
    command = [sys.executable, "-c", script, *arguments]
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def _ratio(name: str, found: float, most: float) -> Outcome:
    return Outcome(name, f"{found:.2f} (target <= {most:g})", found <= most)


def _at_least(name: str, found: float, least: float) -> Outcome:
    return Outcome(name, f"{found:.2f} (target >= {least:g})", found >= least)


def questions(short: bool) -> list[Outcome]:
    """Every row of the figures."""
    return [
        *one_process(100 if short else 600),
        *many_processes(8, 30 if short else 250),
        *large(20_000 if short else 1_000_000, 50 if short else 400),
        *record_at_size(5_000 if short else 1_000_000),
        *tinydb_growth((100, 5_000) if short else (100, 20_000)),
        *ledger_stdio.questions(short),
        *ledger_duckdb.questions(short),
    ]


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    assert document_of(trial(1), "command") == DOCUMENT
    report(questions)
