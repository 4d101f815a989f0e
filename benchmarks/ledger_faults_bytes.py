"""Is damage ever read as truth, and is what was acknowledged ever lost to it: flipped bits, torn ends, lost pages,
deleted, swapped and doubled lines?"""

import json
import random
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from benchmarks.ledger_sample import ID, Outcome, lines_of, opened, report, scratch, started, trial
from tinydb import TinyDB

from experiment_tracker_tools.ledger import Batch

PAGE = 4096
Content = dict[str, float]


def written(folder: Path, batches: Iterable[int]) -> Content:
    """Record that many trials a line; gives what must be read again."""
    ledger, number = started(folder), 0
    for size in batches:
        ledger.record(ID, Batch(trials=[trial(number + part) for part in range(size)]))
        number += size
    return _read(folder)[0]


def flipped_bits(short: bool) -> Outcome:
    """Every bit of a middle line and of its newline."""
    with scratch() as folder:
        expected = written(folder, [1] * 6)
        path, content = _journal(folder), _journal(folder).read_bytes()
        start = sum(len(line) for line in lines_of(folder)[:6])
        line = lines_of(folder)[6]
        bits = range(8 * len(line))
        chosen = sorted({*random.Random(1).sample(bits, 120), *bits[-8:]}) if short else bits
        missed = false = lost = 0
        for bit in chosen:
            path.write_bytes(_flipped(content, 8 * start + bit))
            read, damage = _read(folder)
            missed += not damage
            false += any(expected.get(key) != value for key, value in read.items())
            lost += len(expected) - len(read) > 1
        return Outcome(
            "flipped bits of a middle line",
            f"{len(chosen)} of {len(bits)} tried, {missed} not found, {false} false reads, {lost} lost a neighbour",
            not (missed or false or lost),
        )


def flipped_bits_control() -> Outcome:
    """The same with TinyDB's own storage: some flips must be read as truth."""
    with scratch() as folder:
        with TinyDB(folder / "db") as db:
            for number in range(6):
                db.insert({"key": f"key-{number}", "latency": 1.0 + number})
            expected = db.all()
        content, false = (folder / "db").read_bytes(), 0
        for bit in range(8 * 100, 8 * 150):
            (folder / "db").write_bytes(_flipped(content, bit))
            try:
                with TinyDB(folder / "db") as db:
                    false += db.all() != expected
            except (ValueError, AttributeError, KeyError, TypeError):
                continue
        return Outcome("flipped bits, control (must be read as truth)", f"{false} of 400 false reads", false > 0)


def torn_ends(short: bool) -> Outcome:
    """Every prefix of the last line, as a writer killed within its write leaves it; then one more trial."""
    with scratch() as folder:
        expected = written(folder, [1] * 5)
        content, last = _journal(folder).read_bytes(), lines_of(folder)[-1]
        keys = list(expected)[:-1]
        cuts = range(1, len(last), 11 if short else 1)
        bad = 0
        for cut in cuts:
            _journal(folder).write_bytes(content[: len(content) - cut])
            before, _ = _read(folder)
            opened(folder).record(ID, Batch(trials=[trial(77)]))
            after, damage = _read(folder)
            whole = cut == 1
            bad += list(after)[:4] != keys or "key-0-77" not in after or bool(damage)
            bad += list(before) != keys or len(after) != len(keys) + 1 + whole
        return Outcome("torn ends", f"{len(cuts)} prefixes, {bad} not mended", not bad)


def torn_ends_control() -> Outcome:
    """TinyDB's own storage: a torn write must not parse."""
    with scratch() as folder:
        with TinyDB(folder / "db") as db:
            db.insert_multiple({"n": n} for n in range(5))
        content, broken = (folder / "db").read_bytes(), 0
        for cut in range(1, len(content)):
            try:
                json.loads(content[:cut])
            except ValueError:
                broken += 1
        return Outcome("torn ends, control (must not parse)", f"{broken} of {len(content) - 1} broken", broken > 0)


def power_cuts(count: int) -> Outcome:
    """Un-synced 4 KiB pages lost in any subset, the file's size anywhere between; then one more trial."""
    dice = random.Random(3)
    lost = false = stuck = 0
    with scratch() as folder:
        written(folder, [dice.choice([1, 1, 1, 2, 8, 30]) for _ in range(60)])
        opened(folder).close()
        full, lines = _journal(folder).read_bytes(), lines_of(folder)
        truth, _ = _read(folder)
        keys_of = [[part for part in truth if f'"{part}"'.encode() in line] for line in lines]
        checkpoint = _journal(folder).with_suffix(".checkpoint")
        for _ in range(count):
            checkpoint.unlink(missing_ok=True)
            synced = dice.randrange(4, len(lines))
            _journal(folder).write_bytes(_after_power_cut(full, sum(map(len, lines[:synced])), dice))
            read, _ = _read(folder)
            opened(folder).record(ID, Batch(trials=[trial(10_000)]))
            again, _ = _read(folder)
            acknowledged = [key for keys in keys_of[:synced] for key in keys]
            lost += any(key not in read or key not in again for key in acknowledged)
            false += any(truth.get(key) != value for key, value in read.items())
            stuck += "key-0-10000" not in again
    text = f"{count} cuts, {lost} lost an acknowledged trial, {false} false reads, {stuck} could not go on"
    return Outcome("power cuts", text, not (lost or false or stuck))


