"""Calls in processes of their own that meet, at the beginning or right before a decision is written, and then go on."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from tests.support.project import Project

from experiment_tracker_tools.decide import decide
from experiment_tracker_tools.domain.decision import Decision
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.ledger import Ledger
from experiment_tracker_tools.monitor import monitor_experiments
from experiment_tracker_tools.workspace import Workspace

Call = str
"""`monitor`, or the id of an experiment that is decided."""
Meeting = Literal["before the call", "before the decision", "before the decision, without its condition"]
MONITOR: Call = "monitor"
_ROOTS = [str(Path(__file__).parents[2] / name) for name in ("server", "tools", ".")]


def at_once(project: Project, calls: Sequence[Call], meeting: Meeting = "before the call") -> list[dict[str, Any]]:
    """The replies of calls that all go on at the same word, once every one of them has come to where they meet."""
    order = [str(project.root), project.clock().isoformat(), meeting, *calls]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(_ROOTS)}
    command = [sys.executable, "-m", "tests.support.races", *order]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=environment)
    return [dict(json.loads(line)) for line in done.stdout.splitlines()]


def main(root: str, now: str, meeting: Meeting, *calls: Call) -> None:
    """Fork for every call, let them meet, and print their replies."""
    import numpy as np  # noqa: F401  what every call needs is loaded once
    import scipy.special  # noqa: F401

    came, go = os.pipe(), os.pipe()
    replies = [_forked(root, datetime.fromisoformat(now), meeting, call, (came, go)) for call in calls]
    os.close(came[1])
    for _ in calls:
        assert os.read(came[0], 1), "a call ended before it came to where they meet"
    os.write(go[1], b"." * len(calls))
    for reply in replies:
        with os.fdopen(reply, encoding="utf-8") as told:
            print(told.read())


def _forked(
    root: str, now: datetime, meeting: Meeting, call: Call, pipes: tuple[tuple[int, int], tuple[int, int]]
) -> int:
    """Make the call in a process of its own; gives where its reply is read."""
    came, go = pipes
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        return reading

    def meet() -> None:
        os.write(came[1], b".")
        os.read(go[0], 1)

    try:
        if meeting == "before the call":
            meet()
        else:
            _meet_before_the_decision(meet, conditional=meeting == "before the decision")
        workspace = Workspace(Path(root), door="race", clock=lambda: now)
        told = monitor_experiments(workspace, apply=True) if call == MONITOR else decide(workspace, experiment=call)
        os.write(writing, told.model_dump_json().encode())
    finally:
        os._exit(0)


def _meet_before_the_decision(meet: Callable[[], None], *, conditional: bool) -> None:
    """Let the ledger wait before it writes a decision; without the condition it writes it whatever stands there."""
    append, append_new = Ledger.append, Ledger.append_new

    def late(
        ledger: Ledger, about: str, content: Any, *, step: Callable[[Experiment], Experiment] | None = None
    ) -> None:
        if isinstance(content, Decision):
            meet()
        append(ledger, about, content, step=step if conditional or not isinstance(content, Decision) else None)

    def late_new(ledger: Ledger, about: str, content: Any, stands: Callable[[Any], bool]) -> bool:
        if isinstance(content, Decision):
            meet()
        return append_new(
            ledger, about, content, stands if conditional or not isinstance(content, Decision) else _never
        )

    Ledger.append, Ledger.append_new = late, late_new  # type: ignore[method-assign, assignment]


def _never(_entry: object) -> bool:
    return False


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], *sys.argv[4:])  # type: ignore[arg-type]
