"""What does a durable record_trial over stdio cost, beside an empty tool of a bare server of the same SDK?"""

import sys
from pathlib import Path

from benchmarks.ledger_doors import COMMAND, given, recorded, served
from benchmarks.ledger_measure import Step, in_turn
from benchmarks.ledger_sample import Outcome, report, scratch, started

EMPTY = """
from mcp.server.mcpserver import MCPServer
server = MCPServer("empty")
@server.tool()
def nothing(experiment: str, trials: list[dict]) -> dict[str, int]:
    "Do nothing."
    return {"recorded": 0}
server.run("stdio")
"""
TARGET = 1.5


def record_over_stdio(rounds: int) -> list[Outcome]:
    """Both servers answer in turn, with arguments of the same size."""
    with scratch() as folder:
        started(folder)
        (folder / "empty.py").write_text(EMPTY, "utf-8")
        bare = [sys.executable, str(Path(folder / "empty.py"))]
        with served(bare, folder) as empty, served([COMMAND, "serve"], folder) as ours:
            number = iter(range(1_000_000))
            steps: dict[str, Step] = {
                "empty": lambda: empty("nothing", {"experiment": "x", "trials": [given(1, 0)]}),
                "ours": lambda: recorded(ours, next(number), 0),
            }
            in_turn(steps, 20)
            taken = in_turn(steps, rounds)
    ratio = taken["ours"] / taken["empty"]
    told = f"{ratio:.2f} (target <= {TARGET:g}); {taken['ours'] * 1e3:.2f} ms and {taken['empty'] * 1e3:.2f} ms"
    return [Outcome("durable record_trial over stdio / an empty tool", told, ratio <= TARGET)]


def questions(short: bool) -> list[Outcome]:
    """The answer."""
    return record_over_stdio(100 if short else 1000)


if __name__ == "__main__":
    report(questions)
