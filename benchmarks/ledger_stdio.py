"""What does a durable record_trial over stdio cost, beside an empty tool of a bare server of the same SDK?

Beside it stands a tool of that server that appends a line of the same size and syncs it: no durable tool can cost less.
"""

import sys
from pathlib import Path

from benchmarks.ledger_doors import COMMAND, given, recorded, served
from benchmarks.ledger_measure import Step, in_turn
from benchmarks.ledger_sample import Outcome, report, scratch, started

EMPTY = """
import os
from mcp.server.mcpserver import MCPServer
server = MCPServer("empty")
@server.tool()
def nothing(experiment: str, trials: list[dict]) -> dict[str, int]:
    "Do nothing."
    return {"recorded": 0}
raw = os.open("raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
@server.tool()
def append(experiment: str, trials: list[dict]) -> dict[str, int]:
    "Append and sync."
    os.write(raw, b"x" * 400)
    os.fdatasync(raw)
    return {"recorded": 1}
server.run("stdio")
"""
TARGET = 1.5


def record_over_stdio(rounds: int) -> list[Outcome]:
    """The servers answer in turn, with arguments of the same size."""
    with scratch() as folder:
        started(folder)
        (folder / "empty.py").write_text(EMPTY, "utf-8")
        bare = [sys.executable, str(Path(folder / "empty.py"))]
        # Each in a server of its own: the second of two calls to one server finds its caches warm.
        with (
            served(bare, folder) as empty,
            served(bare, folder) as syncing,
            served([COMMAND, "serve"], folder) as ours,
        ):
            number = iter(range(1_000_000))
            steps: dict[str, Step] = {
                "empty": lambda: empty("nothing", {"experiment": "x", "trials": [given(1, 0)]}),
                "raw": lambda: syncing("append", {"experiment": "x", "trials": [given(1, 0)]}),
                "ours": lambda: recorded(ours, next(number), 0),
            }
            in_turn(steps, 20)
            taken = in_turn(steps, rounds)
    ratio = taken["ours"] / taken["empty"]
    told = f"{ratio:.2f} (target <= {TARGET:g}); {taken['ours'] * 1e3:.2f} ms and {taken['empty'] * 1e3:.2f} ms"
    return [
        Outcome("durable record_trial over stdio / an empty tool", told, ratio <= TARGET),
        Outcome(
            "  beside it: a tool that appends and syncs / the empty tool", f"{taken['raw'] / taken['empty']:.2f}", True
        ),
    ]


def questions(short: bool) -> list[Outcome]:
    """The answer."""
    return record_over_stdio(100 if short else 1000)


if __name__ == "__main__":
    report(questions)
