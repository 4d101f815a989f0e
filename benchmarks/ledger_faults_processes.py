"""Do many processes, stopped or dead lock holders, moved folders and wrong clocks ever lose or double a trial?"""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.ledger_sample import AT, ID, Outcome, opened, report, scratch, started, trial
from tinydb import TinyDB

from experiment_tracker_tools.core.errors import ExperimentError, IllegalStep, StoreFailure
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.shelf import Shelf


def many_writers(processes: int, trials: int, runs: int) -> Outcome:
    """So many processes record so many trials each, while one compacts: none lost or doubled, order kept."""
    wrong = 0
    for _ in range(runs):
        with scratch() as folder:
            started(folder)
            names = range(processes)
            writers = [_forked(partial(_record_many, folder, name, trials)) for name in names]
            compactor = _forked(lambda: _compact_for_ever(folder))
            codes = [_ended(pid) for pid in writers]
            os.kill(compactor, signal.SIGKILL)
            _ended(compactor)
            entries = opened(folder).journal(ID).trials
            keys = [str(entry.content.key) for entry in entries]
            wrong += any(codes) or [entry.seq for entry in entries] != list(range(1, processes * trials + 1))
            for name in names:
                own = [key for key in keys if key.startswith(f"key-{name}-")]
                wrong += own != [f"key-{name}-{number}" for number in range(trials)]
    text = f"{runs} x {processes} x {trials} trials with compaction running: {wrong} wrong (lost, doubled, order, gaps)"
    return Outcome("many writers", text, not wrong)


def many_writers_control() -> Outcome:
    """TinyDB's own storage with four writers: it must lose trials or break."""
    with scratch() as folder:
        for pid in [_forked(partial(_insert_many, folder, name, 50)) for name in range(4)]:
            _ended(pid)
        try:
            kept = len(json.loads((folder / "db").read_text("utf-8"))["_default"])
            text = f"{kept} of 200 kept"
        except ValueError:
            kept, text = 0, "the file does not parse"
        return Outcome("many writers, control (must lose)", text, kept < 200)


def no_trial_after_the_seal(trials: int) -> Outcome:
    """One process records, another stops the experiment: no trial may stand behind the stop."""
    with scratch() as folder:
        ledger = started(folder)
        recorder = _forked(lambda: _record_until_refused(folder, trials))
        while ledger.head(ID).startswith("3.") or len(ledger.journal(ID).trials) < trials // 10:
            time.sleep(0.001)
        ledger.change(ID, lambda e: e.advanced("paused", at=AT, by="bench"))
        sealed = opened(folder).journal(ID).trials
        code = _ended(recorder)
        after = opened(folder).journal(ID).trials
        text = f"{len(sealed)} before the stop, {len(after) - len(sealed)} slipped in behind it"
        return Outcome("no trial after the seal", text, code == 0 and len(after) == len(sealed) < trials)


def stopped_holder() -> Outcome:
    """A SIGSTOPped lock holder: the others get an error within 5 s that names its pid, and go on once it is dead."""
    with scratch() as folder:
        ledger = started(folder)
        reading, writing = os.pipe()
        holder = _forked(lambda: _hold(folder, writing))
        os.read(reading, 1)
        os.kill(holder, signal.SIGSTOP)
        start, told = time.monotonic(), ""
        try:
            ledger.record(ID, Batch(trials=[trial(1)]))
        except StoreFailure as error:
            told = str(error)
        waited = time.monotonic() - start
        os.kill(holder, signal.SIGKILL)
        _ended(holder)
        ledger.record(ID, Batch(trials=[trial(1)]))
        good = f"rocess {holder} " in told and waited < 6 and len(ledger.journal(ID).trials) == 1
        return Outcome("stopped lock holder", f"error after {waited:.1f} s: {told}", good)


def folder_faults() -> Outcome:
    """Folder moved, journal and lock deleted, folder read-only, clock back: an error or the truth, never a loss."""
    checks = {
        "moved": _moved_folder,
        "lock file deleted": _deleted_lock,
        "read-only": _read_only,
        "clock back an hour and to 1970": _clock_back,
    }
    bad = []
    for name, check in checks.items():
        with scratch() as folder:
            if not check(folder, started(folder)):
                bad.append(name)
    return Outcome("folder and clock", f"{', '.join(checks)}: {', '.join(bad) or 'none'} wrong", not bad)


