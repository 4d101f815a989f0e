"""A journal written anew without payloads that must go; places, hashes and chain stay, so that it still verifies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from experiment_tracker_tools.ledger.disk import Handle
from experiment_tracker_tools.ledger.frames import (
    Part,
    Record,
    erased,
    header_line,
    line_crc,
    moved,
    read_parts,
    read_records,
    to_line,
)
from experiment_tracker_tools.ledger.index import Rows
from experiment_tracker_tools.ledger.reading import raw_lines
from experiment_tracker_tools.ledger.state import salvaged


class Compaction:
    """One rewriting of a journal.

    Attributes:
        gone: payloads that were left out.
        broken: lines that were left out because their bytes are broken.
    """

    def __init__(
        self, handle: Handle, end: int, tables: Mapping[str, Rows], keep: Callable[[Record, bool], bool]
    ) -> None:
        self._handle, self._end, self._tables, self._keep = handle, end, tables, keep
        self.gone = 0
        self.broken: list[bytes] = []

    def lines(self, header: Mapping[str, Any], added: Sequence[Part]) -> Iterator[bytes]:
        """The new journal, line by line."""
        line, crc = header_line(header["journal"], header["about"], header["epoch"])
        yield line
        for offset, old in self._whole_lines():
            records = read_records(old)
            if not records:
                continue
            kept = [self._stays(record, offset) for record in records]
            if all(kept):
                line, crc = moved(old, crc)
            else:
                self.gone += kept.count(False)
                parts = read_parts(old)
                line, crc = to_line([p if stays else erased(p) for p, stays in zip(parts, kept, strict=True)], crc)
            yield line
        if added:
            yield to_line(added, crc)[0]

    def _whole_lines(self) -> Iterator[tuple[int, bytes]]:
        for offset, line in raw_lines(self._handle, 0, self._end):
            if line_crc(line) is not None:
                yield offset, line
                continue
            self.broken.append(line)
            for start, piece in salvaged(line):
                yield offset + start, piece

    def _stays(self, record: Record, offset: int) -> bool:
        if record.op not in {"i", "u"}:
            return True
        rows = self._tables.get(record.table)
        return self._keep(record, rows is not None and rows.get(record.id) == offset)
