"""The same faults, injected by the kernel's tracer instead of a library: `strace --inject` lets the n-th call fail with
EIO or kills the process at it. What was acknowledged must be there, and nothing is acknowledged after a failed sync."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.ledger_sample import ID, Outcome, opened, report, scratch, started, trial
from tinydb import TinyDB

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.ledger import Batch

CALLS = "fdatasync,fsync,ftruncate,rename,unlink,mkdir"
"""Not write: the victim's own acknowledgements are writes; the library's faults cover it."""


def failed_syncs(short: bool) -> Outcome:
    """EIO from the n-th sync, for every n."""
    wrong, points = 0, 3 if short else 8
    for place in range(1, points + 1):
        with scratch() as folder:
            started(folder)
            told = _traced("ours", folder, f"--inject=fdatasync:error=EIO:when={place}")
            # A sync of the catalogue is no trial's; from a trial's failed sync on nothing may be acknowledged.
            after = told[told.index("refused") :] if "refused" in told else []
            wrong += "acknowledged" in after
            wrong += len(opened(folder).journal(ID).trials) < told.count("acknowledged")
    return Outcome("strace: EIO from each sync", f"{points} points, {wrong} acknowledged after it or lost", not wrong)


def failed_syncs_control() -> Outcome:
    """TinyDB's own storage under the same faults: it must acknowledge after a failed sync."""
    went_on = 0
    for place in range(1, 4):
        with scratch() as folder:
            told = _traced("tinydb", folder, f"--inject=fsync:error=EIO:when={place}")
            went_on += "refused" in told and "acknowledged" in told[told.index("refused") :]
    return Outcome("strace: EIO, control (must acknowledge after it)", f"{went_on} of 3 went on", went_on > 0)


def killed_at_calls(short: bool) -> Outcome:
    """kill -9 at the n-th call that changes a disk, for every n."""
    lost = points = 0
    while points < (6 if short else 200):
        points += 1
        with scratch() as folder:
            started(folder)
            told = _traced("ours", folder, f"--inject={CALLS}:signal=KILL:when={points}")
            ledger = opened(folder)
            kept = len(ledger.journal(ID).trials)
            ledger.record(ID, Batch(trials=[trial(99)]))
            lost += kept < told.count("acknowledged") or bool(ledger.damage(ID))
        if "ended" in told:
            break
    return Outcome("strace: kill at each call", f"{points} points, {lost} lost or damaged", not lost)


def _traced(kind: str, folder: Path, fault: str) -> list[str]:
    command = ["strace", "-f", "-qqq", "-o", "/dev/null", f"--trace={CALLS}", fault]
    victim = [sys.executable, "-m", "benchmarks.ledger_faults_strace", kind, str(folder)]
    done = subprocess.run([*command, *victim], check=False, capture_output=True, text=True)
    return done.stdout.split()


def _victim(kind: str, folder: Path) -> None:
    ledger = opened(folder)
    tiny = TinyDB(folder / "db") if kind == "tinydb" else None
    for number in range(6):
        try:
            if tiny is not None:
                tiny.insert({"n": number})
            else:
                ledger.record(ID, Batch(trials=[trial(number)]))
            print("acknowledged", flush=True)
        except (StoreFailure, OSError):
            print("refused", flush=True)
    if tiny is None:
        ledger.close()
    print("ended", flush=True)


def questions(short: bool) -> list[Outcome]:
    """Every answer; without strace none."""
    if shutil.which("strace") is None:
        return [Outcome("strace", "NOT RUN: `make bench-deps` installs it", True)]
    return [failed_syncs(short), failed_syncs_control(), killed_at_calls(short)]


if __name__ == "__main__":
    if len(sys.argv) > 2:
        _victim(sys.argv[1], Path(sys.argv[2]))
    else:
        report(questions)
