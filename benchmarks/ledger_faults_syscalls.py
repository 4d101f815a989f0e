"""Does a crash or an error at any system call, or a full disk, ever cost an acknowledged trial?

A library between Python and the C library (LD_PRELOAD, built with the system's compiler) ends the process before,
after or half-way through the n-th call that changes a disk, or lets it fail.
"""

import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from benchmarks.ledger_sample import AT, ID, Outcome, opened, report, scratch, started, trial
from tinydb import TinyDB

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.shelf import Shelf

SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>
static int left = -1, mode = 0, seen = 0;
void fault_arm(int n, int how) { left = n; mode = how; seen = 0; }
int fault_seen(void) { return seen; }
static int hit(void) {
    seen++;
    if (left < 0 || left-- > 0) return 0;
    if (mode == 0) _exit(42);
    return 1;
}
#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define AROUND(call) \
    if (!hit()) return call; \
    if (mode >= 3) { errno = mode; return -1; } \
    call; _exit(42);
ssize_t write(int fd, const void *from, size_t n) {
    REAL(write);
    if (!hit()) return real(fd, from, n);
    if (mode >= 3) { errno = mode; return -1; }
    if (mode == 2) n /= 2;
    real(fd, from, n);
    _exit(42);
}
int fdatasync(int fd) { REAL(fdatasync); AROUND(real(fd)) }
int fsync(int fd) { REAL(fsync); AROUND(real(fd)) }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); AROUND(real(fd, n)) }
int ftruncate(int fd, off_t n) { REAL(ftruncate); AROUND(real(fd, n)) }
int rename(const char *a, const char *b) { REAL(rename); AROUND(real(a, b)) }
int unlink(const char *a) { REAL(unlink); AROUND(real(a)) }
int mkdir(const char *a, mode_t m) { REAL(mkdir); AROUND(real(a, m)) }
"""
BEFORE, AFTER, HALF = 0, 1, 2
EIO, ENOSPC = 5, 28
Operation = Callable[[Ledger, Path], object]


def _rewrite(_ledger: Ledger, folder: Path) -> None:
    journal = Shelf(folder / ".experiments", now=AT.isoformat, writer="compaction").volume(ID).journal
    journal.rewrite(lambda record, current: current or record.table != "experiments")


OPERATIONS: dict[str, Operation] = {
    "record": lambda ledger, _: ledger.record(ID, Batch(trials=[trial(100)])),
    "batch": lambda ledger, _: ledger.record(ID, Batch(trials=[trial(n) for n in range(100, 120)])),
    "expose": lambda ledger, _: ledger.expose(ID, ["u"], lambda unit, _: Exposure(unit=unit, variant="control")),
    "update": lambda ledger, _: ledger.change(ID, lambda e: e.model_copy(update={"tags": ("new",)})),
    "amend": lambda ledger, _: ledger.amend(ID, 1, reason="wrong"),
    "checkpoint": lambda ledger, _: ledger.close(),
    "compaction": _rewrite,
}


def crashes(short: bool) -> Outcome:
    """Every operation, ended before, after and half-way through each of its calls; then one more trial."""
    points = lost = torn = stuck = 0
    with scratch() as folder:
        _filled(folder)
        for name in list(OPERATIONS)[:: 3 if short else 1]:
            calls = _calls_of(name, folder)
            for place in range(calls):
                for mode in (BEFORE, AFTER, HALF):
                    points += 1
                    copy = copied(folder)
                    code = armed(copy, OPERATIONS[name], place, mode)
                    kept = [str(entry.content.key) for entry in opened(copy).entries(ID, type(trial(0)))]
                    lost += not {f"key-0-{n}" for n in range(5)} <= set(kept)
                    torn += code != 42 or len(kept) not in {5, 6, 25} or bool(opened(copy).damage(ID))
                    opened(copy).record(ID, Batch(trials=[trial(500)]))
                    stuck += "key-0-500" not in [str(e.content.key) for e in opened(copy).journal(ID).trials]
    text = f"{points} points, {lost} lost a trial, {torn} half an operation, {stuck} could not go on"
    return Outcome("crash at every system call", text, not (lost or torn or stuck) and points > 0)


def failures(_short: bool) -> Outcome:
    """A write, sync or truncation that fails: an error, no acknowledgement, and never a retried sync."""
    points = wrong = 0
    with scratch() as folder:
        _filled(folder)
        for error in (EIO, ENOSPC):
            for place in range(_calls_of("record", folder)):
                points += 1
                copy = copied(folder)
                wrong += armed(copy, _record_twice, place, error) != 0
                wrong += bool(opened(copy).damage(ID)) or len(opened(copy).journal(ID).trials) < 5
    return Outcome(
        "EIO and ENOSPC from every call of record", f"{points} points, {wrong} wrong", not wrong and points > 0
    )


def _record_twice(ledger: Ledger, _folder: Path) -> None:
    before = len(ledger.journal(ID).trials)
    try:
        ledger.record(ID, Batch(trials=[trial(100)]))
    except StoreFailure as error:
        if "sync" not in str(error):
            ledger.record(ID, Batch(trials=[trial(100)]))
            return
        try:
            ledger.record(ID, Batch(trials=[trial(101)]))
        except StoreFailure:
            return
    raise AssertionError(f"acknowledged after a failure, {before} trials before")


def failed_sync_control() -> Outcome:
    """TinyDB's own storage: after a sync that failed, the next insert must be acknowledged on the same file."""
    with scratch() as folder:
        told = [armed(folder, lambda _ledger, f: _insert_twice(f), place, EIO) for place in range(4)]
    went_on = told.count(0)
    return Outcome("EIO, control (must go on after a failed sync)", f"{went_on} of {len(told)} went on", went_on > 0)


