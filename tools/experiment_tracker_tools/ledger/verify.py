"""Walks a journal's chain and names the first record that was altered, taken out or moved; works on any copy."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from experiment_tracker_tools.core.errors import NotFound
from experiment_tracker_tools.ledger.disk import Handle
from experiment_tracker_tools.ledger.frames import (
    Part,
    chain_after,
    digest_holds,
    first_chain,
    line_crc,
    read_header,
    read_parts,
    read_records,
)
from experiment_tracker_tools.ledger.reading import raw_lines
from experiment_tracker_tools.ledger.state import salvaged


class Verified(NamedTuple):
    """What walking one journal came to.

    Attributes:
        journal: the experiment's id, or `catalogue`.
        records: how many the chain holds; erased: those whose payload was removed on purpose.
        anchors: places that the catalogue or a citation remembers and that were compared.
        fault: the first thing that is wrong, None where all is as it was written.
    """

    journal: str
    records: int
    erased: int
    anchors: int
    fault: str | None


def verify(path: Path) -> tuple[Verified, ...]:
    """Verify a store (a `.experiments` folder or a copy of one), one experiment's folder, or one journal.

    Raises:
        NotFound: if there is no journal.
    """
    journals = [path] if path.is_file() else sorted([*path.glob("journal.jsonl"), *path.glob("*/journal.jsonl")])
    catalogue = next((p for p in (path / "catalogue.jsonl", path.parent / "catalogue.jsonl") if p.is_file()), None)
    if not journals and catalogue is None:
        raise NotFound(f"There is no journal in {path.name}. Give a store, an experiment's folder or a journal.")
    anchors = _anchors(catalogue) if catalogue is not None else {}
    found = [_walk(journal, anchors) for journal in journals]
    if catalogue is not None and catalogue.parent == path:
        found.append(_walk(catalogue, {}))
        known = {verified.journal for verified in found}
        gone = sorted(set(anchors) - known)
        found += [Verified(name, 0, 0, 0, "the whole journal is missing; the catalogue knows it") for name in gone]
    return tuple(found)


def _walk(path: Path, anchors: Mapping[str, Mapping[int, str]]) -> Verified:
    header, parts = _parts(path)
    about = str(header.get("about", path.parent.name))
    expected = dict(anchors.get(about, {}))
    chain = first_chain(str(header.get("journal", "")), about)
    records = erased = compared = 0
    for part in parts:
        fault = part if isinstance(part, str) else _fault(part, records + 1, chain, parts)
        if fault is None and isinstance(part, Part):
            records, chain = records + 1, part.chain
            erased += part.payload is None
            if (anchor := expected.pop(part.place, None)) is not None:
                compared += 1
                if anchor != chain:
                    fault = (
                        f"the catalogue remembers another chain at record {part.place}: it, or one before, was altered"
                    )
        if fault is not None:
            return Verified(about, records, erased, compared, fault)
    if expected:
        return Verified(about, records, erased, compared, f"records {records + 1} to {max(expected)} were cut off")
    return Verified(about, records, erased, compared, None)


def _fault(part: Part, place: int, chain: str, rest: Iterator[Part | str]) -> str | None:
    if part.place > place:
        return _passed_over(place, part.place, rest)
    if part.place < place:
        return f"record {part.place} stands again, or out of order, after record {place - 1}"
    if not digest_holds(part):
        return f"record {place} ({part.table} {part.id}) was altered: its payload is not what was hashed"
    if chain_after(part, chain) != part.chain:
        return f"record {place} ({part.table} {part.id}) was altered, or does not belong behind the one before"
    if (part.payload is None) != part.op.isupper():
        return f"record {place} ({part.table} {part.id}) was altered: its payload and its erasure contradict each other"
    return None


def _passed_over(place: int, found: int, rest: Iterator[Part | str]) -> str:
    if any(isinstance(part, Part) and part.place == place for part in rest):
        return f"record {place} stands behind record {found}: their order was changed"
    missing = f"record {place} is" if found == place + 1 else f"records {place} to {found - 1} are"
    return f"{missing} missing before record {found}"


def _parts(path: Path) -> tuple[Mapping[str, Any], Iterator[Part | str]]:
    lines = _lines(path)
    first = next(lines, (0, b""))[1]
    header = read_header(first)

    def parts() -> Iterator[Part | str]:
        if header is None:
            yield "the first line is broken"
        for offset, line in lines:
            if line_crc(line) is not None:
                yield from read_parts(line)
                continue
            yield from (part for _, piece in salvaged(line) for part in read_parts(piece))
            yield f"the line at byte {offset} is broken"

    return header or {}, parts()


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    # Bytes behind the last newline are a write that never ended; nobody was told that it did.
    handle = Handle(path, 0)
    return raw_lines(handle, 0, path.stat().st_size)


def _anchors(catalogue: Path) -> dict[str, dict[int, str]]:
    anchors: dict[str, dict[int, str]] = {}
    for _, line in _lines(catalogue):
        for record in read_records(line) if line_crc(line) is not None else ():
            if record.table == "anchors":
                anchor = record.document
                anchors.setdefault(anchor["experiment"], {})[anchor["place"]] = anchor["chain"]
    return anchors
