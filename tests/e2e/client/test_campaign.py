"""Forty sessions of a working fortnight, every way of using an asset, and everything still adds up at the end."""

from pathlib import Path

import pytest
from tests.e2e.client import checks
from tests.e2e.client.assets import SECRET, answer
from tests.e2e.client.client import VERSIONS, clients
from tests.e2e.client.ways import escaped, killed, typed
from tests.support.live import SKILL, TEXTS, add_assets, started
from tests.support.project import repository

from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.workspace import Workspace

PROMPTS = (f"/review_pr 12 {SECRET}", f"/tidy {SECRET}", "use the command", "use the skill", "use the agent")
IN_TERMINALS = 4
SESSIONS = dict(zip(VERSIONS, (40, 20), strict=True))
OLD = {path: text.format("OLD").encode() for path, text in TEXTS.items()}


@pytest.mark.campaign
@pytest.mark.parametrize("version", VERSIONS)
def test_many_sessions_add_up_however_they_go(version: str, tmp_path: Path) -> None:
    project = add_assets(repository(tmp_path / "project"))
    tree = tmp_path / "linked"
    project.git("worktree", "add", "-q", "--detach", str(tree))
    workspace = Workspace(project.root, door="test")
    experiments = [started(workspace, path) for path in TEXTS]
    folders = (project.root, project.root / "sub dir", tree)
    with clients(version, tmp_path / "home", answer) as client:
        sessions: list[str] = []
        for n in range(SESSIONS[version]):
            folder, prompt = folders[n % len(folders)], PROMPTS[n % len(PROMPTS)]
            headless = n < SESSIONS[version] - IN_TERMINALS
            session = client.says(prompt, cwd=folder).session if headless else typed(client, folder, prompt)
            assert checks.variants_met(client.model, session) == checks.assigned(project, session) != []
            checks.check_tokens(project, experiments, client.model, session)
            sessions.append(session)
        assert len(set(sessions)) == SESSIONS[version]
        checks.check_ledger(project, experiments)
        for session in (escaped(client, project.root), killed(client, project.root / "sub dir")):
            assert checks.variants_met(client.model, session) == checks.assigned(project, session) != []
        checks.check_ledger(project, experiments, cut_short=2)
        check_blocks(workspace, experiments)
        client.plugin = False
        for prompt in PROMPTS:
            session = client.says(prompt, cwd=project.root).session
            assert checks.variants_met(client.model, session) == ["control"]
            assert checks.assigned(project, session) == []
    stubs = [project.root / ".claude/skills/review_pr/SKILL.md", project.root / SKILL]
    for stub in (*stubs, *(project.root / ".claude" / "agents").glob("reviewer--*.md")):
        checks.run_at_top(project, checks.printed_command(stub))
    checks.check_untouched(project, OLD)
    checks.check_ledger(project, experiments, cut_short=2)
    for experiment in experiments:
        transition_experiment(workspace, experiment=experiment.id, action="stop")
    checks.check_untouched(project, OLD)
    assert checks.claude_files(tree) == OLD


def check_blocks(workspace: Workspace, experiments: list[Experiment]) -> None:
    """Permuted blocks of two: as many of one variant as of the other, but for a block that goes on."""
    for experiment in experiments:
        met = [entry.content.variant for entry in workspace.ledger.journal(experiment.id).exposures]
        assert abs(2 * met.count("control") - len(met)) <= 1
