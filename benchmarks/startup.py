"""How long from spawning the server to its tools/list reply, beside a bare server of the same SDK, in one run.

Target: at most 1.15 times the bare server (aim 1.1). Both are byte-compiled and alternate, so that load hits both.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 15
TARGET = 1.15
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


def seconds_to_tools(command: list[str], folder: Path) -> tuple[float, int]:
    """Seconds from spawn to the tools/list reply, and the bytes of that reply's tools."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    begun = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for request in REQUESTS:
            server.stdin.write(json.dumps(request).encode() + b"\n")
        server.stdin.flush()
        for line in server.stdout:
            reply = json.loads(line)
            if reply.get("id") == 2:
                taken = time.perf_counter() - begun
                server.stdin.close()
                tools = json.dumps(reply["result"]["tools"], separators=(",", ":"), ensure_ascii=False)
                return taken, len(tools.encode())
    raise SystemExit(f"{command} never answered tools/list")


def main() -> None:
    """Measure both servers in turn and print the ratio of their medians."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "hello.py").write_text(HELLO, "utf-8")
        bare = [sys.executable, str(folder / "hello.py")]
        ours = [str(Path(sys.executable).with_name("experiment-tracker")), "serve"]
        for command in (bare, ours):
            seconds_to_tools(command, folder)
        pairs = [(seconds_to_tools(bare, folder)[0], seconds_to_tools(ours, folder)[0]) for _ in range(ROUNDS)]
        size = seconds_to_tools(ours, folder)[1]
    ratio = statistics.median(own for _, own in pairs) / statistics.median(hello for hello, _ in pairs)
    best = min(own for _, own in pairs) / min(hello for hello, _ in pairs)
    print(f"spawn to tools/list, ours / bare SDK server, {ROUNDS} rounds each, target <= {TARGET}:")
    print(f"  {ratio:.3f} (ratio of the medians), {best:.3f} (of the best)")
    print(f"tools/list: {size} bytes; target <= 8192")


if __name__ == "__main__":
    main()
