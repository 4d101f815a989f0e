"""What a sync promises to the threads of one process: one for all that is written, and a failure holds for all."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.ledger.journal import JournalFile


@pytest.fixture
def journal(tmp_path: Path) -> JournalFile:
    journal = JournalFile(tmp_path / "j", about="tests", now=lambda: "now", writer="tests")
    add(journal)
    return journal


def add(journal: JournalFile) -> None:
    with journal.writing(new=True) as draft:
        rows = journal.tables.get("t")
        draft.put("i", "t", rows.next_id if rows is not None else 1, {"n": 1})


class Disk:
    """The system's sync; while the first is under way, others write, and then it ends as told."""

    def __init__(self, journal: JournalFile, others: int, end: Callable[[int], None]) -> None:
        self._journal, self._others, self._end = journal, others, end
        self._pool = ThreadPoolExecutor(others)
        self._written, self._all_written = 0, Event()
        self._write = os.write
        self.syncs, self.adding = 0, list[Future[None]]()

    def write(self, fd: int, line: bytes) -> int:
        size = self._write(fd, line)
        self._written += 1
        if self._written > self._others:
            self._all_written.set()
        return size

    def sync(self, fd: int) -> None:
        self.syncs += 1
        if self.syncs == 1:
            self.adding = [self._pool.submit(add, self._journal) for _ in range(self._others)]
            assert self._all_written.wait(10)
            self._end(fd)


def told_once(_fd: int) -> None:
    raise OSError(5, "Input/output error")


def test_a_failed_sync_holds_for_the_threads_that_the_system_does_not_tell(
    journal: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(journal, 2, told_once)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", disk.write)
        patched.setattr(os, "fdatasync", disk.sync)
        with pytest.raises(StoreFailure, match="not acknowledged"):
            add(journal)
        for other in disk.adding:
            with pytest.raises(StoreFailure, match="not acknowledged"):
                other.result(10)
    assert disk.syncs == 1


def test_lines_that_threads_write_during_a_sync_share_the_next_one(
    journal: JournalFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(journal, 5, os.fdatasync)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", disk.write)
        patched.setattr(os, "fdatasync", disk.sync)
        add(journal)
        for other in disk.adding:
            other.result(10)
    assert disk.syncs == 2
    journal.refresh()
    assert journal.tables["t"].count == 7


def test_a_sync_that_fails_for_a_checkpoint_is_not_forgotten(
    journal: JournalFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = JournalFile(tmp_path / "j", about="tests", now=lambda: "now", writer="others")
    add(other)
    journal.refresh()
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", told_once)
        journal.save_checkpoint()
    assert not (tmp_path / "j.checkpoint").exists()
    with pytest.raises(StoreFailure, match="restart"):
        add(journal)
