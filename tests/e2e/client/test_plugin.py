"""The plugin in the real client: it validates, installs from a local marketplace, and everything of it loads."""

from collections.abc import Generator
from pathlib import Path

import pytest
from tests.e2e.client.client import ROOT, VERSIONS, Client, borrow_environment, clients
from tests.e2e.client.model import Model, Reply, Request
from tests.support.project import Project, repository

TOOL = "mcp__plugin_experiment-tracker_tracker__"
LATER = [pytest.param(version, marks=pytest.mark.campaign) for version in VERSIONS[1:]]


@pytest.fixture(params=VERSIONS)
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Client]:
    with clients(request.param, tmp_path / "home", answer) as found:
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return repository(tmp_path / "project")


def answer(request: Request) -> Reply:
    """Do what the command says, as a model would: call the tool that its words name."""
    if request.is_answer:
        return Reply("told")
    for word, tool in (("status", "status"), ("analyze", "analyze")):
        if f"The arguments are: {word}" in request.last:
            return Reply(tools=((f"{TOOL}{tool}", {}),))
    if "The arguments are: create" in request.last:
        hypothesis = {"change": "a cache", "impact": "less time", "reasoning": "fewer reads"}
        metric = {"name": "time", "role": "primary", "kind": "duration", "direction": "decrease"}
        plan = {"name": "A cache", "hypothesis": hypothesis, "metrics": [metric], "sample_size": 5}
        return Reply(tools=((f"{TOOL}design_experiment", plan),))
    return Reply("told")


def test_it_passes_the_strict_validation(client: Client) -> None:
    assert "Validation passed" in client.runs("plugin", "validate", "--strict", str(ROOT))


@pytest.mark.parametrize("client", [VERSIONS[0], *LATER], indirect=True)
def test_it_installs_from_a_local_marketplace_and_its_server_connects(client: Client, project: Project) -> None:
    client.runs("plugin", "marketplace", "add", str(ROOT))
    client.runs("plugin", "install", "experiment-tracker@experiment-tracker")
    client.plugin = False
    borrow_environment(client.home / ".claude" / "plugins" / "data" / "experiment-tracker-experiment-tracker")
    done = client.says("hello", cwd=project.root)
    assert {(each["name"], each["status"]) for each in done.begun["mcp_servers"]} == {
        ("plugin:experiment-tracker:tracker", "connected")
    }
    assert f"{TOOL}design_experiment" in done.begun["tools"]


def test_agent_and_command_load_and_the_bare_command_as_typed_calls_our_tools(client: Client, project: Project) -> None:
    allowed = ("--allowedTools", f"{TOOL}design_experiment,{TOOL}status,{TOOL}analyze")
    typed = ("/meta_experiment create --hypothesis x", "/meta_experiment status", "/meta_experiment analyze exp-1")
    done = client.says(*typed, cwd=project.root, arguments=allowed)
    assert done.status == 0
    assert "experiment-tracker:experiment-tracker" in done.begun["agents"]
    assert {"meta_experiment", "experiment-tracker:meta_experiment"} & set(done.begun["slash_commands"])
    assert f"{TOOL}status" in done.begun["tools"]
    told = _results(client.model)
    assert '"state":"planned"' in told
    assert "1 active" in told
    assert "exp-" in told


def _results(model: Model) -> str:
    return "\n".join(each.last for each in model.work())
