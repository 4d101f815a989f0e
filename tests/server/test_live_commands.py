"""On the command line: everything served live is put back before the plugin goes."""

import pytest
from click.testing import CliRunner
from tests.support.live import COMMAND, SKILL, TEXTS, add_assets, started
from tests.support.project import Project

from experiment_tracker_server.group import group


def test_detach_puts_everything_back_and_pauses(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(add_assets(repo).root)
    workspace = repo.workspace()
    ids = [started(workspace, path).id for path in (COMMAND, SKILL)]
    done = CliRunner().invoke(group, ["detach"])
    assert (done.exit_code, done.output) == (0, f"detached and paused: {', '.join(ids)}\n")
    assert repo.read(SKILL) == TEXTS[SKILL].format("OLD")
    assert not (repo.root / ".claude" / "skills" / "review_pr").exists()
    assert {experiment.state for experiment in repo.workspace().ledger.experiments()} == {"paused"}
    assert CliRunner().invoke(group, ["detach"]).output == "nothing is served live\n"
    assert CliRunner().invoke(group, ["tend"]).output == "nothing to do\n"


def test_detach_tells_what_somebody_changed(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(add_assets(repo).root)
    started(repo.workspace(), SKILL)
    repo.write(SKILL, "my own words")
    done = CliRunner().invoke(group, ["detach"])
    assert done.exit_code == 1
    assert "was changed while it stood in" in done.output
    assert repo.read(SKILL) == "my own words"
