"""What changed, told to every open browser: the tail of the ledger as server-sent events."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

Marks = Mapping[str, tuple[int, int]]
SWITCH, JOURNAL, ANYTHING = "off", "journal.jsonl", "*"
_SHORTEST_S = 0.2
_COST = 20
"""Looking takes at most one part in so many of a core's time."""
_STILL_THERE_S = 15.0
_MOST_LISTENERS = 200


class Listener:
    """One open browser: the names that changed since it was last told, however slow it reads."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.woken = asyncio.Event()
        self.is_over = False


class Hub:
    """Everybody who listens."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self.is_over = False

    def __len__(self) -> int:
        return len(self._listeners)

    @property
    def is_full(self) -> bool:
        """Whether nobody more can be told: each listener is an open connection."""
        return self.is_over or len(self._listeners) >= _MOST_LISTENERS

    def publish(self, names: set[str]) -> None:
        """Tell everybody what changed."""
        for listener in self._listeners:
            listener.changed |= names
            listener.woken.set()

    def close(self) -> None:
        """End every stream."""
        self.is_over = True
        for listener in self._listeners:
            listener.is_over = True
            listener.woken.set()

    async def messages(self) -> AsyncIterator[str]:
        """The stream of one browser, from now on; ends when it goes or the dashboard does."""
        with self.listening() as listener:
            yield "retry: 1000\nevent: hello\ndata: {}\n\n"
            while not listener.is_over:
                with suppress(TimeoutError):
                    await asyncio.wait_for(listener.woken.wait(), _STILL_THERE_S)
                listener.woken.clear()
                told, listener.changed = sorted(listener.changed), set()
                yield f"event: changed\ndata: {json.dumps(told)}\n\n" if told else ": still here\n\n"

    @contextmanager
    def listening(self) -> Generator[Listener]:
        """Somebody who is told, while it lasts."""
        listener = Listener()
        listener.is_over = self.is_over
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)


def stream(hub: Hub) -> StreamingResponse:
    """The reply that goes on."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(hub.messages(), media_type="text/event-stream", headers=headers)


async def watch(folder: Path, hub: Hub, is_stopping: Callable[[], bool]) -> None:
    """Look at the journals while somebody listens, and tell what grew, was rewritten, came or went."""
    before: Marks | None = None
    while not is_stopping():
        now, spent_s = await run_in_threadpool(_looked, folder) if len(hub) else (None, 0.0)
        # What changed while nobody listened is not known: whoever comes first is told that anything may have.
        names: set[str] = set() if now is None else {ANYTHING} if before is None else changes(before, now)
        if names:
            hub.publish(names)
        before = now
        await asyncio.sleep(max(_SHORTEST_S, _COST * spent_s))
    hub.close()


def _looked(folder: Path) -> tuple[Marks, float]:
    """The marks, and the processor time that they cost: on a busy machine waiting is no reason to wait longer."""
    begun = time.thread_time()
    return marks(folder), time.thread_time() - begun


def marks(folder: Path) -> Marks:
    """File and size of every journal, and whether everything is switched off."""
    found: dict[str, tuple[int, int]] = {}
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                if entry.name == SWITCH:
                    found[SWITCH] = (0, 0)
                elif entry.name.startswith("exp-"):
                    status = os.stat(f"{entry.path}/{JOURNAL}")  # noqa: PTH116 a Path costs more than the question
                    found[entry.name] = (status.st_ino, status.st_size)
    return found


def changes(before: Marks, now: Marks) -> set[str]:
    """The names whose mark is another.

    >>> sorted(changes({"a": (1, 10), "b": (2, 5)}, {"a": (1, 12), "c": (3, 1)}))
    ['a', 'b', 'c']
    """
    return {name for name in before.keys() | now.keys() if before.get(name) != now.get(name)}
