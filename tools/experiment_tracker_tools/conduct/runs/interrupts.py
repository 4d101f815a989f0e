"""Ctrl-C and SIGTERM: they end a command that is being measured at once, and never a write to the ledger."""

import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """While it is entered, an interrupt is remembered in `told`; `welcome` raises it, `handing_on` tells somebody."""

    def __init__(self) -> None:
        self.told = False
        self._answer: Callable[[], None] | None = None
        self._earlier: list[object] = []

    def __enter__(self) -> Self:
        # Python lets only the main thread hear signals; elsewhere the process's own handling stays.
        if threading.current_thread() is threading.main_thread():
            self._earlier = [signal.signal(number, self._hear) for number in _SIGNALS]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in zip(_SIGNALS, self._earlier, strict=False):
            signal.signal(number, handler)  # type: ignore[arg-type]

    @contextmanager
    def welcome(self) -> Generator[None]:
        """Where an interrupt may end what goes on."""
        with self.handing_on(_raise):
            yield

    @contextmanager
    def handing_on(self, tell: Callable[[], None]) -> Generator[None]:
        """Where an interrupt is handed on, also one that came before; what goes on ends itself."""
        self._answer = tell
        try:
            if self.told:
                tell()
            yield
        finally:
            self._answer = None

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self.told = True
        if self._answer is not None:
            self._answer()


def _raise() -> None:
    raise KeyboardInterrupt
