"""The hooks' spool as it tells of runs: what was served to whom, and whether that can have ended."""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from experiment_tracker_tools.assignment.clients import is_gone


class Run(NamedTuple):
    """A run as the hook noted it.

    Attributes:
        at: when it began, seconds since 1970; event: its id; experiment, unit, variant: what was assigned.
        session, prompt, call: the client's ids; call only for agents.
        transcript: where the client tells of it.
        agent: the agent type that was asked for; served, length: hash and length of the text that was served.
        stopped: a turn of its session ended since; over: the session, or its client, ended; died: its client ended
            and could not say so.
        after: it ran after the promotion of its variant.
    """

    at: float
    event: str
    experiment: str
    unit: str
    variant: str
    session: str
    prompt: str
    call: str
    transcript: Path
    agent: str
    served: str
    length: int
    stopped: bool
    over: bool
    died: bool
    after: bool


def runs_in(spool: Path) -> Iterator[Run]:
    """The runs of a session, each once, with what its later events say of their end."""
    lines = lines_in(spool)
    marks = [line["turn"] for line in lines if "turn" in line]
    seen = set[str]()
    for line in lines:
        if "run" in line and line["event"] not in seen:
            seen.add(line["event"])
            later = [mark["what"] for mark in marks if mark["at"] >= line["run"]["at"]]
            yield _noted(line, spool.stem, later)


def _noted(line: dict[str, Any], session: str, later: list[str]) -> Run:
    run, exposure = line["run"], line.get("exposure") or line["after"]
    gone = is_gone(run["client"])
    return Run(
        at=run["at"],
        event=line["event"],
        experiment=line["experiment"],
        unit=exposure["unit"],
        variant=exposure["variant"],
        session=session,
        prompt=run["prompt"],
        call=run["call"],
        transcript=Path(run["transcript"]),
        agent=run["agent"],
        served=run["served"],
        length=run["length"],
        stopped=bool(later),
        over="SessionEnd" in later or gone,
        died=gone and "SessionEnd" not in later,
        after="after" in line,
    )


def lines_in(spool: Path) -> tuple[dict[str, Any], ...]:
    """The whole lines of a spool that tell of runs and turns."""
    content = spool.stat()
    return _lines(spool, content.st_ino, content.st_size, content.st_mtime_ns)


@lru_cache(maxsize=8)
def _lines(spool: Path, _inode: int, _size: int, _changed_ns: int) -> tuple[dict[str, Any], ...]:
    # Asked at every call of a tool, and a session may have left thousands of events.
    return tuple(_parsed(spool.read_bytes()))


def _parsed(content: bytes) -> Iterator[dict[str, Any]]:
    for line in content.splitlines():
        try:
            read_ = json.loads(line)
        except ValueError:
            continue
        if isinstance(read_, dict) and ("run" in read_ or "turn" in read_):
            yield read_
