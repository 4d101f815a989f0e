"""The official MCP inspector, a second real client, lists our tools and calls them over stdio."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiment_tracker_server.catalog import FILES

INSPECTOR = Path(__file__).parents[2] / ".cache" / "e2e" / "node_modules" / ".bin" / "mcp-inspector"
SERVER = Path(sys.executable).with_name("experiment-tracker")
METRIC = {"name": "time", "role": "primary", "kind": "duration", "direction": "decrease", "unit": "s"}
HYPOTHESIS = {"change": "a cache", "impact": "20% less time", "reasoning": "fewer reads"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", "-b", "main", tmp_path], check=True)
    return tmp_path


def inspect(project: Path, *arguments: str) -> dict[str, object]:
    """What the inspector prints for one request to a new server in the project."""
    assert INSPECTOR.exists(), f"{INSPECTOR.name} is missing: run this through `make e2e`"
    done = subprocess.run(
        [INSPECTOR, "--cli", SERVER, "serve", *arguments],
        cwd=project,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    reply: dict[str, object] = json.loads(done.stdout)
    return reply


def call(project: Path, tool: str, **arguments: object) -> dict[str, object]:
    """The fields that a tool answers with."""
    given = [
        f"--tool-arg={name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in arguments.items()
    ]
    reply = inspect(project, "--method", "tools/call", "--tool-name", tool, *given)
    assert not reply.get("isError"), reply
    fields = reply["structuredContent"]
    assert isinstance(fields, dict)
    return fields


def test_it_lists_the_tools_of_the_catalogue_and_none_that_is_internal(project: Path) -> None:
    tools = inspect(project, "--method", "tools/list")["tools"]
    assert isinstance(tools, list)
    assert [tool["name"] for tool in tools] == list(FILES)


def test_it_drives_an_experiment_from_design_to_decision(project: Path) -> None:
    fields = {"name": "A cache", "hypothesis": HYPOTHESIS, "metrics": [METRIC], "sample_size": 3}
    planned = call(project, "design_experiment", **fields, plan={"method": "fixed"})
    experiment = str(planned["experiment"])
    assert call(project, "transition_experiment", experiment=experiment, action="start")["state"] == "running"
    variant = call(project, "assign_unit", experiment=experiment, unit="session-1")["variant"]
    assert variant in {"control", "treatment"}
    trials = [
        {"variant": name, "metrics": {"time": seconds + place / 100}, "key": f"{name}-{place}"}
        for name, seconds in (("control", 2.0), ("treatment", 1.0))
        for place in range(3)
    ]
    assert call(project, "record_trial", experiment=experiment, trials=trials)["recorded"] == {"trials": 6}
    assert call(project, "analyze", experiment=experiment)["standing"] == "final"
    assert call(project, "decide", experiment=experiment)["verdict"] == "SHIP"
    assert "1 active" in str(call(project, "status")["summary"])


def test_it_shows_a_refusal_as_an_error_with_our_words(project: Path) -> None:
    arguments = ("--method", "tools/call", "--tool-name", "analyze", "--tool-arg", "experiment=exp-2026-01-01-001")
    reply = inspect(project, *arguments)
    assert reply["isError"] is True
    assert "Plan one with design_experiment." in json.dumps(reply["content"])
