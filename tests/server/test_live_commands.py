"""On the command line: everything served live is put back before the plugin goes."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.live import COMMAND, SKILL, TEXTS, Session, add_assets, at_machine_time, started
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
    tended = CliRunner().invoke(group, ["tend"])
    assert tended.exit_code == 0
    assert "served" not in tended.output


def test_detach_tells_what_somebody_changed(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(add_assets(repo).root)
    started(repo.workspace(), SKILL)
    repo.write(SKILL, "my own words")
    done = CliRunner().invoke(group, ["detach"])
    assert done.exit_code == 1
    assert "was changed while it stood in" in done.output
    assert repo.read(SKILL) == "my own words"


def test_a_pass_of_the_watch_ends_what_is_past_its_time(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(add_assets(repo).root)
    repo.clock.now = repo.clock.now.replace(year=2025)
    experiment = started(repo.workspace(), COMMAND).id
    done = CliRunner().invoke(group, ["tend"])
    assert done.exit_code == 0, done.output
    assert f"{experiment} is no longer served: its time is over" in done.output
    assert not (repo.root / ".claude" / "skills" / "review_pr").exists()
    assert repo.workspace().ledger.experiment(experiment).state != "running"


def test_a_pass_of_the_watch_leaves_what_runs_as_it_is(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(add_assets(repo).root)
    experiment = started(at_machine_time(repo).workspace(), COMMAND).id
    for _ in range(2):
        done = CliRunner().invoke(group, ["tend"])
        assert done.exit_code == 0, done.output
    assert repo.workspace().ledger.experiment(experiment).state == "running"
    assert (repo.root / ".claude" / "skills" / "review_pr" / "SKILL.md").exists()


def test_the_plugins_hook_starts_the_watch_detached_and_seldom(repo: Project, tmp_path: Path) -> None:
    add_assets(repo)
    started(at_machine_time(repo).workspace(), COMMAND)
    program = tmp_path / "data" / "current" / "bin" / "experiment-tracker"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\necho "$1" >> "{tmp_path}/calls"\n')
    program.chmod(0o700)
    for name in ("one", "two"):
        Session(repo.root, name).tells(
            "SessionStart", source="startup", environment={"CLAUDE_PLUGIN_DATA": str(tmp_path / "data")}
        )
    until(lambda: (tmp_path / "calls").exists() and (tmp_path / "calls").read_text(), "the watch")
    assert (tmp_path / "calls").read_text() == "tend\n"


def until(holds: Callable[[], object], what: str) -> None:
    """Wait for a process that nobody waits for."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
