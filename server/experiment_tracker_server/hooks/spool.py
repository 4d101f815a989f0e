"""Events for the ledger: one line, one write, so that hooks that run at once never mix and a kill leaves no half."""

import os
import time

from experiment_tracker_tools.assignment.clients import client
from experiment_tracker_tools.assignment.digests import sha256
from experiment_tracker_tools.assignment.jsons import dumps
from experiment_tracker_tools.assignment.live import SPOOL

# Hooks start with every event: typing alone would double their time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from experiment_tracker_server.hooks.events import Around


def path_of(store: str, session: str) -> str:
    """The session's spool."""
    return os.path.join(store, SPOOL, session + ".jsonl")


def run_of(
    around: "Around", experiment: str, *, call: str, agent: str = "", length: int = 0, served: str = ""
) -> "dict[str, Any]":
    """The line of a run of an experiment's asset; of the text that it was served only the hash and the length."""
    run = {
        "session": around.session,
        "prompt": around.prompt,
        "call": call,
        "at": time.time(),
        "transcript": around.event.get("transcript_path") or "",
        "client": client(),
        "agent": agent,
        "length": length,
        "served": served,
    }
    return {"event": event_of(around, experiment, call), "experiment": experiment, "run": run}


def event_of(around: "Around", experiment: str, call: str) -> str:
    """Names a run of an experiment's asset."""
    return sha256("\0".join((experiment, around.session, around.prompt, call)).encode()).hex()[:32]


def append(store: str, session: str, line: "dict[str, Any]") -> None:
    """Add a line.

    Raises:
        OSError: if it is not there as a whole.
    """
    folder = os.path.join(store, SPOOL)
    if not os.path.isdir(folder):
        os.makedirs(folder, 0o700, exist_ok=True)
    content = dumps(line).encode() + b"\n"
    descriptor = os.open(path_of(store, session), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        if os.write(descriptor, content) != len(content):
            raise OSError("short write")
    finally:
        os.close(descriptor)
