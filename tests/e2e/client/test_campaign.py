"""Forty sessions of a working fortnight, every way of using an asset, and everything still adds up at the end."""

from pathlib import Path

import pytest
from tests.e2e.client import checks
from tests.e2e.client.assets import SECRET, answer
from tests.e2e.client.client import VERSIONS, clients, until
from tests.e2e.client.terminal import terminal
from tests.support.live import TEXTS, add_assets, started
from tests.support.project import repository

from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.workspace import Workspace

PROMPTS = (f"/review_pr 12 {SECRET}", f"/tidy {SECRET}", "use the command", "use the skill", "use the agent")
IN_TERMINALS = 4
EACH = 20


@pytest.mark.campaign
@pytest.mark.parametrize("version", VERSIONS)
def test_twenty_sessions_of_each_client_add_up(version: str, tmp_path: Path) -> None:
    project = add_assets(repository(tmp_path / "project"))
    tree = tmp_path / "linked"
    project.git("worktree", "add", "-q", "--detach", str(tree))
    workspace = Workspace(project.root, door="test")
    experiments = [started(workspace, path) for path in TEXTS]
    folders = (project.root, project.root / "sub dir", tree)
    with clients(version, tmp_path / "home", answer) as client:
        sessions = [
            client.says(PROMPTS[n % len(PROMPTS)], cwd=folders[n % len(folders)]).session
            for n in range(EACH - IN_TERMINALS)
        ]
        for n in range(IN_TERMINALS):
            before = len(client.model.work())
            with terminal(client, folders[n % len(folders)]) as shown:
                shown.types(PROMPTS[n])
                until(lambda: "done" in shown.screen, "the answer on the screen")
                shown.leaves()
            sessions.append(client.model.work()[before].session)
        assert len(set(sessions)) == EACH
        for session in sessions:
            assert checks.variants_met(client.model, session) == checks.assigned(project, session) != []
        checks.check_ledger(project, experiments)
        for n, session in enumerate(sessions):
            if PROMPTS[n % len(PROMPTS)] != "use the agent" or n >= EACH - IN_TERMINALS:
                checks.check_tokens(project, experiments, client.model, session)
    shares = [
        [entry.content.variant for entry in workspace.ledger.journal(experiment.id).exposures].count("control")
        for experiment in experiments
    ]
    units = [len(workspace.ledger.journal(experiment.id).exposures) for experiment in experiments]
    assert all(abs(2 * control - n) <= 1 for control, n in zip(shares, units, strict=True))
    for experiment in experiments:
        transition_experiment(workspace, experiment=experiment.id, action="stop")
    checks.check_untouched(project, {path: text.format("OLD").encode() for path, text in TEXTS.items()})
