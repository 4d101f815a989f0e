"""What a server loads, as Python itself tells it: nothing but what listing the tools takes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.project import COMMAND

from experiment_tracker_server.catalog import FILES

Request = dict[str, Any]
ALLOWED = ("core", "workspace", "vcs", "assignment", "conduct")
NOT_THERE = {"numpy", "scipy", "git", "tinydb", "sqlite3"}
BEGIN: tuple[Request, ...] = (
    {
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "start", "version": "0"},
        },
    },
    {"method": "notifications/initialized"},
)
LIST: Request = {"id": 2, "method": "tools/list"}
STATUS: Request = {"id": 3, "method": "tools/call", "params": {"name": "status", "arguments": {}}}


def loaded(where: Path, *requests: Request) -> set[str]:
    """The modules that a server has loaded once it has answered these requests."""
    command = [sys.executable, "-X", "importtime", *COMMAND[1:], "serve"]
    told = where / "imports.txt"
    with (
        told.open("w") as imports,
        subprocess.Popen(
            command, cwd=where, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=imports, text=True
        ) as server,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        for request in (*BEGIN, *requests):
            server.stdin.write(json.dumps({"jsonrpc": "2.0", **request}) + "\n")
        server.stdin.flush()
        replies = [json.loads(server.stdout.readline()) for _ in (BEGIN[0], *requests)]
        server.communicate()
    assert all("result" in reply for reply in replies), replies
    return {
        line.rpartition("|")[2].strip() for line in told.read_text().splitlines() if line.startswith("import time:")
    }


def test_listing_the_tools_loads_no_verb_and_nothing_that_verbs_work_with(tmp_path: Path) -> None:
    names = loaded(tmp_path, LIST)
    ours = {name for name in names if name.startswith("experiment_tracker_tools.")}
    assert {name.split(".")[1] for name in ours} <= set(ALLOWED)
    live = "experiment_tracker_tools.conduct.live"
    assert {name for name in ours if ".conduct." in name} <= {live, f"{live}.catch_up"}
    assert not NOT_THERE & names
    assert "experiment_tracker_tools.workspace.settings" not in names


def test_the_first_call_of_a_tool_loads_its_own_verb_and_no_other(tmp_path: Path) -> None:
    names = loaded(tmp_path, LIST, STATUS)
    # What verbs work with tells them apart: Python does not say what import_module itself is asked for.
    assert "experiment_tracker_tools.conduct.standing" in names
    assert not {f"experiment_tracker_tools.conduct.{step}" for step in ("drafting", "scanning", "promotion")} & names


def test_the_command_lines_help_loads_no_verb(tmp_path: Path) -> None:
    told = "print(*[name for name in sys.modules if name.startswith('experiment_tracker_tools.')], file=sys.stderr)"
    program = COMMAND[-1].replace("; main()", f"\ntry: main()\nfinally: {told}")
    done = subprocess.run([*COMMAND[:-1], program, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Plan an A/B experiment before any data" in done.stdout
    verbs = {f"experiment_tracker_tools.{file}" for file in FILES.values()}
    assert not verbs & set(done.stderr.split())
    # The control: a command's own help loads its verb.
    done = subprocess.run(
        [*COMMAND[:-1], program, "decide", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert verbs & set(done.stderr.split()) == {"experiment_tracker_tools.decide"}
