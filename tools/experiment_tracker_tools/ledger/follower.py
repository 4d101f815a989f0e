"""What one process knows of a journal: followed without a lock, only what is new, from a checkpoint if there is one."""

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, RLock
from typing import Any, Protocol

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.ledger.checkpoint import Checkpoint, load_checkpoint, packed
from experiment_tracker_tools.ledger.disk import Handle, replace_file, sync_data
from experiment_tracker_tools.ledger.frames import Record, line_crc, read_header
from experiment_tracker_tools.ledger.index import Rows
from experiment_tracker_tools.ledger.reading import LineReader, scan
from experiment_tracker_tools.ledger.state import Damage, State, checked_header

OFTEN = 10_000
_MUCH, _SHARE = 300, 4


class Fold(Protocol):
    """Something that is kept up to date with every record of a journal, such as running statistics."""

    def apply(self, record: Record) -> None:
        """Take one record."""
        ...

    def facts(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What a checkpoint keeps."""
        ...

    def restore(self, facts: Mapping[str, Any], arrays: Mapping[str, memoryview], /) -> None:
        """Take what a checkpoint kept."""
        ...


class Follower:
    """The reading side of one journal.

    Args:
        path: the file.
        about: what the journal belongs to.
        fold: makes the empty fold of this journal, where there is one.
    """

    def __init__(self, path: Path, *, about: str, fold: Callable[[], Fold] | None = None) -> None:
        self.path = path
        self.about = about
        self._name = str(path)
        self._new_fold = fold
        self._poison: str | None = None
        self._forked()
        self._forget()

    @property
    def version(self) -> tuple[str, int, int]:
        """Changes with every line and every rewriting of the journal."""
        header = self._state.header
        return str(header.get("journal", "")), int(header.get("epoch", 0)), self._state.end

    @property
    def header(self) -> Mapping[str, Any]:
        """What the first line says; empty where there is none yet."""
        return self._state.header

    @property
    def place(self) -> int:
        """Position of the newest record in the chain."""
        return self._state.place

    @property
    def crc(self) -> str:
        """The checksum of the newest line."""
        return self._state.crc

    @property
    def chain(self) -> str:
        """The chain after the newest record."""
        with self._reading:
            return self._state.chain

    @property
    def damage(self) -> Sequence[Damage]:
        """Every sign of damage so far."""
        return tuple(self._state.damage)

    @property
    def tables(self) -> Mapping[str, Rows]:
        """Where documents are, by table."""
        return self._state.tables

    @property
    def fold(self) -> Fold | None:
        """The fold as of the last refresh."""
        with self._reading:
            self._catch_up()
            # Not while the others wait for the journal.
            if self._is_worth(self._unsaved) and not self._writers.locked():
                self.save_checkpoint()
            return self._fold

    @property
    def still(self) -> RLock:
        """Hold it, and nothing that this process knows of the journal changes."""
        return self._reading

    def refresh(self) -> None:
        """Read what others have written since the last time."""
        if self._pid != os.getpid():
            self._forked()
            self._forget()
        with self._reading:
            self._follow()
            # Whoever had to read much leaves it to the next process; writers, who are many, do so more rarely.
            if self._is_worth(self._state.since_checkpoint):
                self.save_checkpoint()

    def reader(self) -> LineReader | None:
        """Reads documents of the journal as it was at the last refresh."""
        with self._reading:
            return LineReader(self._handle, self._state.end) if self._handle else None

    def find(self, table: str, id_: int, reader: LineReader | None = None) -> Record | None:
        """One document.

        Raises:
            StoreFailure: if its bytes are broken; nothing false is returned.
        """
        reader = reader or self.reader()
        rows = self._state.tables.get(table)
        offset = rows.get(id_) if rows is not None else None
        if offset is None or reader is None:
            return None
        return self._read(reader, offset, table, id_)

    def _read(self, reader: LineReader, offset: int, table: str, id_: int) -> Record:
        record = reader.record(offset, table, id_)
        if record is not None:
            return record
        self._tell(offset, 0)
        raise StoreFailure(
            f"Document {id_} of {table} in {self.about} is broken on disk (byte {offset}). Nothing was changed; "
            "`experiment-tracker verify` lists the damage."
        )

    def documents(self, table: str) -> Iterator[Record]:
        """Every document of a table, in the order of the ids; broken ones go to `damage`."""
        rows, reader = self._state.tables.get(table), self.reader()
        if rows is None or reader is None:
            return
        for id_, offset in list(rows.items()):
            with suppress(StoreFailure):
                yield self._read(reader, offset, table, id_)

    def records(self, start: int = 0) -> Iterator[Record]:
        """Every document that is current, in the order they were recorded; broken lines go to `damage`."""
        with self._reading:
            handle, end, tables = self._handle, self._state.end, self._state.tables
        if handle is None:
            return
        for offset, records in scan(handle, start, end, self._tell):
            for record in records:
                rows = tables.get(record.table)
                if rows is not None and rows.get(record.id) == offset and record.op in {"i", "u"}:
                    yield record

    def save_checkpoint(self) -> None:
        """Write the cache; failing is no failure."""
        with self._reading, suppress(OSError, StoreFailure):
            # A journal that was rewritten meanwhile has a checkpoint of its own.
            if self._handle is None or os.stat(self._name).st_ino != self._handle.inode:  # noqa: PTH116
                return
            # What a checkpoint covers must not be able to vanish with the power.
            self._to_disk(self._handle, self._state.end)
            replace_file(self._checkpoint_path, self.checkpoint(), durable=False)
            self._state.since_checkpoint = self._unsaved = 0

    def checkpoint(self) -> list[bytes]:
        """What is known of the journal, as a checkpoint keeps it; what is not folded yet need not be for that."""
        with self._reading:
            facts, arrays = self._state.facts()
            facts["folded"] = self._folded
            if self._fold is not None:
                facts["fold"], more = self._fold.facts()
                arrays |= {f"fold {name}": content for name, content in more.items()}
            return packed(facts, arrays)

    @property
    def _checkpoint_path(self) -> Path:
        return self.path.with_suffix(".checkpoint")

    def _to_disk(self, handle: Handle, upto: int) -> None:
        """Bring the file up to that byte to the disk, one thread after another.

        A failed sync is told once for each open file: two threads at once would leave one of them in the belief that
        its line is safe.

        Raises:
            StoreFailure: if this or an earlier sync failed; the file is not written again.
        """
        with self._syncing:
            if handle.synced >= upto:
                return
            if self._poison is not None:
                raise StoreFailure(self._poison)
            upto = max(upto, handle.written)
            try:
                sync_data(handle.fd)
            except OSError as error:
                self._poison = (
                    f"A sync of {self.about} failed ({error.strerror}); what it wrote is not acknowledged, and this "
                    "process will not write there again. Check the disk, then restart."
                )
                raise StoreFailure(self._poison) from error
            handle.synced = upto

    def _is_worth(self, records: int, least: int = _MUCH) -> bool:
        """Whether so many records that no checkpoint knows of are worth a new one."""
        return records > max(least, self._state.place // _SHARE)

    def _forked(self) -> None:
        # A child shares its parent's descriptors, and with them the parent's locks: it opens its own.
        self._pid = os.getpid()
        self._writers, self._syncing, self._reading = Lock(), Lock(), RLock()

    def _forget(self) -> None:
        self._handle: Handle | None = None
        self._state = State()
        self._fold = self._new_fold() if self._new_fold else None
        self._folded = self._unsaved = self._size = 0

    def _successor(self, path: Path, end: int, *, same: bool) -> "Follower":
        """What will be known of the journal once a file takes its place that holds the same up to `end`.

        Args:
            path: where that file is until then.
            end: of what it holds, in the journal that it was made from.
            same: whether it holds every document that is current; what is folded then need not be folded again.
        """
        after = Follower(path, about=self.about, fold=self._new_fold)
        with self._reading:
            after._follow()
            self._catch_up()
            if same and self._fold is not None and after._fold is not None and self._folded == end:
                facts, arrays = self._fold.facts()
                # By way of JSON, as from a checkpoint, so that the two share nothing.
                views = {name: memoryview(content) for name, content in arrays.items()}
                after._fold.restore(json.loads(json.dumps(facts)), views)
                after._folded = after._state.end
        after._catch_up()
        return after

    def _become(self, after: "Follower") -> None:
        with self._reading:
            self._handle, self._state, self._size = after._handle, after._state, after._size
            self._fold, self._folded = after._fold, after._folded
            self._state.since_checkpoint = self._unsaved = 0

    def _tell(self, offset: int, size: int) -> None:
        if all(found.offset != offset for found in self._state.damage):
            self._state.damage.append(Damage(offset, size, "a line is broken"))

    def _follow(self) -> None:
        try:
            # Asked at every write, where a Path costs more than the question.
            status = os.stat(self._name)  # noqa: PTH116
            handle = self._handle
            if handle is None or handle.inode != status.st_ino or handle.device != status.st_dev:
                self._open()
            elif status.st_size < self._state.end:
                lost = Damage(status.st_size, self._state.end - status.st_size, "the journal's end was cut off")
                self._open()
                self._state.damage.append(lost)
        except (FileNotFoundError, NotADirectoryError):
            self._forget()
            return
        except OSError as error:
            raise StoreFailure(f"Cannot read {self.path.name} of {self.about}: {error.strerror}. Mend it.") from error
        if self._handle is None:
            return
        # The path may name another file by now than the one that was just opened.
        self._size = status.st_size if self._handle is handle else os.fstat(self._handle.fd).st_size
        if self._size != self._state.end:
            self._state.follow(self._handle.fd, self._size)

    def _open(self) -> None:
        self._forget()
        try:
            self._handle = Handle(self.path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EPERM, errno.EROFS}:
                raise
            self._handle = Handle(self.path, os.O_RDONLY)
        line = LineReader(self._handle, os.fstat(self._handle.fd).st_size).line(0)
        header: Mapping[str, Any] = checked_header(read_header(line) or {}) if line else {}
        checkpoint = load_checkpoint(self._checkpoint_path)
        if checkpoint is not None and header and self._fits(checkpoint, header):
            self._state = State.restored(checkpoint)
            if self._fold is not None and "fold" in checkpoint.facts:
                arrays = {name[5:]: view for name, view in checkpoint.arrays.items() if name.startswith("fold ")}
                self._fold.restore(checkpoint.facts["fold"], arrays)
                self._folded = checkpoint.facts["folded"]

    def _fits(self, checkpoint: Checkpoint, header: Mapping[str, Any]) -> bool:
        end, fd = checkpoint.facts["end"], self._handle.fd if self._handle else -1
        if checkpoint.facts["header"] != header or os.fstat(fd).st_size < end:
            return False
        size = 1 << 12
        while True:
            tail = os.pread(fd, min(size, end), max(end - size, 0))
            start = tail.rfind(b"\n", 0, -1)
            if start >= 0 or size >= end:
                return tail[-1:] == b"\n" and line_crc(tail[start + 1 : -1]) == checkpoint.facts["crc"]
            size *= 8

    def _keep_up(self) -> None:
        with self._reading:
            self._follow()
            self._catch_up()

    def _catch_up(self) -> None:
        if self._fold is None or self._folded == self._state.end:
            return
        for record in self.records(self._folded):
            self._fold.apply(record)
            self._unsaved += 1
        self._folded = self._state.end
