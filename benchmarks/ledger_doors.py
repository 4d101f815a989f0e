"""The doors of a store as other programs use them: a server over stdio, the command line, a hook's spool."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ledger_sample import ID, trial

COMMAND = str(Path(sys.executable).with_name("experiment-tracker"))
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
Call = Callable[[str, dict[str, Any]], dict[str, Any]]
_HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "0"},
}


@contextmanager
def served(command: Sequence[str], folder: Path) -> Generator[Call]:
    """A server over stdio in that folder; gives what calls a tool and returns its result."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        number, to, of = [0], server.stdin, server.stdout

        def ask(method: str, params: dict[str, Any]) -> dict[str, Any]:
            number[0] += 1
            request = {"jsonrpc": "2.0", "id": number[0], "method": method, "params": params}
            to.write(json.dumps(request).encode() + b"\n")
            to.flush()
            while True:
                reply = json.loads(of.readline())
                if reply.get("id") == number[0]:
                    return dict(reply["result"])

        ask("initialize", _HELLO)
        to.write(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        yield lambda tool, arguments: ask("tools/call", {"name": tool, "arguments": arguments})
        to.close()


def recorded(call: Call, number: int, writer: int) -> None:
    """Record one trial through a server."""
    result = call("record_trial", {"experiment": ID, "trials": [given(number, writer)]})
    assert not result.get("isError"), result


def recorded_by_command(folder: Path, numbers: Sequence[int], writer: int) -> None:
    """Record trials through the command line, in one call."""
    trials = json.dumps([given(number, writer) for number in numbers])
    command = [COMMAND, "record", ID, "--trials", "-", "--json"]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, input=trials.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def left_by_hook(folder: Path, number: int, writer: int) -> None:
    """Leave a trial in a session's spool, in one write, as hooks do; the event becomes the trial's key."""
    content = given(number, writer)
    event = {"event": content.pop("key"), "experiment": ID, "trial": content}
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    spool = os.open(folder / ".experiments" / "spool" / f"session-{writer}.jsonl", flags, 0o600)
    os.write(spool, json.dumps(event).encode() + b"\n")
    os.close(spool)


def given(number: int, writer: int) -> dict[str, Any]:
    """A trial as a caller sends it."""
    return trial(number, writer).model_dump(mode="json", exclude_defaults=True)
