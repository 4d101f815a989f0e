"""The engine's own promises: threads, forks, failing disks, and caches that may be broken or deleted."""

import os
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import pytest

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.trial import Exposure, Trial
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.frames import Operation
from experiment_tracker_tools.ledger.journal import JournalFile

OPERATIONS: list[Operation] = ["i", "i", "i", "i", "u", "r"]


def journal_at(path: Path) -> JournalFile:
    return JournalFile(path, about="tests", now=lambda: "now", writer="tests")


def add(journal: JournalFile, number: int = 0) -> int:
    with journal.writing(new=True) as draft:
        rows = journal.tables.get("t")
        id_ = rows.next_id if rows is not None else 1
        draft.put("i", "t", id_, {"n": number})
    return id_


def numbers(path: Path) -> list[int]:
    journal = journal_at(path)
    journal.refresh()
    return [record.document["n"] for record in journal.documents("t")]


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text("ascii").split()[1])


def trials(first: int, count: int) -> Batch:
    return Batch(
        trials=[
            Trial(variant="control", metrics={"latency": 1.0}, unit=f"u{n}", key=f"k{n}")
            for n in range(first, first + count)
        ]
    )


def test_threads_of_one_process_write_and_read_without_losing_anything(tmp_path: Path) -> None:
    journal = journal_at(tmp_path / "j")

    def work(name: int) -> list[int]:
        ids = [add(journal, 100 * name + number) for number in range(25)]
        journal.refresh()
        assert len(list(journal.documents("t"))) >= 25
        return ids

    with ThreadPoolExecutor(8) as pool:
        ids = [id_ for found in pool.map(work, range(8)) for id_ in found]
    assert sorted(ids) == list(range(1, 201))
    assert sorted(numbers(tmp_path / "j")) == sorted(100 * name + number for name in range(8) for number in range(25))


