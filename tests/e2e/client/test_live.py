"""Live experiments in the real client: served as assigned, measured as scripted, control whenever anything fails."""

import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.e2e.client import checks
from tests.e2e.client.assets import SECRET, answer
from tests.e2e.client.client import VERSIONS, Client, clients
from tests.e2e.client.ways import escaped, killed
from tests.support.live import AGENT, COMMAND, SKILL, TEXTS, add_assets, started
from tests.support.project import Project, repository

from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.workspace import Workspace

OLD = {path: text.format("OLD").encode() for path, text in TEXTS.items()}


# Every client is held to all of it by `make e2e`; the pinned one also by `make e2e-smoke`.
LATER = [pytest.param(version, marks=pytest.mark.campaign) for version in VERSIONS[1:]]


@pytest.fixture(params=[VERSIONS[0], *LATER])
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Client]:
    with clients(request.param, tmp_path / "home", answer) as found:
        # The campaign runs with it.
        found.server = False
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return add_assets(repository(tmp_path / "project"))


@pytest.fixture
def experiments(project: Project) -> list[Experiment]:
    return [started(Workspace(project.root, door="test"), path) for path in TEXTS]


def stop(project: Project, experiments: list[Experiment]) -> None:
    for experiment in experiments:
        transition_experiment(Workspace(project.root, door="test"), experiment=experiment.id, action="stop")


PROMPTS = (f"/review_pr 12 {SECRET}", "/tidy 3", "use the command", "use the skill", "use the agent")
CAMPAIGN = pytest.mark.campaign


@pytest.mark.parametrize("folders", [(".", "sub dir"), pytest.param(("sub dir", "."), marks=CAMPAIGN)], ids=str)
def test_headless_typed_and_model_invoked_meet_what_was_assigned(
    client: Client, project: Project, experiments: list[Experiment], folders: tuple[str, str]
) -> None:
    for n, prompt in enumerate(PROMPTS):
        session = client.says(prompt, cwd=project.root / folders[n % 2]).session
        assert checks.variants_met(client.model, session) == checks.assigned(project, session) != []
        checks.check_tokens(project, experiments, client.model, session)
    checks.check_ledger(project, experiments)
    stop(project, experiments)
    checks.check_untouched(project, OLD)


def test_in_a_terminal_a_run_is_served_and_escape_cuts_it_short(
    client: Client, project: Project, experiments: list[Experiment]
) -> None:
    session = escaped(client, project.root)
    assert checks.variants_met(client.model, session) == checks.assigned(project, session)
    checks.check_ledger(project, experiments, cut_short=1)
    stop(project, experiments)
    checks.check_untouched(project, OLD)


@pytest.mark.parametrize("transcript", ["as it is", pytest.param("never written", marks=CAMPAIGN)])
def test_a_client_that_is_killed_leaves_a_run_that_was_cut_short(
    client: Client, project: Project, experiments: list[Experiment], transcript: str
) -> None:
    session = killed(client, project.root)
    if transcript == "never written":
        for file in (client.home / ".claude" / "projects").rglob(f"{session}.jsonl"):
            file.unlink()
    checks.check_ledger(project, experiments, cut_short=1)
    client.says("/tidy 3", cwd=project.root)
    assert not [path for path in (project.root / ".claude").rglob("review_pr.md") if "serve" in str(path)]


def test_a_linked_work_tree_is_served_and_a_new_one_gets_control(
    client: Client, project: Project, tmp_path: Path
) -> None:
    tree = tmp_path / "linked"
    project.git("worktree", "add", "-q", "--detach", str(tree))
    found = [started(Workspace(project.root, door="test"), path) for path in (COMMAND, SKILL, AGENT)]
    for prompt in ("/review_pr 12", "/tidy 3", "use the agent"):
        session = client.says(prompt, cwd=tree).session
        assert checks.variants_met(client.model, session) == checks.assigned(project, session) != []
    fresh = client.says("/review_pr 12", cwd=project.root, arguments=("-w", "fresh")).session
    assert checks.assigned(project, fresh) == []
    assert checks.variants_met(client.model, fresh) == ["control"]
    checks.check_ledger(project, found)
    stop(project, found)
    checks.check_untouched(project, OLD)
    assert checks.claude_files(tree) == OLD