def _moved_folder(folder: Path, ledger: Ledger) -> bool:
    ledger.record(ID, Batch(trials=[trial(1)]))
    (folder / ".experiments").rename(folder / "elsewhere")
    try:
        ledger.record(ID, Batch(trials=[trial(2)]))
    except ExperimentError:
        (folder / "elsewhere").rename(folder / ".experiments")
        ledger.record(ID, Batch(trials=[trial(2)]))
        return len(ledger.journal(ID).trials) == 2
    return False


def _deleted_lock(folder: Path, ledger: Ledger) -> bool:
    # The journal is its own lock: whatever else is deleted, two writers still exclude each other.
    ledger.record(ID, Batch(trials=[trial(1)]))
    ledger.close()
    for path in (folder / ".experiments" / ID).iterdir():
        if path.name != "journal.jsonl":
            path.unlink()
    opened(folder).record(ID, Batch(trials=[trial(2)]))
    shutil.copy(folder / ".experiments" / ID / "journal.jsonl", folder / "copy")
    (folder / "copy").rename(folder / ".experiments" / ID / "journal.jsonl")
    ledger.record(ID, Batch(trials=[trial(3)]))
    return [entry.seq for entry in opened(folder).journal(ID).trials] == [1, 2, 3]


def _read_only(folder: Path, ledger: Ledger) -> bool:
    ledger.record(ID, Batch(trials=[trial(1)]))
    journal = folder / ".experiments" / ID / "journal.jsonl"
    for path in (folder, journal.parent.parent, journal.parent):
        path.chmod(0o755)
    for path in journal.parent.iterdir():
        path.chmod(0o444)
    for path in (journal.parent, journal.parent.parent):
        path.chmod(0o555)
    code = _ended(_forked(lambda: _refused_as_nobody(folder)))
    for path in (journal.parent.parent, journal.parent, journal):
        path.chmod(0o700)
    return code == 0 and len(opened(folder).journal(ID).trials) == 1


def _refused_as_nobody(folder: Path) -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    ledger = opened(folder)
    if len(ledger.journal(ID).trials) != 1:
        raise AssertionError("a read-only store must still be readable")
    try:
        ledger.record(ID, Batch(trials=[trial(2)]))
    except StoreFailure as error:
        if "not writable" in str(error):
            return
    raise AssertionError("a read-only store must refuse")


def _clock_back(folder: Path, ledger: Ledger) -> bool:
    ledger.record(ID, Batch(trials=[trial(1)]))
    for year, hour in ((2026, 11), (1970, 0)):
        early = Ledger(folder / ".experiments", clock=partial(datetime, year, 1, 1, hour, tzinfo=UTC), writer="x")
        early.record(ID, Batch(trials=[trial(year)]))
    return [entry.seq for entry in opened(folder).journal(ID).trials] == [1, 2, 3]


def _record_many(folder: Path, name: int, trials: int) -> None:
    # Doors that stay open, as the server's, and doors that open for one call, as a hook's.
    ledger = opened(folder, ("mcp", "cli", "hook")[name % 3])
    for number in range(trials):
        if name % 3 == 2 and number % 100 == 0:
            ledger = opened(folder, "hook")
        ledger.record(ID, Batch(trials=[trial(number, name)]))


def _compact_for_ever(folder: Path) -> None:
    journal = Shelf(folder / ".experiments", now=lambda: "", writer="compaction").volume(ID).journal
    while True:
        time.sleep(random.uniform(0.02, 0.2))
        journal.rewrite(lambda _record, current: current)


def _record_until_refused(folder: Path, trials: int) -> None:
    ledger = opened(folder)
    try:
        for number in range(trials):
            ledger.record(ID, Batch(trials=[trial(number)]))
    except IllegalStep:
        return


def _hold(folder: Path, tell: int) -> None:
    journal = Shelf(folder / ".experiments", now=lambda: "", writer="holder").volume(ID).journal
    with journal.writing():
        os.write(tell, b"x")
        time.sleep(60)


def _insert_many(folder: Path, name: int, trials: int) -> None:
    for number in range(trials):
        with TinyDB(folder / "db") as db:
            db.insert({"key": f"key-{name}-{number}"})


def _forked(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        work()
        code = 0
    except Exception as error:
        if not isinstance(error, ValueError):
            print(type(error).__name__, error, flush=True)
    finally:
        os._exit(code)


def _ended(pid: int) -> int:
    return os.waitpid(pid, 0)[1]


def questions(short: bool) -> list[Outcome]:
    """Every answer."""
    return [
        many_writers(8, 100 if short else 2000, 1 if short else 10),
        many_writers_control(),
        no_trial_after_the_seal(500 if short else 10_000),
        stopped_holder(),
        folder_faults(),
    ]


if __name__ == "__main__":
    report(questions)