def test_a_child_process_does_not_share_its_parents_lock(tmp_path: Path) -> None:
    journal = journal_at(tmp_path / "j")
    add(journal)
    pid = os.fork()
    if not pid:
        code = 1
        try:
            code = 0 if [add(journal, 1) for _ in range(20)] else 1
        finally:
            os._exit(code)
    for _ in range(20):
        add(journal, 2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert sorted(numbers(tmp_path / "j")) == [0] + [1] * 20 + [2] * 20


def test_a_failed_sync_is_not_acknowledged_and_never_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = journal_at(tmp_path / "j")
    add(journal, 1)

    def fail(_fd: int) -> NoReturn:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", fail)
        with pytest.raises(StoreFailure, match="not acknowledged"):
            add(journal, 2)
    with pytest.raises(StoreFailure, match="restart"):
        add(journal, 3)
    assert add(journal_at(tmp_path / "j"), 4) == 3


def test_a_write_that_the_disk_takes_only_half_of_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = journal_at(tmp_path / "j")
    add(journal, 1)
    content, write = (tmp_path / "j").read_bytes(), os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda fd, line: write(fd, line[: len(line) // 2]))
        with pytest.raises(StoreFailure, match="disk is full"):
            add(journal, 2)
    assert (tmp_path / "j").read_bytes() == content
    assert (add(journal, 3), numbers(tmp_path / "j")) == (2, [1, 3])


def test_a_block_that_raises_writes_nothing(tmp_path: Path) -> None:
    journal = journal_at(tmp_path / "j")
    add(journal, 1)
    with pytest.raises(KeyError), journal.writing() as draft:
        draft.put("i", "t", 2, {"n": 2})
        raise KeyError
    assert numbers(tmp_path / "j") == [1]


def test_whoever_had_to_read_much_leaves_it_to_the_next_process(tmp_path: Path) -> None:
    for name, batches in (("few", 1), ("j", 100)):
        journal = journal_at(tmp_path / name)
        for first in range(1, 20 * batches, 20):
            with journal.writing(new=True) as draft:
                for number in range(first, first + 20):
                    draft.put("i", "t", number, {"n": number})
        journal_at(tmp_path / name).refresh()
    assert not (tmp_path / "few.checkpoint").exists()
    start = bytes_read()
    assert len(numbers(tmp_path / "few")) == 20
    assert bytes_read() - start > (tmp_path / "few").stat().st_size
    start, journal = bytes_read(), journal_at(tmp_path / "j")
    journal.refresh()
    assert (journal.place, journal.tables["t"].count) == (2_000, 2_000)
    assert bytes_read() - start < (tmp_path / "j").stat().st_size


def test_a_batch_of_many_tables_and_changes_is_read_as_it_was_written(tmp_path: Path) -> None:
    journal, dice = journal_at(tmp_path / "j"), random.Random(2)
    for _ in range(40):
        with journal.writing(new=True) as draft:
            next_ids = {name: rows.next_id for name, rows in journal.tables.items()}
            for _ in range(dice.randrange(1, 6)):
                table = dice.choice("ab")
                id_ = next_ids[table] = next_ids.get(table, 1) + (dice.random() < 0.8)
                draft.put(dice.choice(OPERATIONS), table, id_, {"n": dice.random()})
        read = journal_at(tmp_path / "j")
        read.refresh()
        assert (read.place, read.chain, read.damage) == (journal.place, journal.chain, ())
        for name, rows in journal.tables.items():
            assert list(read.tables[name].items()) == list(rows.items())
            assert (read.tables[name].count, read.tables[name].next_id) == (rows.count, rows.next_id)


def test_a_checkpoint_may_be_deleted_broken_or_of_another_journal(tmp_path: Path) -> None:
    journal, other = journal_at(tmp_path / "j"), journal_at(tmp_path / "other")
    for number in range(5):
        add(journal, number)
        add(other, -number)
    journal.save_checkpoint()
    checkpoint = tmp_path / "j.checkpoint"
    add(journal, 5)
    whole = checkpoint.read_bytes()
    assert numbers(tmp_path / "j") == [0, 1, 2, 3, 4, 5]
    other.save_checkpoint()
    broken = [b"", whole[:50], whole.replace(b"9", b"8"), b"x" * 500, (tmp_path / "other.checkpoint").read_bytes()]
    dice = random.Random(1)
    for _ in range(60):
        changed = bytearray(whole)
        changed[dice.randrange(len(whole))] ^= 1 << dice.randrange(8)
        broken.append(bytes(changed))
    for content in broken:
        checkpoint.write_bytes(content)
        assert numbers(tmp_path / "j") == [0, 1, 2, 3, 4, 5]
    checkpoint.unlink()
    assert numbers(tmp_path / "j") == [0, 1, 2, 3, 4, 5]


def test_a_journal_that_was_cut_short_is_told_and_its_checkpoint_not_believed(tmp_path: Path) -> None:
    journal = journal_at(tmp_path / "j")
    for number in range(4):
        add(journal, number)
    journal.save_checkpoint()
    lines = (tmp_path / "j").read_bytes().splitlines(keepends=True)
    (tmp_path / "j").write_bytes(b"".join(lines[:-1]))
    assert numbers(tmp_path / "j") == [0, 1, 2]
    journal.refresh()
    assert [damage.what for damage in journal.damage] == ["the journal's end was cut off"]


def test_what_a_dead_writer_left_is_cut_and_kept_aside(tmp_path: Path) -> None:
    journal = journal_at(tmp_path / "j")
    add(journal, 1)
    with (tmp_path / "j").open("ab") as file:
        file.write(b'{"c":"half a line')
    assert numbers(tmp_path / "j") == [1]
    add(journal, 2)
    assert numbers(tmp_path / "j") == [1, 2]
    assert (tmp_path / "j.cut").read_bytes() == b'{"c":"half a line\n'


def test_readers_follow_a_rewritten_journal(tmp_path: Path) -> None:
    journal, reader = journal_at(tmp_path / "j"), journal_at(tmp_path / "j")
    for number in range(5):
        add(journal, number)
    reader.refresh()
    assert journal.rewrite(lambda record, _current: record.document["n"] % 2 == 0) == 2
    add(journal, 9)
    reader.refresh()
    assert [record.document["n"] for record in reader.documents("t")] == [0, 2, 4, 9]
    assert add(reader, 10) == 7
    assert reader.damage == ()


def test_recording_does_not_read_again_what_is_stored(ledger: Ledger, running: str, store: Path, clock: Clock) -> None:
    ledger.record(running, trials(0, 3000))
    assert (store / running / "journal.jsonl").stat().st_size > 1_000_000
    look = Look(units={}, planned=10, standing="interim", through_seq=0, srm_p=None)
    ledger.append(running, look)
    for use in (
        lambda: ledger.record(running, trials(5000, 1)),
        lambda: ledger.expose(running, ["new"], lambda unit, _: Exposure(unit=unit, variant="short")),
        lambda: ledger.expose(running, ["new"], lambda unit, _: Exposure(unit=unit, variant="short")),
        lambda: ledger.statistics(running),
        lambda: ledger.head(running),
        lambda: ledger.latest(running, Look),
        ledger.experiments,
    ):
        before = bytes_read()
        use()
        assert bytes_read() - before < 20_000
    ledger.close()
    fresh = Ledger(store, clock=clock, writer="other")
    before = bytes_read()
    fresh.record(running, trials(5001, 1))
    assert bytes_read() - before < 400_000
