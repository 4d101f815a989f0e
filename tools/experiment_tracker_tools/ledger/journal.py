"""One journal file: many writers in turn, and no acknowledgement before it is on disk."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from errno import EACCES
from pathlib import Path
from typing import Any
from uuid import uuid4

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.ledger.compaction import Compaction
from experiment_tracker_tools.ledger.disk import Handle, Staged, begin_sync, private_folder, sync_folder
from experiment_tracker_tools.ledger.follower import OFTEN, Fold, Follower
from experiment_tracker_tools.ledger.frames import (
    FORMAT,
    Operation,
    Order,
    Record,
    encoded,
    header_line,
    line_crc,
    linked,
    next_line,
)
from experiment_tracker_tools.ledger.locking import DEADLINE_S, acquire, give_way, held, release, took

_COURTESY = 4
_SAME_CALL_S = 1.0


class Draft:
    """One writer's turn at a journal: what is put in the block is recorded at its end, all of it in one line.

    Nothing is recorded if the block raises.
    """

    __slots__ = ("_handle", "_journal", "_new", "documents", "now", "orders", "writer")

    def __init__(self, journal: "JournalFile", writer: str, *, new: bool) -> None:
        self._journal, self._new, self.writer = journal, new, writer
        self.orders: list[Order] = []
        self.documents: list[dict[str, Any]] = []

    def __enter__(self) -> "Draft":
        self._handle, self.now = self._journal.begin(new=self._new)
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: object) -> None:
        if kind is None and self.orders:
            self._journal.keep(self._handle, self)
        else:
            self._journal.leave(self._handle)

    def put(
        self,
        op: Operation,
        table: str,
        id_: int,
        document: Mapping[str, Any] | None = None,
        *,
        at: str = "",
        by: str = "",
    ) -> None:
        """Add one operation; time and writer are this moment's unless they are given."""
        self.orders.append(Order(op, table, id_, encoded(document), at or self.now, by or self.writer))
        self.documents.append(dict(document or {}))


