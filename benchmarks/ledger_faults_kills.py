"""Is an acknowledged trial ever lost when writers are killed (kill -9) in the middle of mixed operations?"""

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.ledger_sample import ID, Outcome, opened, report, scratch, started, trial
from tinydb import TinyDB

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.ledger import Batch
from experiment_tracker_tools.ledger.shelf import Shelf

Writer = Callable[[Path, int, int], None]


def mixed_writer(folder: Path, name: int, acknowledged: int) -> None:
    """Record, batch, expose, change, amend, save checkpoints and compact, for ever; note every acknowledgement."""
    ledger = opened(folder, f"writer {name}")
    dice, number = random.Random(name), 0
    while True:
        number += 1
        match dice.randrange(12):
            case 0:
                trials = [trial(1000 * number + part, name) for part in range(5)]
                ledger.record(ID, Batch(trials=trials))
                keys = [str(found.key) for found in trials]
            case 1:
                unit = f"exposed-{name}-{number}"
                ledger.expose(ID, [unit], lambda unit, _: Exposure(unit=unit, variant="control"))
                keys = [unit]
            case 2:
                ledger.change(ID, partial(_tagged, tag=f"tag-{name}-{number}"))
                keys = []
            case 3 if number % 3 == 0:
                volume = Shelf(folder / ".experiments", now=lambda: "", writer="compaction").volume(ID)
                volume.journal.rewrite(lambda record, current: current or record.table != "experiments")
                keys = []
            case 4:
                ledger.close()
                keys = []
            case _:
                one = trial(number, name)
                ledger.record(ID, Batch(trials=[one]))
                keys = [str(one.key)]
        os.write(acknowledged, "".join(f"{key}\n" for key in keys).encode())


def tinydb_writer(folder: Path, name: int, acknowledged: int) -> None:
    """Insert into TinyDB's own storage, for ever; note every acknowledgement."""
    number = 0
    while True:
        number += 1
        try:
            with TinyDB(folder / "db.json") as db:
                db.insert({"key": f"key-{name}-{number}", "metrics": {"latency": 1.5}})
        except ValueError:
            time.sleep(0.001)
            continue
        os.write(acknowledged, f"key-{name}-{number}\n".encode())


def killing(folder: Path, writer: Writer, kills: int, seed: int) -> list[str]:
    """Keep 3 to 8 writers busy while killing them one by one; gives what was acknowledged."""
    dice = random.Random(seed)
    log = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    names, running = iter(range(1_000_000)), list[int]()
    for _ in range(kills):
        wanted = dice.randint(3, 8)
        while len(running) < wanted:
            running.append(_forked(folder, writer, next(names), log))
        time.sleep(dice.uniform(0.001, 0.03))
        _kill(running.pop(dice.randrange(len(running))))
    for pid in running:
        _kill(pid)
    return (folder / "acknowledged").read_text("utf-8").split()


def ours(kills: int, seed: int) -> Outcome:
    """The question, asked of our ledger."""
    with scratch() as folder:
        started(folder)
        acknowledged = killing(folder, mixed_writer, kills, seed)
        kept = Counter(_keys(folder))
        lost = [key for key in acknowledged if key not in kept]
        doubled = [key for key, count in kept.items() if count > 1]
        ledger = opened(folder)
        damage, seqs = ledger.damage(ID), _seqs(folder)
        gaps = seqs != list(range(1, len(seqs) + 1))
        (folder / ".experiments" / ID / "journal.checkpoint").unlink(missing_ok=True)
        same = Counter(_keys(folder)) == kept
        text = (
            f"{kills} kills, {len(acknowledged)} acknowledged, {len(lost)} lost, {len(doubled)} doubled, "
            f"{sum(kept.values()) - len(acknowledged)} kept without acknowledgement, {len(damage)} signs of damage"
        )
        return Outcome("kill -9, ours", text, not (lost or doubled or damage or gaps) and same and bool(acknowledged))


def control(kills: int, seed: int) -> Outcome:
    """The same question, asked of TinyDB's own storage: it must fail, or the question is worth nothing."""
    with scratch() as folder:
        acknowledged = killing(folder, tinydb_writer, kills, seed)
        try:
            kept = {d["key"] for d in json.loads((folder / "db.json").read_text("utf-8") or "{}")["_default"].values()}
            lost = len(set(acknowledged) - kept)
            text = f"{kills} kills, {len(acknowledged)} acknowledged, {lost} lost"
        except (ValueError, KeyError):
            lost, text = 1, f"{kills} kills, {len(acknowledged)} acknowledged, the file does not parse: all lost"
        return Outcome("kill -9, control (TinyDB's own storage must lose)", text, lost > 0)


def _tagged(experiment: Experiment, tag: str) -> Experiment:
    return experiment.model_copy(update={"tags": (tag,)})


def _keys(folder: Path) -> list[str]:
    journal = opened(folder).journal(ID)
    keys = [str(entry.content.key) for entry in journal.trials]
    return keys + [entry.content.unit for entry in journal.exposures]


def _seqs(folder: Path) -> list[int]:
    journal = opened(folder).journal(ID)
    return sorted(entry.seq for kind in journal for entry in kind)


def _forked(folder: Path, writer: Writer, name: int, log: int) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        writer(folder, name, log)
    except StoreFailure as error:
        print(f"a writer gave up: {error}", file=sys.stderr)
    finally:
        os._exit(1)


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def questions(short: bool) -> list[Outcome]:
    """Both answers."""
    kills = 200 if short else 1000
    return [ours(kills, seed=7), control(min(kills, 30), seed=7)]


if __name__ == "__main__":
    report(questions)
