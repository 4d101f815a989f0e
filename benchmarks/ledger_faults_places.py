"""Stopped and dead lock holders, moved folders, read-only stores and wrong clocks: an error in time, or the truth; and
the same with TinyDB's own storage, which must lose or lie."""

import fcntl
import os
import shutil
import signal
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.ledger_faults_processes import ended, forked
from benchmarks.ledger_sample import ID, Outcome, opened, report, scratch, started, trial
from tinydb import TinyDB

from experiment_tracker_tools.core.errors import ExperimentError, StoreFailure
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.shelf import Shelf


def stopped_holder() -> Outcome:
    """A SIGSTOPped lock holder: the others get an error within 5 s that names its pid, and go on once it is dead."""
    with scratch() as folder:
        ledger = started(folder)
        reading, writing = os.pipe()
        holder = forked(lambda: _hold(folder, writing))
        os.read(reading, 1)
        os.kill(holder, signal.SIGSTOP)
        start, told = time.monotonic(), ""
        # A call may ask several times: for what hooks left, for itself, for what follows.
        for _ in range(3):
            try:
                ledger.record(ID, Batch(trials=[trial(1)]))
            except StoreFailure as error:
                told = str(error)
        waited = time.monotonic() - start
        os.kill(holder, signal.SIGKILL)
        ended(holder)
        ledger.record(ID, Batch(trials=[trial(1)]))
        good = f"rocess {holder} " in told and waited < 5 and len(ledger.journal(ID).trials) == 1
        return Outcome(
            "stopped lock holder, asked three times", f"error after {waited:.2f} s (target < 5): {told}", good
        )


def stopped_holder_control() -> Outcome:
    """TinyDB's own storage locks nobody: what another one recorded meanwhile must be overwritten."""
    with scratch() as folder:
        with TinyDB(folder / "db") as db:
            db.insert({"key": "first"})
        reading, writing = os.pipe()
        stopped = forked(partial(_update_slowly, folder, writing))
        os.read(reading, 1)
        os.kill(stopped, signal.SIGSTOP)
        with TinyDB(folder / "db") as db:
            db.insert({"key": "meanwhile"})
        os.kill(stopped, signal.SIGCONT)
        ended(stopped)
        kept = "meanwhile" in (folder / "db").read_text("utf-8")
    return Outcome("stopped holder, control (must lose)", "kept" if kept else "what came meanwhile is lost", not kept)


def _update_slowly(folder: Path, tell: int) -> None:
    def change(document: dict[str, object]) -> None:
        os.write(tell, b"x")
        # Stopped here, between reading and writing; whoever continues it lets it write what it had read.
        time.sleep(0.5)
        document["changed"] = True

    with TinyDB(folder / "db") as db:
        db.update(change)


def moved_folder_control() -> Outcome:
    """TinyDB's own storage: an insert must be acknowledged although its folder is elsewhere."""
    with scratch() as folder:
        (folder / "store").mkdir()
        with TinyDB(folder / "store" / "db") as db:
            db.insert({"key": "first"})
            (folder / "store").rename(folder / "elsewhere")
            (folder / "store").mkdir()
            acknowledged = db.insert({"key": "second"}) == 2
        found = (folder / "store" / "db").exists()
    good = acknowledged and not found
    return Outcome("folder moved, control (must acknowledge into nowhere)", f"acknowledged, found there: {found}", good)


def clock_control() -> Outcome:
    """What orders by time, as documents with a time would be, must come out of order when the clock goes back."""
    with scratch() as folder, TinyDB(folder / "db") as db:
        now = datetime(2026, 11, 20, tzinfo=UTC)
        for number, at in enumerate((now, now - timedelta(hours=1), datetime(1970, 1, 1, tzinfo=UTC))):
            db.insert({"n": number, "at": at.isoformat()})
        order = [document["n"] for document in sorted(db.all(), key=lambda document: str(document["at"]))]
    return Outcome("clock back, control (must come out of order)", f"order {order}", order != [0, 1, 2])


def read_only_control() -> Outcome:
    """TinyDB's own storage in a file that may only be read: it must fail, although nobody wants to write."""
    with scratch() as folder:
        with TinyDB(folder / "db") as db:
            db.insert({"key": "first"})
        (folder / "db").chmod(0o444)
        folder.chmod(0o755)
        told = ended(forked(partial(_read_as_nobody, folder / "db")))
        (folder / "db").chmod(0o600)
    text = "could be read" if told == 0 else "cannot even be read"
    return Outcome("read-only, control (must not be readable)", text, told != 0)


def deleted_lock_control() -> Outcome:
    """Writers that lock a file beside their data: once it is deleted, the next one must get in although it is held."""
    with scratch() as folder:
        (folder / "lock").touch()
        held = os.open(folder / "lock", os.O_RDWR)
        fcntl.flock(held, fcntl.LOCK_EX)
        (folder / "lock").unlink()
        second = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            got_in = True
        except BlockingIOError:
            got_in = False
    text = "a second holder got in" if got_in else "kept out"
    return Outcome("lock file deleted, control (must let a second one in)", text, got_in)


def _read_as_nobody(path: Path) -> None:
    _become_nobody()
    try:
        with TinyDB(path) as db:
            db.all()
    except PermissionError as error:
        raise ValueError("not readable") from error


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
    code = ended(forked(lambda: _refused_as_nobody(folder)))
    for path in (journal.parent.parent, journal.parent, journal):
        path.chmod(0o700)
    return code == 0 and len(opened(folder).journal(ID).trials) == 1


def _become_nobody() -> None:
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def _refused_as_nobody(folder: Path) -> None:
    _become_nobody()
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


def _hold(folder: Path, tell: int) -> None:
    journal = Shelf(folder / ".experiments", now=lambda: "", writer="holder").volume(ID).journal
    with journal.writing():
        os.write(tell, b"x")
        time.sleep(60)


def questions(_short: bool) -> list[Outcome]:
    """Every answer."""
    return [
        stopped_holder(),
        stopped_holder_control(),
        folder_faults(),
        moved_folder_control(),
        read_only_control(),
        deleted_lock_control(),
        clock_control(),
    ]


if __name__ == "__main__":
    report(questions)
