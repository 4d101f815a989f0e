"""The six lines of the README, run as they stand there: install, change a command, experiment, work, look, promote."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from tests.e2e.client.client import ROOT, VERSIONS, Client, borrow_environment, clients
from tests.e2e.client.model import Reply, Request
from tests.support.live import COMMAND, TEXTS
from tests.support.project import Project, repository

from experiment_tracker_tools.domain.decision import Promotion
from experiment_tracker_tools.workspace import Workspace

TOOL = "mcp__plugin_experiment-tracker_tracker__"
CALLED = ("design_experiment", "transition_experiment", "status", "decide", "promote")
PLAN = {
    "name": "A shorter review",
    "hypothesis": {"change": "a shorter text", "impact": "20% less cost", "reasoning": "less to read"},
    "metrics": [{"name": "cost", "role": "primary", "kind": "continuous", "direction": "decrease"}],
    "variants": [{"name": "control"}, {"name": "treatment", "source": "shorter"}],
    "subject": {"files": [COMMAND]},
    "sample_size": 2,
    "plan": {"live": {}, "block_size": 2, "method": "fixed"},
}


def answer(request: Request) -> Reply:
    """Do what the command's text says, one tool after the other, as a model would."""
    done = whole(request)
    asked = re.search(r"The arguments are: (\w+)", done)
    if asked is None:
        return Reply("reviewed")
    known = re.findall(r"exp-\d{4}-\d\d-\d\d-\d{3}", done)
    about: dict[str, object] = {"experiment": known[-1]} if known else {}
    # Four sessions cannot show that success is safe; whoever follows the README waits for it.
    promotion = {**about, "variant": "treatment", "override_reason": "the README wants it"}
    steps: dict[str, list[tuple[str, dict[str, object]]]] = {
        "create": [("design_experiment", PLAN), ("transition_experiment", {**about, "action": "start"})],
        "status": [("status", {})],
        "promote": [
            ("status", {}),
            ("transition_experiment", {**about, "action": "stop"}),
            ("decide", {**about, "rationale": "the six lines"}),
            ("promote", promotion),
        ],
    }
    if (confirm := re.search(r'"confirm":\s*"([^"]+)"', request.last)) is not None:
        return Reply(tools=((f"{TOOL}promote", {**promotion, "confirm": confirm[1]}),))
    called = sum(done.count(f'"name": "{TOOL}{name}"') for name in CALLED)
    if called >= len(steps[asked[1]]):
        return Reply("told")
    name, given = steps[asked[1]][called]
    return Reply(tools=((TOOL + name, given),))


def whole(request: Request) -> str:
    return "\n".join(json.dumps(each["content"]).replace('\\"', '"') for each in request.body["messages"])


def lines() -> list[str]:
    """The six lines, with this checkout in the place of the path."""
    block = re.search(r"while you work\n\n```\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block is not None
    return block[1].replace("/path/to/this/checkout", str(ROOT)).splitlines()


def runs(client: Client, project: Project, line: str, programs: Path) -> str:
    environment = {**client.environment, "EDITOR": str(programs / "editor")}
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    done = subprocess.run(
        ["sh", "-c", line], cwd=project.root, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def programs_of(client: Client, folder: Path) -> Path:
    """A `claude` that answers without a terminal, and an editor that writes the new text."""
    folder.mkdir()
    allowed = ",".join(TOOL + name for name in CALLED)
    printing = f'exec "{client.binary}" -p "$@" --permission-mode acceptEdits --allowedTools {allowed} </dev/null'
    claude = f'#!/bin/sh\n[ "$1" = plugin ] && exec "{client.binary}" "$@"\n{printing}\n'
    (folder / "claude").write_text(claude)
    (folder / "new.md").write_text(TEXTS[COMMAND].format("NEW"))
    (folder / "editor").write_text(f'#!/bin/sh\nexec cp "{folder / "new.md"}" "$1"\n')
    for name in ("claude", "editor"):
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.campaign
@pytest.mark.parametrize("version", VERSIONS)
def test_the_six_lines_of_the_readme_do_what_they_say(version: str, tmp_path: Path) -> None:
    project = repository(tmp_path / "project")
    project.write(COMMAND, TEXTS[COMMAND].format("OLD"))
    project.commit("a command")
    with clients(version, tmp_path / "home", answer) as client:
        borrow_environment(client.home / ".claude" / "plugins" / "data" / "experiment-tracker-experiment-tracker")
        programs = programs_of(client, tmp_path / "programs")
        install, change, create, work, status, promote = lines()
        for line in (install, change, create):
            runs(client, project, line, programs)
        for _ in range(4):
            runs(client, project, work, programs)
        met = {mark for mark in ("OLD", "NEW") for each in client.model.work() if f"{mark} REVIEW of 12" in each.last}
        assert met == {"OLD", "NEW"}
        runs(client, project, status, programs)
        assert "2/2" in client.model.work()[-1].last
        assert "OLD" in project.read(COMMAND)
        runs(client, project, promote, programs)
    workspace = Workspace(project.root, door="test")
    (experiment,) = workspace.ledger.experiments()
    # Later clients ask a person before they let a model promote, and with -p there is none: then nothing happens.
    promoted = version == VERSIONS[0]
    assert (workspace.ledger.latest(experiment.id, Promotion) is not None) == promoted
    assert project.read(COMMAND) == TEXTS[COMMAND].format("NEW" if promoted else "OLD")
    assert project.git("status", "--porcelain", "--", ".claude") == ""
