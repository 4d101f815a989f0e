"""Journals as JSON lines for another store: the same records with the same chain, taken in once however often sent."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from experiment_tracker_tools.core.errors import Conflict, InvalidInput
from experiment_tracker_tools.ledger.disk import Handle, private_folder, replace_file
from experiment_tracker_tools.ledger.frames import (
    FORMAT,
    Part,
    chain_after,
    digest_holds,
    first_chain,
    header_line,
    line_crc,
    read_header,
    read_parts,
    to_line,
)
from experiment_tracker_tools.ledger.reading import raw_lines


class Imported(NamedTuple):
    """What an import came to.

    Attributes:
        records: newly taken in; repeats: already there.
        experiments: ids that were concerned.
    """

    records: int
    repeats: int
    experiments: tuple[str, ...]


class Exported(NamedTuple):
    """One journal as an export tells it.

    Attributes:
        journal: its own id.
        writer: the store that its first entries are of; empty where it did not say.
        parts: every record, in order.
    """

    journal: str
    writer: str
    parts: list[Part]


def export_lines(path: Path) -> Iterator[str]:
    """One journal as JSON lines: what it is, then every record in order."""
    handle = Handle(path, 0)
    lines = raw_lines(handle, 0, path.stat().st_size)
    header = read_header(next(lines)[1]) or {}
    writer = header.get("writer", "")
    yield json.dumps({"format": FORMAT, "journal": header["journal"], "about": header["about"], "writer": writer})
    for _, line in lines:
        for part in read_parts(line) if line_crc(line) is not None else ():
            yield json.dumps({"about": header["about"], **part._asdict()}, ensure_ascii=False)


def sorted_exports(lines: Iterable[str]) -> dict[str, Exported]:
    """The journals in an export, by experiment; each chain is verified.

    Raises:
        InvalidInput: for a line that is no export, a newer format, or a chain that does not hold.
    """
    found: dict[str, Exported] = {}
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            fields = cast("dict[str, Any]", json.loads(text))
            if "format" in fields:
                if fields["format"] > FORMAT:
                    raise InvalidInput(
                        f"The export has format {fields['format']}; this version reads {FORMAT}. Upgrade."
                    )
                found[fields["about"]] = Exported(fields["journal"], fields.get("writer", ""), [])
                continue
            about = fields.pop("about")
            part = Part(**fields)
            journal, _, parts = found[about]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InvalidInput(
                f"Line {number} is no line of an export, or its experiment's first line is missing. Give what `export` "
                "printed, whole. Nothing was imported."
            ) from error
        chain = parts[-1].chain if parts else first_chain(journal, about)
        if part.place != len(parts) + 1 or not digest_holds(part) or chain_after(part, chain) != part.chain:
            raise InvalidInput(
                f"Line {number}: record {part.place} of {about} was altered or moved. Nothing was imported."
            )
        parts.append(part)
    return found


def import_journal(path: Path, about: str, exported: Exported) -> tuple[int, int]:
    """Take in one exported journal; gives how many records are new, and how many were there. Call it under its lock.

    Raises:
        Conflict: if another journal stands there, or both went on from different records.
    """
    journal, _, parts = exported
    there: list[Part] = []
    if path.exists() and path.stat().st_size:
        handle = Handle(path, 0)
        lines = [line for _, line in raw_lines(handle, 0, path.stat().st_size)]
        header = read_header(lines[0]) or {}
        there = [part for line in lines[1:] if line_crc(line) is not None for part in read_parts(line)]
        if there and header.get("journal") != journal:
            raise Conflict(f"{about} exists here as another experiment of the same id. Nothing of it was imported.")
    common = min(len(there), len(parts))
    if common and there[common - 1].chain != parts[common - 1].chain:
        raise Conflict(f"{about} went on differently here and there. Nothing of it was imported.")
    new = parts[len(there) :]
    if new:
        private_folder(path.parent)
        replace_file(path, _journal_of(about, exported._replace(parts=[*there, *new])))
        path.with_suffix(".checkpoint").unlink(missing_ok=True)
    return len(new), common


def _journal_of(about: str, exported: Exported) -> Iterator[bytes]:
    line, crc = header_line(exported.journal, about, 1, exported.writer)
    yield line
    for part in exported.parts:
        line, crc = to_line([part], crc)
        yield line