def power_cuts_control() -> Outcome:
    """TinyDB's own storage rewrites in place: a cut during the second insert must lose the first."""
    dice, lost = random.Random(3), 0
    with scratch() as folder:
        with TinyDB(folder / "db") as db:
            db.insert({"key": "acknowledged", "note": "x" * 10_000})
            old = (folder / "db").read_bytes()
            db.update({"note": "y" * 9_000})
            new = (folder / "db").read_bytes()
        for _ in range(200):
            pages = max(len(old), len(new)) // PAGE + 1
            mixed = b"".join(dice.choice([old, new])[PAGE * n : PAGE * (n + 1)] for n in range(pages))
            lost += mixed not in (old, new)
    return Outcome("power cuts, control (must lose)", f"{lost} of 200 lost", lost > 0)


def moved_lines(_short: bool) -> Outcome:
    """Each line deleted, doubled, and swapped with the next one."""
    with scratch() as folder:
        expected = written(folder, [1, 1, 3, 1, 1, 1])
        lines = lines_of(folder)
        missed = false = total = 0
        for changed in _rearranged(lines):
            total += 1
            _journal(folder).write_bytes(b"".join(changed))
            read, damage = _read(folder)
            missed += not damage
            keys = [str(entry.content.key) for entry in opened(folder).journal(ID).trials]
            false += len(keys) != len(set(keys)) or any(expected.get(key) != value for key, value in read.items())
        text = f"{total} rearrangements, {missed} not found, {false} false reads"
        return Outcome("lines deleted, doubled, swapped", text, not (missed or false))


def moved_lines_control() -> Outcome:
    """TinyDB's own storage: a document that was taken out, or changed places, must go unnoticed."""
    with scratch() as folder:
        with TinyDB(folder / "db") as db:
            db.insert_multiple({"key": f"key-{number}"} for number in range(6))
        stored = json.loads((folder / "db").read_text("utf-8"))["_default"]
        changed = [{n: d for n, d in stored.items() if n != gone} for gone in stored]
        changed += [{**stored, "1": stored["2"], "2": stored["1"]}, {**stored, "7": stored["6"]}]
        silent = 0
        for documents in changed:
            (folder / "db").write_text(json.dumps({"_default": documents}), "utf-8")
            with TinyDB(folder / "db") as db:
                silent += len(db.all()) == len(documents)
    return Outcome("moved lines, control (must go unnoticed)", f"{silent} of {len(changed)} unnoticed", silent > 0)


def _rearranged(lines: list[bytes]) -> Iterator[list[bytes]]:
    # The last line is left: a journal that ends earlier is found out by the catalogue's anchors (verify).
    for place in range(4, len(lines) - 1):
        yield lines[:place] + lines[place + 1 :]
        yield lines[: place + 1] + lines[place:]
        yield [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]]


def _after_power_cut(full: bytes, synced: int, dice: random.Random) -> bytes:
    size = dice.randrange(synced, len(full) + 1)
    content = bytearray(full[:synced] + b"\0" * (size - synced))
    for start in range(synced // PAGE * PAGE, size, PAGE):
        if dice.random() < 0.5:
            stop = min(start + PAGE, size)
            content[start:stop] = full[start:stop]
    return bytes(content)


def _journal(folder: Path) -> Path:
    return folder / ".experiments" / ID / "journal.jsonl"


def _read(folder: Path) -> tuple[Content, int]:
    ledger = opened(folder)
    trials = ledger.journal(ID).trials
    content = {str(entry.content.key): float(str(entry.content.metrics["latency"])) for entry in trials}
    return content, len(ledger.damage(ID))


def _flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def questions(short: bool) -> list[Outcome]:
    """Every answer."""
    asked: list[Callable[[], Outcome]] = [
        lambda: flipped_bits(short),
        flipped_bits_control,
        lambda: torn_ends(short),
        torn_ends_control,
        lambda: power_cuts(120 if short else 10_000),
        power_cuts_control,
        lambda: moved_lines(short),
        moved_lines_control,
    ]
    return [ask() for ask in asked]


if __name__ == "__main__":
    report(questions)
