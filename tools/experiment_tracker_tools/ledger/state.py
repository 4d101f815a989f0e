"""What is known of one journal's lines: where documents are, where the chain stands, and every sign of damage."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.ledger.checkpoint import Checkpoint
from experiment_tracker_tools.ledger.frames import (
    FORMAT,
    START,
    Order,
    crc_before,
    encoded,
    first_chain,
    glance,
    last_chain,
    line_crc,
    next_in_line,
    read_header,
    read_places,
    run_of_inserts,
)
from experiment_tracker_tools.ledger.index import Rows

_BLOCK = 1 << 18
_MARK = b'{"c":"'
_LARGEST_HOLE = 100_000
_MOST_MARKS = 64


class Damage(NamedTuple):
    """A sign that bytes of a journal are not as they were written.

    Attributes:
        offset: where in the file, in bytes.
        size: how many bytes are concerned.
        what: broken, missing, doubled or moved, in a sentence.
    """

    offset: int
    size: int
    what: str


class State:
    """Everything that following a journal's lines has told so far."""

    def __init__(self) -> None:
        self.header: Mapping[str, Any] = {}
        self.end = 0
        self.crc = START
        self.place = 0
        self.tables: dict[str, Rows] = {}
        self.damage: list[Damage] = []
        self.since_checkpoint = 0
        self._missing: set[int] = set()
        self._chain: str | None = None
        self._last = b""
        self._rows_of: dict[bytes, Rows] = {}
        self._usual = b""

    @property
    def chain(self) -> str:
        """The chain after the last line."""
        if self._chain is None:
            start = first_chain(str(self.header.get("journal", "")), str(self.header.get("about", "")))
            self._chain = last_chain(self._last) if self._last else None
            self._chain = self._chain or start
        return self._chain

    def follow(self, fd: int, size: int) -> None:
        """Take every whole line up to `size`; what has no newline yet is left."""
        block = _BLOCK
        while self.end < size:
            content = os.pread(fd, min(block, size - self.end), self.end)
            cut = content.rfind(b"\n")
            if cut < 0:
                if self.end + len(content) >= size or not content:
                    return
                block *= 2
                continue
            self._take_lines(content[:cut].split(b"\n"))

    def add(self, orders: Sequence[Order], size: int, crc: str, chain: str) -> None:
        """Take a line that this process has just written."""
        for order in orders:
            self._apply(order.op, order.table, order.id, self.place + 1, self.end)
        self.end += size
        self.crc, self._chain, self._last = crc, chain, b""

    def facts(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What a checkpoint keeps."""
        arrays: dict[str, bytes] = {}
        tables: list[Any] = []
        for number, (name, rows) in enumerate(self.tables.items()):
            arrays[f"rows{number}"], far = rows.packed()
            tables.append([name, list(far.items()), rows.count, rows.next_id])
        facts = {
            "header": dict(self.header),
            "end": self.end,
            "crc": self.crc,
            "place": self.place,
            "chain": self.chain,
            "missing": sorted(self._missing),
            "damage": self.damage,
            "tables": tables,
        }
        return facts, arrays

    @classmethod
    def restored(cls, checkpoint: Checkpoint) -> "State":
        """The state that a checkpoint kept."""
        state, facts = cls(), checkpoint.facts
        state.header = facts["header"]
        state.end, state.crc, state.place = facts["end"], facts["crc"], facts["place"]
        state._chain = facts["chain"]
        state._missing = set(facts["missing"])
        state.damage = [Damage(*found) for found in facts["damage"]]
        for number, (name, far, count, next_id) in enumerate(facts["tables"]):
            base = checkpoint.arrays[f"rows{number}"]
            state.tables[name] = Rows(base, far=dict(far), count=count, next_id=next_id)
            state._rows_of[encoded(name).encode()] = state.tables[name]
        return state

    def _take_lines(self, lines: Sequence[bytes]) -> None:
        done = 0
        while done < len(lines):
            done += self._take_expected(lines[done:] if done else lines)
            if done < len(lines):
                self._take(lines[done], self.end)
                self.end += len(lines[done]) + 1
                done += 1

    def _take_expected(self, lines: Sequence[bytes]) -> int:
        """Take lines as long as they are what nearly all are: one document, behind the line before; gives how many."""
        return self._take_run(lines) or self._take_followers(lines)

    def _take_run(self, lines: Sequence[bytes]) -> int:
        """Take the next documents of the table that the lines before were of."""
        rows = self._rows_of.get(self._usual)
        if rows is None:
            return 0
        count, self.crc = run_of_inserts(lines, self.crc, self._usual, rows.next_id, self.place + 1)
        if count:
            taken = lines if count == len(lines) else lines[:count]
            # The offset of each line, and of what follows the last; every line has a newline.
            offsets = [self.end + number + at for number, at in enumerate(accumulate(map(len, taken), initial=0))]
            self.end = offsets.pop()
            rows.extend(offsets)
            self._chain, self._last = None, taken[-1]
            self.place += count
            self.since_checkpoint += count
        return count

    def _take_followers(self, lines: Sequence[bytes]) -> int:
        """Take lines of any tables, up to where two of one table say that a run begins."""
        crc, end, place, table = self.crc.encode(), self.end, self.place, b""
        for line in lines:
            found = next_in_line(line, crc)
            rows = self._rows_of.get(found[2]) if found is not None else None
            if found is None or rows is None or int(found[4]) != place + 1 or found[1] == b"r":
                break
            rows.put(int(found[3]), end)
            crc, end, place = found[0], end + len(line) + 1, place + 1
            self._last = line
            if found[2] == table:
                self._usual = table
                break
            table = found[2]
        taken = place - self.place
        if taken:
            self.crc, self._chain, self.end, self.place = crc.decode(), None, end, place
            self.since_checkpoint += taken
        return taken

    def _take(self, line: bytes, offset: int) -> None:
        crc = line_crc(line)
        if crc is None:
            self.damage.append(Damage(offset, len(line) + 1, "a line is broken"))
            for start, piece in salvaged(line):
                self._take(piece, offset + start)
            return
        if crc_before(line) != self.crc:
            self.damage.append(Damage(offset, len(line) + 1, "the line before this one is missing, broken or moved"))
        self.crc, self._chain, self._last = crc, None, line
        seen = glance(line)
        if seen is not None:
            self._apply(*seen, offset)
        elif offset == 0:
            self.header = checked_header(read_header(line) or {})
        else:
            parts, self._chain = read_places(line)
            self._take_parts(parts, offset)

    def _take_parts(self, parts: Sequence[tuple[str, str, int, int]], offset: int) -> None:
        if not parts:
            return
        self._apply(*parts[0], offset)
        table, rest = parts[0][1], parts[1:]
        rows = self.tables.get(table)
        # A batch is mostly what nearly all lines are: the next documents of one table.
        if rows is not None and rest == [
            ("i", table, rows.next_id + number, self.place + 1 + number) for number in range(len(rest))
        ]:
            rows.extend([offset] * len(rest))
            self.place += len(rest)
            self.since_checkpoint += len(rest)
            return
        for part in rest:
            self._apply(*part, offset)

    def _apply(self, op: str, table: str, id_: int, place: int, offset: int) -> None:
        if place != self.place + 1 and not self._fits(place, offset):
            return
        self.place = max(self.place, place)
        self.since_checkpoint += 1
        rows = self.tables.get(table)
        if rows is None:
            rows = self.tables[table] = Rows()
            self._rows_of[encoded(table).encode()] = rows
        if op in {"i", "u"}:
            rows.put(id_, offset)
        elif op == "x":
            del self.tables[table]
            del self._rows_of[encoded(table).encode()]
        elif op == "r":
            rows.drop(id_)
        else:
            rows.next_id = max(rows.next_id, id_ + 1)

    def _fits(self, place: int, offset: int) -> bool:
        if place in self._missing:
            self._missing.discard(place)
            self.damage.append(Damage(offset, 0, f"record {place} stands after record {self.place}"))
            return True
        if place <= self.place:
            self.damage.append(Damage(offset, 0, f"record {place} is there twice"))
            return False
        hole = range(self.place + 1, place)
        self.damage.append(Damage(offset, 0, f"records {hole[0]} to {hole[-1]} are missing"))
        self._missing.update(hole[:_LARGEST_HOLE])
        return True


def salvaged(line: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole lines inside a broken one: a lost newline must not take its neighbour with it."""
    starts = [0]
    while (found := line.find(_MARK, starts[-1] + 1)) >= 0 and len(starts) < _MOST_MARKS:
        starts.append(found)
    done = 0
    for start in starts:
        if start < done:
            continue
        for stop in (stop for mark in [*starts[1:], len(line)] for stop in (mark, mark - 1)):
            if start < stop and stop - start < len(line) and line_crc(line[start:stop]) is not None:
                yield start, line[start:stop]
                done = stop
                break


def checked_header(header: Mapping[str, Any]) -> Mapping[str, Any]:
    """The header, if this version can read what follows it.

    Raises:
        StoreFailure: for a newer format, with the upgrade command.
    """
    if header.get("format", FORMAT) > FORMAT:
        raise StoreFailure(
            f"The store has format {header['format']}, written by a newer version; this one reads up to {FORMAT} and "
            "has changed nothing. Upgrade: pip install --upgrade experiment-tracker-mcp."
        )
    return header
