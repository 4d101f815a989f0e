"""Lines read straight from the file, without a lock: in a row for scans, by offset for single documents."""

import os
from collections.abc import Callable, Iterator

from experiment_tracker_tools.ledger.disk import Handle
from experiment_tracker_tools.ledger.frames import Record, line_crc, read_records
from experiment_tracker_tools.ledger.state import salvaged

_FIRST, _WINDOW = 1 << 12, 1 << 18


class LineReader:
    """Reads whole lines at offsets; one document costs a small read, and many in a row few large ones."""

    def __init__(self, handle: Handle, end: int) -> None:
        self._handle = handle
        self._end = end
        self._start = 0
        self._window = b""
        self._size = _FIRST
        self._parsed: tuple[int, dict[tuple[str, int], Record]] = (-1, {})

    def line(self, offset: int) -> bytes:
        """The line that starts there, without its newline."""
        while True:
            stop = self._window.find(b"\n", offset - self._start) if offset >= self._start else -1
            if stop >= 0:
                return self._window[offset - self._start : stop]
            size, self._size = self._size, min(4 * self._size, max(_WINDOW, 2 * len(self._window)))
            self._start, self._window = offset, os.pread(self._handle.fd, min(size, self._end - offset), offset)
            if offset + size >= self._end and b"\n" not in self._window:
                return self._window

    def record(self, offset: int, table: str, id_: int) -> Record | None:
        """What the line there says last about a document, None if its bytes are broken."""
        if self._parsed[0] != offset:
            line = self.line(offset)
            if line_crc(line) is None:
                whole = next((piece for start, piece in salvaged(line) if start == 0), None)
                if whole is None:
                    return None
                line = whole
            self._parsed = (offset, {(record.table, record.id): record for record in read_records(line)})
        return self._parsed[1].get((table, id_))


def scan(
    handle: Handle, start: int, end: int, broken: Callable[[int, int], None]
) -> Iterator[tuple[int, list[Record]]]:
    """What each whole line between two offsets says; `broken` is told of the others."""
    for offset, line in raw_lines(handle, start, end):
        if line_crc(line) is not None:
            yield offset, read_records(line)
            continue
        broken(offset, len(line) + 1)
        for inside, piece in salvaged(line):
            yield offset + inside, read_records(piece)


def raw_lines(handle: Handle, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Every line between two offsets that lie at line starts, without its newline."""
    rest, at = b"", start
    while at < end:
        content = os.pread(handle.fd, min(_WINDOW, end - at), at)
        if not content:
            break
        at += len(content)
        lines = (rest + content).split(b"\n")
        rest = lines.pop()
        offset = at - len(rest) - sum(len(line) + 1 for line in lines)
        for line in lines:
            yield offset, line
            offset += len(line) + 1