def _insert_twice(folder: Path) -> None:
    with TinyDB(folder / "db") as db:
        try:
            db.insert({"n": 1})
        except OSError:
            db.insert({"n": 2})
            return
    raise AssertionError("nothing failed")


def failures_control() -> Outcome:
    """TinyDB's own storage, crashed within its write: its file must not parse."""
    broken = 0
    with scratch() as folder:
        for mode in (AFTER, HALF):
            with TinyDB(folder / "db") as db:
                db.insert_multiple({"n": n, "note": "x" * 100} for n in range(20))
            armed(folder, lambda _ledger, f: TinyDB(f / "db").truncate(), 0, mode)
            try:
                with TinyDB(folder / "db") as db:
                    len(db)
            except ValueError:
                broken += 1
            (folder / "db").unlink()
    return Outcome("crash at a system call, control (must break)", f"{broken} of 2 broken", broken > 0)


def full_disk(levels: int) -> Outcome:
    """A small disk filled to many levels: an error in time, nothing lost, and it goes on once there is room."""
    wrong = acknowledged = 0
    for level in range(levels):
        with scratch() as folder:
            small = folder / "small"
            small.mkdir()
            mounted = _mount(small)
            try:
                limit = None if mounted else 8_000 + 40 * level
                started(small)
                if mounted:
                    (small / "filler").write_bytes(b"x" * (1024 * 4 * (20 + level % 10)))
                done = _record_until_full(small, limit, level)
                (small / "filler").unlink(missing_ok=True)
                kept = [str(entry.content.key) for entry in opened(small).journal(ID).trials]
                opened(small).record(ID, Batch(trials=[trial(9_999)]))
                wrong += not set(done) <= set(kept) or bool(opened(small).damage(ID)) or not done
                acknowledged += len(done)
            finally:
                if mounted:
                    subprocess.run(["umount", str(small)], check=True)
    how = "tmpfs" if os.getuid() == 0 else "RLIMIT_FSIZE"
    return Outcome("disk full", f"{levels} levels ({how}), {acknowledged} acknowledged, {wrong} wrong", not wrong)


