"""A journal's trials, its place, and its lines made to fit again after a change."""

from pathlib import Path
from zlib import crc32

from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.trial import Trial

LOOK = Look(units={"control": 3, "short": 3}, planned=10, standing="interim", through_seq=6, srm_p=None)


def trial(number: int, unit: str | None = None) -> Trial:
    """A trial of its own key."""
    variant = "short" if number % 2 else "control"
    return Trial(variant=variant, metrics={"latency": 1.0 + number}, unit=unit, key=f"key-{number}")


def journal_of(store: Path, experiment_id: str) -> Path:
    """Where an experiment's journal lies."""
    return store / experiment_id / "journal.jsonl"


def rebuilt(lines: list[bytes]) -> bytes:
    """Lines with every checksum made right again, as a careful forger would."""
    crc, out = "00000000", list[bytes]()
    for line in lines:
        body = b'"p":"' + crc.encode() + line[29:].rstrip(b"\n")
        crc = f"{crc32(body):08x}"
        out.append(b'{"c":"' + crc.encode() + b'",' + body + b"\n")
    return b"".join(out)
