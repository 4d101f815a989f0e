"""How long from spawning the server to its tools/list reply, beside a bare server of the same SDK, in one run.

Target: at most 1.15 times the bare server (aim 1.1), by processor time or by the clock, which a busy machine stretches.
Both are byte-compiled and alternate, so that load hits both. The exit status is 1 if a target is missed.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

TARGET = 1.15
FIRST, FIRST_BYTES, ALL_BYTES = 9, 8_192, 14_336
HELLO = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("hello")
@server.tool()
def hello(name: str) -> str:
    "Say hello."
    return f"hello {name}"
server.run("stdio")
"""
REQUESTS = [
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "0"},
        },
    },
    {"jsonrpc": "2.0", "method": "notifications/initialized"},
    {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
]


class Start(NamedTuple):
    """One start: seconds from the spawn to the reply, seconds of processor time until the exit, and the reply."""

    wall: float
    cpu: float
    listed: dict[str, Any]


def start(command: list[str], folder: Path) -> Start:
    """Spawn a server, ask for its tools, and let it go."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, begun = _cpu_of_children(), time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for request in REQUESTS:
            server.stdin.write(json.dumps(request).encode() + b"\n")
        server.stdin.flush()
        replies = map(json.loads, server.stdout)
        reply = next((reply for reply in replies if reply.get("id") == 2), None)
        wall = time.perf_counter() - begun
        server.stdin.close()
    if reply is None:
        raise SystemExit(f"{command} never answered tools/list")
    return Start(wall, _cpu_of_children() - before, reply["result"])


def main() -> None:
    """Measure both servers in turn; print the ratios of their medians, and what a client pays for the list."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("rounds", type=int, nargs="?", default=15, help="starts of each server (%(default)s)")
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "hello.py").write_text(HELLO, "utf-8")
        bare = [sys.executable, str(folder / "hello.py")]
        ours = [str(Path(sys.executable).with_name("experiment-tracker")), "serve"]
        listed = [start(command, folder) for command in (bare, ours)][1].listed
        pairs = [(start(bare, folder), start(ours, folder)) for _ in range(rounds)]
    print(f"spawn to tools/list, ours / bare SDK server, {rounds} rounds each, target <= {TARGET}:")
    ratios = [
        _ratio("processor time", [hello.cpu for hello, _ in pairs], [own.cpu for _, own in pairs]),
        _ratio("wall clock", [hello.wall for hello, _ in pairs], [own.wall for _, own in pairs]),
    ]
    first, everything = _bytes(listed, FIRST), _bytes(listed, None)
    print(f"tools/list: first {FIRST} {first:,} bytes, target <= {FIRST_BYTES:,}", end="; ")
    print(f"all {len(listed['tools'])} {everything:,} bytes, target <= {ALL_BYTES:,}")
    raise SystemExit(min(ratios) > TARGET or first > FIRST_BYTES or everything > ALL_BYTES)


def _ratio(name: str, bare: Sequence[float], ours: Sequence[float]) -> float:
    found = statistics.median(ours) / statistics.median(bare)
    told = f"{found:.3f} of the medians, {min(ours) / min(bare):.3f} of the best"
    print(f"  {name:15} {told}; median {1e3 * statistics.median(ours):.0f} ms")
    return found


def _bytes(listed: dict[str, Any], most: int | None) -> int:
    """Bytes of the reply with that many tools."""
    shown = {**listed, "tools": listed["tools"][:most]}
    return len(json.dumps(shown, separators=(",", ":"), ensure_ascii=False).encode())


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