def full_disk_control() -> Outcome:
    """TinyDB's own storage on a disk that fills up: what it acknowledged must be gone."""
    with scratch() as folder:
        small = folder / "small"
        small.mkdir()
        mounted = _mount(small)
        acknowledged, kept = 0, -1
        pid_log = folder / "acknowledged"
        try:
            pid = os.fork()
            if not pid:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                if not mounted:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
                with suppress(OSError), TinyDB(small / "db") as db:
                    for number in range(2_000):
                        db.insert({"key": f"key-{number}", "note": "x" * 300})
                        pid_log.write_text(str(number + 1))
                os._exit(0)
            os.waitpid(pid, 0)
            acknowledged = int(pid_log.read_text())
            with suppress(ValueError, KeyError):
                kept = len(json.loads((small / "db").read_text("utf-8"))["_default"])
        finally:
            if mounted:
                subprocess.run(["umount", str(small)], check=True)
    text = f"{acknowledged} acknowledged, " + ("the file does not parse" if kept < 0 else f"{kept} kept")
    return Outcome("disk full, control (must lose)", text, kept < acknowledged)


def _record_until_full(folder: Path, limit: int | None, level: int) -> list[str]:
    log = os.open(folder.parent / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    pid = os.fork()
    if not pid:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        ledger = opened(folder)
        for number in range(2_000):
            try:
                ledger.record(ID, Batch(trials=[trial(number).model_copy(update={"note": "x" * (7 * level % 300)})]))
            except StoreFailure:
                break
            os.write(log, f"key-0-{number}\n".encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return (folder.parent / "acknowledged").read_text("utf-8").split()


def _mount(folder: Path) -> bool:
    if os.getuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _filled(folder: Path) -> None:
    ledger = started(folder)
    for number in range(5):
        ledger.record(ID, Batch(trials=[trial(number)]))


def copied(folder: Path) -> Path:
    """A store's copy, in the place of the last one."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder / ".experiments", copy / ".experiments")
    return copy


def _calls_of(name: str, folder: Path) -> int:
    """How many calls an operation makes: the first place at which nothing is hit any more."""
    place = 0
    while armed(copied(folder), OPERATIONS[name], place, BEFORE) == 42:
        place += 1
    return place


def armed(folder: Path, operation: Operation, place: int, mode: int) -> int:
    """Run an operation that meets its fault at the n-th call; gives the exit status, 42 where it was ended there."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            ledger = opened(folder)
            if (folder / ".experiments").exists():
                ledger.journal(ID)
            ctypes.CDLL(None).fault_arm(place, mode)
            operation(ledger, folder)
            code = 0
        finally:
            ctypes.CDLL(None).fault_arm(-1, 0)
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def questions(short: bool) -> list[Outcome]:
    """Every answer; without a compiler only those that need none."""
    answers = [full_disk(6 if short else 50), full_disk_control()]
    if not hasattr(ctypes.CDLL(None), "fault_arm"):
        return [*answers, Outcome("crash at every system call", "NOT RUN: no C compiler found", True)]
    return [*answers, crashes(short), failures(short), failures_control(), failed_sync_control()]


def with_faults(module: str) -> None:
    """Start a benchmark again below the library, if there is a compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or "LEDGER_FAULTS" in os.environ:
        return
    with scratch() as folder:
        (folder / "faults.c").write_text(SOURCE, "utf-8")
        source, library = str(folder / "faults.c"), str(folder / "faults.so")
        build = [compiler, "-shared", "-fPIC", "-w", "-o", library, source, "-ldl"]
        subprocess.run(build, check=True)
        environment = {**os.environ, "LD_PRELOAD": library, "LEDGER_FAULTS": "1"}
        again = [sys.executable, "-m", module, *sys.argv[1:]]
        sys.exit(subprocess.run(again, check=False, env=environment).returncode)


if __name__ == "__main__":
    with_faults("benchmarks.ledger_faults_syscalls")
    report(questions)
