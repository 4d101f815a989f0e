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
    """One rewriting of a journal, in as many steps as are wanted.

    Args:
        handle: the journal.
        header: of the new one.
        tables: which documents are current.
        keep: whether a document's payload stays, given it and whether it is current.

    Attributes:
        gone: payloads that were left out; missed: those of them that are current, and that readers will miss.
        broken: lines that were left out because their bytes are broken.
    """

    def __init__(
        self,
        handle: Handle,
        header: Mapping[str, Any],
        tables: Mapping[str, Rows],
        keep: Callable[[Record, bool], bool],
    ) -> None:
        self._handle, self._tables, self._keep = handle, tables, keep
        self._first, self._crc = header_line(header["journal"], header["about"], header["epoch"], header["writer"])
        self.gone = self.missed = 0
        self.broken: list[bytes] = []

    def lines(self, start: int, end: int) -> Iterator[bytes]:
        """The new journal's lines for what stands between two places of the old one."""
        if start == 0:
            yield self._first
        for offset, old in self._whole_lines(start, end):
            records = read_records(old)
            if not records:
                continue
            kept = [self._stays(record, offset) for record in records]
            if all(kept):
                line, self._crc = moved(old, self._crc)
            else:
                self.gone += kept.count(False)
                parts = zip(read_parts(old), kept, strict=True)
                line, self._crc = to_line([part if stays else erased(part) for part, stays in parts], self._crc)
            yield line

    def added(self, parts: Sequence[Part]) -> Iterator[bytes]:
        """One more line."""
        if parts:
            line, self._crc = to_line(parts, self._crc)
            yield line

    def _whole_lines(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        for offset, line in raw_lines(self._handle, start, end):
            if line_crc(line) is not None:
                yield offset, line
                continue
            self.broken.append(line)
            for inside, piece in salvaged(line):
                yield offset + inside, piece

    def _stays(self, record: Record, offset: int) -> bool:
        if record.op not in {"i", "u"}:
            return True
        rows = self._tables.get(record.table)
        is_current = rows is not None and rows.get(record.id) == offset
        stays = self._keep(record, is_current)
        self.missed += is_current and not stays
        return stays