def test_without_the_plugin_control_is_served_until_the_printed_command_is_run(
    client: Client, project: Project, experiments: list[Experiment]
) -> None:
    client.says("/review_pr 12", cwd=project.root)
    client.plugin = False
    for prompt in ("/review_pr 12", "/tidy 3", "use the command", "use the agent"):
        session = client.says(prompt, cwd=project.root).session
        assert checks.variants_met(client.model, session) == ["control"]
        assert checks.assigned(project, session) == []
    below = client.says("/review_pr 12", cwd=project.root / "sub dir").session
    lines = [line for request in client.model.work(below) for line in request.last.splitlines()]
    spoken = "Read .claude/commands/review_pr.md at the top of the repository and follow it."
    assert [line for line in lines if "REVIEW of" in line or line == spoken] == [spoken]
    agents = sorted((project.root / ".claude" / "agents").glob("reviewer--*.md"))
    for stub in (project.root / ".claude/skills/review_pr/SKILL.md", project.root / SKILL, *agents):
        checks.run_at_top(project, checks.printed_command(stub))
    checks.check_untouched(project, OLD)
    session = client.says("/tidy 3", cwd=project.root).session
    assert checks.variants_met(client.model, session) == ["control"]


def test_a_pause_reaches_the_sessions_that_run(client: Client, project: Project, experiments: list[Experiment]) -> None:
    with client.process(project.root) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for turn in range(2):
            process.stdin.write('{"type":"user","message":{"role":"user","content":"/review_pr 12"}}\n')
            process.stdin.flush()
            until_result(process)
            if turn == 0:
                transition_experiment(
                    Workspace(project.root, door="test"), experiment=experiments[0].id, action="pause"
                )
        process.stdin.close()
        process.wait(60)
    (session,) = {request.session for request in client.model.work()}
    assert len(checks.assigned(project, session)) == 1
    assert checks.variants_met(client.model, session)[1] == "control"


def until_result(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if '"type":"result"' in line:
            return
    raise AssertionError("the client ended without a result")


@pytest.mark.parametrize(
    "fault", ["damaged file", *(pytest.param(name, marks=CAMPAIGN) for name in ("no notes", "no spool"))]
)
def test_when_the_hook_fails_control_is_served_and_nothing_is_logged(
    client: Client, project: Project, experiments: list[Experiment], fault: str, tmp_path: Path
) -> None:
    if fault == "no notes":
        (project.root / ".experiments" / "live" / "sessions").write_text("a file")
    elif fault == "damaged file":
        for file in (project.root / ".experiments" / "live").glob("exp-*.json"):
            file.write_text("{")
    else:
        (project.root / ".experiments" / "spool").write_text("a file")
    session = client.says("/review_pr 12", cwd=project.root).session
    assert checks.variants_met(client.model, session) == ["control"]


@CAMPAIGN
def test_runs_that_the_plan_does_not_take_meet_control_and_are_counted(client: Client, project: Project) -> None:
    """`claude -p` tells no model before its first answer; its second run has one."""
    taking = {"branch": "main", "arguments": "1? *", "model": "claude-*"}
    workspace = Workspace(project.root, door="test")
    experiment = started(workspace, COMMAND, options={"eligibility": taking}, per="invocation")
    words = ("/review_pr 12 a", "/review_pr 13 b", "/review_pr 99 c")
    session = client.says(*words, cwd=project.root).session
    assert len(checks.assigned(project, session)) == 1
    project.git("switch", "-q", "-c", "side")
    assert checks.assigned(project, client.says("/review_pr 12 a", cwd=project.root).session) == []
    catch_up(workspace)
    assert workspace.ledger.statistics(experiment.id).outside == {"model unknown": 1, "arguments": 1, "branch": 1}
    (trial,) = workspace.ledger.journal(experiment.id).trials
    assert trial.content.attributes["served"] == "as assigned"