class JournalFile(Follower):
    """The engine under one journal.

    Args:
        path: the file; its folder is made with the first write.
        about: what the journal belongs to; lines of another one do not fit its chain.
        now: the time as ISO 8601.
        writer: the door that lines come through.
        fold: makes the empty fold of this journal, where there is one.
        store: names the store; asked when a journal begins, or comes from an earlier format.
    """

    def __init__(
        self,
        path: Path,
        *,
        about: str,
        now: Callable[[], str],
        writer: str,
        fold: Callable[[], Fold] | None = None,
        store: Callable[[], str] = str,
    ) -> None:
        super().__init__(path, about=about, fold=fold)
        self._now, self._writer, self._store = now, writer, store
        self._own_end, self._crowded = 0, False
        self._in_vain = float("-inf")

    def writing(self, *, new: bool = False) -> Draft:
        """The journal for oneself: up to date inside; what was put is on disk once the block is left.

        Args:
            new: whether a journal that does not exist yet is made.

        Raises:
            StoreFailure: nothing is acknowledged then.
        """
        return Draft(self, self._writer, new=new)

    def begin(self, *, new: bool) -> tuple[Handle, str]:
        """Take the journal for oneself, and tell the time; `keep` or `leave` must follow."""
        if self._handle is None or self._state.header.get("format", FORMAT) < FORMAT:
            self._take_over()
        return self._exclusive(new=new), self._now()

    def keep(self, handle: Handle, draft: Draft) -> None:
        """Write what was put, give the journal back, and bring it to the disk."""
        try:
            self._commit(handle, draft)
        except BaseException:
            release(handle.fd)
            raise
        finally:
            self._writers.release()
        # Asked while the disk is at it: whoever wakes from a sync is slow at everything.
        is_worth = self._is_worth(self._state.since_checkpoint, OFTEN)
        self._sync(handle)
        if is_worth:
            self.save_checkpoint()

    def leave(self, handle: Handle) -> None:
        """Give the journal back as it is."""
        release(handle.fd)
        self._writers.release()

    def rewrite(self, keep: Callable[[Record, bool], bool], note: Callable[[], Sequence[Order]] = tuple) -> int:
        """Replace the journal by one without the payloads that are not kept.

        Args:
            keep: whether a document's payload stays, given it and whether it is the newest of its id.
            note: what is recorded in the same step; asked under the lock.

        Returns:
            How many payloads went.
        """
        while True:
            self.refresh()
            gone = self._rewritten(keep, note)
            if gone is not None:
                break
        self.refresh()
        return gone

    def _take_over(self) -> None:
        """Rewrite a journal of an earlier format in ours, before anything is added that the earlier one cannot read."""
        if self._handle is None:
            self.refresh()
        if self._state.header.get("format", FORMAT) < FORMAT:
            self.rewrite(lambda _record, _current: True)

    def _rewritten(self, keep: Callable[[Record, bool], bool], note: Callable[[], Sequence[Order]]) -> int | None:
        """One attempt; None if another process rewrote the journal meanwhile."""
        state, handle = self._state, self._handle
        if handle is None:
            return 0
        if "epoch" not in state.header:
            raise StoreFailure(
                f"The first line of {self.about} is broken; `experiment-tracker verify` tells. Not compacted."
            )
        writer = state.header["writer"] if "writer" in state.header else self._store()
        header = {**state.header, "epoch": int(state.header["epoch"]) + 1, "writer": writer}
        end = state.end
        compaction = Compaction(handle, header, state.tables, keep)
        try:
            with Staged(self.path) as staged, Staged(self._checkpoint_path) as cache:
                # Nearly all of it without the lock; the others only wait for what they wrote in between.
                staged.write(compaction.lines(0, end))
                staged.sync()
                after = self._successor(staged.path, end, same=not compaction.missed)
                cache.write(after.checkpoint())
                now = self._exclusive()
                try:
                    if now is not handle:
                        return None
                    staged.write(compaction.lines(end, self._state.end))
                    staged.write(compaction.added(linked(note(), self._state.place, self._state.chain)))
                    # Whoever finds the new journal finds what is known of it, and reads nothing twice.
                    cache.take_place(durable=False)
                    staged.take_place(durable=True)
                    self._become(after)
                    if compaction.broken:
                        self._keep_aside(b"\n".join(compaction.broken))
                finally:
                    self.leave(now)
        except OSError as error:
            raise StoreFailure(f"Cannot compact {self.about}: {error.strerror}. The old journal stands.") from error
        return compaction.gone

    def _exclusive(self, *, new: bool = False) -> Handle:
        if self._pid != os.getpid():
            self._forked()
            self._forget()
        if self._poison is not None:
            raise StoreFailure(self._poison)
        start = time.monotonic()
        # One call may ask several times, such as for what hooks left; it waits in vain but once.
        deadline = start + (DEADLINE_S if start > self._in_vain + _SAME_CALL_S else 0)
        if not self._writers.acquire(timeout=DEADLINE_S):
            raise held(self.about, os.getpid())
        try:
            return self._locked(deadline, new=new)
        except BaseException:
            self._writers.release()
            raise

    def _locked(self, deadline: float, *, new: bool) -> Handle:
        while True:
            try:
                if self._crowded and self._handle is not None:
                    # What the others wrote is read before they have to wait for it.
                    self._keep_up()
                handle = self._handle
                # Mostly nobody else is at it, and the lock is there for the asking.
                is_known = self._fold is None or self._folded == self._state.end
                if handle is None or not is_known or not took(handle.fd):
                    with self._reading:
                        if self._handle is None:
                            self._follow()
                        handle = self._handle or self._made(new=new)
                        # A journal that was rewritten is folded anew: not while the others wait for the lock.
                        self._catch_up()
                    self._acquired(handle, deadline)
            except OSError as error:
                raise self._unwritable(error.strerror) from error
            if self._settled(handle):
                return handle

    def _acquired(self, handle: Handle, deadline: float) -> None:
        try:
            acquire(handle.fd, deadline, self.about, self._keep_up)
        except StoreFailure:
            self._in_vain = time.monotonic()
            raise

    def _settled(self, handle: Handle) -> bool:
        """Whether what is locked is the journal that stands there now; all of it is known then."""
        try:
            with self._reading:
                self._follow()
                if self._handle is handle:
                    if not handle.writable:
                        raise self._unwritable(os.strerror(EACCES))
                    end = self._state.end
                    if end == 0 or self._size > end:
                        self._mend(handle)
                        end = self._state.end
                    self._crowded = self._own_end not in {0, end}
                    return True
        except BaseException:
            release(handle.fd)
            raise
        release(handle.fd)
        return False

    def _unwritable(self, reason: str | None) -> StoreFailure:
        return StoreFailure(f"The store of {self.about} is not writable: {reason}. Nothing was recorded; mend it.")

    def _made(self, *, new: bool) -> Handle:
        if not new:
            raise StoreFailure(
                f"The store has no journal of {self.about} any more. Nothing was recorded; put its folder back."
            )
        private_folder(self.path.parent)
        self._handle = Handle(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        sync_folder(self.path.parent)
        return self._handle

    def _mend(self, handle: Handle) -> None:
        """Cut what a dead writer left unfinished, and start an empty journal."""
        size = self._size
        if size > self._state.end:
            tail = os.pread(handle.fd, size - self._state.end, self._state.end)
            finished = next((t for t in (tail, tail[:-1]) if line_crc(t) is not None), None)
            self._keep_aside(tail)
            os.ftruncate(handle.fd, self._state.end + len(finished or b""))
            if finished is not None:
                os.write(handle.fd, b"\n")
                self._state.follow(handle.fd, os.fstat(handle.fd).st_size)
        if self._state.end == 0:
            line, _ = header_line(uuid4().hex, self.about, 1, self._store())
            self._write(handle, line)
            self._state.follow(handle.fd, len(line))

    def _keep_aside(self, tail: bytes) -> None:
        aside = Handle(self.path.with_suffix(".cut"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(aside.fd, tail + b"\n")

    def _commit(self, handle: Handle, draft: Draft) -> None:
        state, orders = self._state, draft.orders
        line, crc, chain = next_line(orders, state.place, state.chain, state.crc)
        with self._reading:
            start, place = state.end, state.place
            self._write(handle, line)
            # Nobody else's turn needs to wait for what this process remembers of the line.
            release(handle.fd)
            if not self._crowded:
                # Under way while this process remembers the line; of many writers' lines one sync shall take all.
                begin_sync(handle.fd, start, len(line))
            state.add(orders, len(line), crc, chain)
            if self._fold is not None and self._folded == start:
                for order, document in zip(orders, draft.documents, strict=True):
                    place += 1
                    self._fold.apply(Record(order.op, order.table, order.id, place, order.at, order.by, document))
                self._folded = state.end
            self._own_end = handle.written = state.end

    def _write(self, handle: Handle, line: bytes) -> None:
        start = self._state.end
        try:
            written = os.write(handle.fd, line)
            reason = "the disk is full"
        except OSError as error:
            written, reason = 0, str(error.strerror)
        if written != len(line):
            try:
                os.ftruncate(handle.fd, start)
            except OSError as error:
                self._poison = f"The store of {self.about} cannot be written ({error.strerror}). Mend it and restart."
            raise StoreFailure(f"Cannot write to {self.about}: {reason}. Nothing was recorded; mend that, try again.")

    def _sync(self, handle: Handle) -> None:
        if self._crowded:
            # Others are at it too: their writes then share this sync (0.35 to 0.45 of raw throughput at 8 writers).
            for _ in range(_COURTESY):
                give_way()
        self._to_disk(handle, handle.written)
