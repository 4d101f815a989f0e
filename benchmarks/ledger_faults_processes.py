"""Do many processes ever lose, double or re-order a trial, or slip one in behind a stop?"""

import json
import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.ledger_doors import COMMAND, left_by_hook, recorded, recorded_by_command, served
from benchmarks.ledger_sample import AT, ID, Outcome, opened, report, scratch, started, trial
from tinydb import TinyDB

from experiment_tracker_tools.core.errors import IllegalStep, StoreFailure
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.ledger.shelf import Shelf

_REFUSED = "refused"
Door = Callable[[Path, int, int], None]


def many_writers(trials: int, runs: int, *, commands: int) -> Outcome:
    """Eight processes record so many trials each through every door, while one compacts and one takes in the spool.

    Three through servers of their own over stdio, three as libraries, one through so many commands, one as hooks do.
    None may be lost or doubled; positions have no gap, and each writer's trials keep their order. Who waited for the
    lock in vain, as on a machine that is busy otherwise, was told so in an error, and asks again.
    """
    by_command: Door = partial(_through_command, calls=commands)
    wrong, again, doors = 0, 0, [*[_through_server] * 3, *[_through_library] * 3, by_command, _as_hooks]
    for _ in range(runs):
        with scratch() as folder:
            started(folder)
            (folder / ".experiments" / "spool").mkdir()
            writers = [forked(partial(door, folder, name, trials)) for name, door in enumerate(doors)]
            beside = [forked(partial(_compact_for_ever, folder)), forked(partial(_take_in_for_ever, folder))]
            codes = [ended(pid) for pid in writers]
            for pid in beside:
                os.kill(pid, signal.SIGKILL)
                ended(pid)
            opened(folder).take_in_spools()
            again += (folder / _REFUSED).stat().st_size if (folder / _REFUSED).exists() else 0
            entries = opened(folder).journal(ID).trials
            keys = [str(entry.content.key) for entry in entries]
            wrong += any(codes) or [entry.seq for entry in entries] != list(range(1, len(doors) * trials + 1))
            for name in range(len(doors)):
                own = [key for key in keys if key.startswith(f"key-{name}-")]
                wrong += own != [f"key-{name}-{number}" for number in range(trials)]
    how = "through server, library, CLI and hook, compacted meanwhile"
    text = f"{runs} x {len(doors)} x {trials} trials {how}: {wrong} wrong; {again} calls refused in time and repeated"
    return Outcome("many writers (lost, doubled, order, gaps)", text, not wrong)


def _through_server(folder: Path, name: int, trials: int) -> None:
    with served([COMMAND, "serve"], folder) as call:
        for number in range(trials):
            _patiently(folder, partial(recorded, call, number, name))


def _through_library(folder: Path, name: int, trials: int) -> None:
    ledger = opened(folder, "library")
    for number in range(trials):
        _patiently(folder, partial(ledger.record, ID, Batch(trials=[trial(number, name)])))


def _through_command(folder: Path, name: int, trials: int, *, calls: int) -> None:
    at_once = max(1, trials // calls)
    for start in range(0, trials, at_once):
        numbers = range(start, min(start + at_once, trials))
        _patiently(folder, partial(recorded_by_command, folder, numbers, name))


def _patiently(folder: Path, record: Callable[[], object]) -> None:
    """Record; a refusal that tells of a lock held for too long has recorded nothing, and is counted."""
    while True:
        try:
            record()
        except (StoreFailure, AssertionError) as error:
            if "has held" not in str(error):
                raise
            with (folder / _REFUSED).open("ab") as refused:
                refused.write(b"x")
            time.sleep(1)
        else:
            return


def _as_hooks(folder: Path, name: int, trials: int) -> None:
    for number in range(trials):
        left_by_hook(folder, number, name)


def _take_in_for_ever(folder: Path) -> None:
    ledger = opened(folder, "hook")
    while True:
        _patiently(folder, ledger.take_in_spools)
        time.sleep(0.01)


def many_writers_control() -> Outcome:
    """TinyDB's own storage with four writers: it must lose trials or break."""
    with scratch() as folder:
        for pid in [forked(partial(_insert_many, folder, name, 50)) for name in range(4)]:
            ended(pid)
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
        recorder = forked(lambda: _record_until_refused(folder, trials))
        while ledger.head(ID).startswith("3.") or len(ledger.journal(ID).trials) < trials // 10:
            time.sleep(0.001)
        ledger.change(ID, lambda e: e.advanced("paused", at=AT, by="bench"))
        sealed = opened(folder).journal(ID).trials
        code = ended(recorder)
        after = opened(folder).journal(ID).trials
        text = f"{len(sealed)} before the stop, {len(after) - len(sealed)} slipped in behind it"
        return Outcome("no trial after the seal", text, code == 0 and len(after) == len(sealed) < trials)


def _compact_for_ever(folder: Path) -> None:
    journal = Shelf(folder / ".experiments", now=lambda: "", writer="compaction").volume(ID).journal
    while True:
        time.sleep(random.uniform(0.02, 0.2))
        _patiently(folder, lambda: journal.rewrite(lambda _record, current: current))


def _record_until_refused(folder: Path, trials: int) -> None:
    ledger = opened(folder)
    try:
        for number in range(trials):
            ledger.record(ID, Batch(trials=[trial(number)]))
    except IllegalStep:
        return


def _insert_many(folder: Path, name: int, trials: int) -> None:
    for number in range(trials):
        with TinyDB(folder / "db") as db:
            db.insert({"key": f"key-{name}-{number}"})


def forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own; gives its pid."""
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


def ended(pid: int) -> int:
    """How a process ended: 0 where all went well."""
    return os.waitpid(pid, 0)[1]


def questions(short: bool) -> list[Outcome]:
    """Every answer."""
    return [
        many_writers(100 if short else 2000, 1 if short else 10, commands=4 if short else 10),
        many_writers_control(),
        no_trial_after_the_seal(500 if short else 10_000),
    ]


if __name__ == "__main__":
    report(questions)
