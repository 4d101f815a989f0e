"""What hooks left behind: they cannot afford a sync and see no packages, so they append events that are taken in here.

A spool is one file per session, `.experiments/spool/<session>.jsonl`, 0600, appended in one write per event:
`{"event": id, "experiment": id, "trial": {...}}`, or with "exposure" or "outside" in the place of "trial". The event's
id becomes the trial's key, or names the run that is outside, so that an event counts once however often it is taken in.
Acknowledgement begins here.
"""

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from experiment_tracker_tools.core.errors import ConsentMissing, ExperimentError, StoreFailure
from experiment_tracker_tools.domain.outside import Outside
from experiment_tracker_tools.domain.trial import Exposure, Trial
from experiment_tracker_tools.ledger.disk import Handle, replace_file
from experiment_tracker_tools.ledger.rules import Batch

_OFFSETS = "offsets.json"
_A_MINUTE_S, _A_DAY_S = 60, 86_400


class Taken(NamedTuple):
    """What taking in the spools came to.

    Attributes:
        recorded: trials and exposures newly recorded; repeats: there before.
        refused: events that the rules do not let in, with the reason; kept beside the spool as `.refused`.
    """

    recorded: int
    repeats: int
    refused: tuple[str, ...]


def take_in(
    folder: Path,
    record: Callable[[str, str, Batch], tuple[int, int]],
    *,
    now: datetime,
    held: frozenset[str] = frozenset(),
) -> Taken:
    """Record every whole event that is new in any spool.

    Args:
        folder: the store's spool folder; it need not exist.
        record: records a batch of a session for an experiment; gives how many were new, and how many repeats.
        now: spools that are taken in are removed: a minute after their session's end, or a day after their last event.
        held: sessions whose spool is needed still.

    Raises:
        StoreFailure: if the ledger cannot be written; what was not taken in yet stays in the spool.
    """
    done = _offsets(folder)
    new = repeats = 0
    refused: list[str] = []
    for spool in sorted(folder.glob("*.jsonl")):
        for line in _whole_lines(spool, done.get(spool.name, 0)):
            try:
                if (event := _event(line)) is not None:
                    added, again = record(spool.stem, *event)
                    new, repeats = new + added, repeats + again
            except StoreFailure:
                _keep_offsets(folder, done)
                raise
            except ConsentMissing as error:
                # Not kept aside: what nobody may collect is not collected there either.
                refused.append(f"{spool.stem}: {error}")
            except (ExperimentError, ValidationError, ValueError, KeyError, TypeError) as error:
                refused.append(f"{spool.stem}: {error}")
                _keep_aside(spool.with_suffix(".refused"), line)
            done[spool.name] = done.get(spool.name, 0) + len(line)
        if spool.stem not in held and done.get(spool.name) == spool.stat().st_size and _is_over(spool, now):
            spool.unlink()
            del done[spool.name]
    _keep_offsets(folder, done)
    return Taken(new, repeats, tuple(refused))


def forget(folder: Path, units: frozenset[str]) -> None:
    """Take the refused events of these units out of what was kept aside."""
    for aside in folder.glob("*.refused"):
        lines = aside.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if _unit(line) not in units]
        if len(kept) < len(lines):
            replace_file(aside, kept)


def _whole_lines(spool: Path, start: int) -> list[bytes]:
    """What is new behind `start`. A hook may be in the middle of its write; its event is taken in the next time."""
    if spool.stat().st_size <= start:
        return []
    with spool.open("rb") as file:
        file.seek(start)
        return [line for line in file if line.endswith(b"\n")]


def _is_over(spool: Path, now: datetime) -> bool:
    """Whether nothing more comes: a minute after the session's end, a day after its last event."""
    age_s = now.timestamp() - spool.stat().st_mtime
    return age_s > _A_DAY_S or (age_s > _A_MINUTE_S and _has_ended(spool.read_bytes()))


def _has_ended(content: bytes) -> bool:
    """Whether the session's end is the last that its hooks have said."""
    try:
        return bool(json.loads(content.splitlines()[-1])["turn"]["what"] == "SessionEnd")
    except (ValueError, IndexError, KeyError, TypeError):
        return False


def _unit(line: bytes) -> str | None:
    try:
        fields = json.loads(line)
        content: dict[str, Any] = fields.get("trial") or fields.get("exposure") or {}
        return str(content.get("unit"))
    except (ValueError, AttributeError):
        return None


def _event(line: bytes) -> tuple[str, Batch] | None:
    """What a line wants recorded; None for one that only tells how a turn went, or of a run after a promotion."""
    fields = cast("dict[str, Any]", json.loads(line))
    if "turn" in fields or "after" in fields:
        return None
    if "trial" in fields:
        trial = Trial.model_validate({**fields["trial"], "key": fields["event"]})
        return str(fields["experiment"]), Batch(trials=[trial])
    if "outside" in fields:
        run = Outside(unit=fields["event"], why=fields["outside"])
        return str(fields["experiment"]), Batch(outside=[run])
    return str(fields["experiment"]), Batch(exposures=[Exposure.model_validate(fields["exposure"])])


def _offsets(folder: Path) -> dict[str, int]:
    # A cache: without it everything is taken in again, and the events' ids make that repeats.
    try:
        return {str(name): int(offset) for name, offset in json.loads((folder / _OFFSETS).read_text("utf-8")).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def _keep_offsets(folder: Path, done: dict[str, int]) -> None:
    if done != _offsets(folder):
        replace_file(folder / _OFFSETS, [json.dumps(done).encode()], durable=False)


def _keep_aside(path: Path, line: bytes) -> None:
    handle = Handle(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle.fd, line)
