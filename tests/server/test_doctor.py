"""What doctor finds: each thing ok, or with how to mend it."""

import json

import pytest
from click.testing import CliRunner
from tests.support.agent import Agent
from tests.support.live import COMMAND, add_assets
from tests.support.live import started as live_started
from tests.support.plans import designed, started, times
from tests.support.project import Project

from experiment_tracker_server.doctor import examine, mend
from experiment_tracker_server.findings import Finding
from experiment_tracker_server.group import group
from experiment_tracker_tools.analyze import analyze
from experiment_tracker_tools.conduct.sharing import share
from experiment_tracker_tools.core.errors import StoreFailure


def found(project: Project) -> dict[str, Finding]:
    return {finding.what: finding for finding in examine(project.workspace())}


def test_a_tidy_project_is_in_order(repo: Project, at_repo: Agent) -> None:
    assert found(repo)["store"].told.startswith("none yet")
    assert not (repo.root / ".experiments").exists()
    designed(at_repo)
    findings = found(repo)
    assert set(findings) == {
        *("python", "packages", "store", "store and git", "config.toml", "switch", "git", "repository", "plugin")
    }
    assert all(finding.ok for finding in findings.values())
    assert findings["store"].told.startswith("1 experiments")
    assert "mcp 2." in findings["packages"].told


def test_a_damaged_journal_is_named_and_nothing_is_analysed_from_the_rest(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(3))
    at_repo.call("record_trial", experiment=experiment, exposures=[{"unit": "u", "variant": "control"}])
    assert at_repo.call("analyze", experiment=experiment)["standing"] == "interim"
    journal = next((repo.root / ".experiments" / experiment).glob("*.jsonl"))
    journal.write_bytes(journal.read_bytes().replace(b'"time":1', b'"time":9', 1))
    assert found(repo)["store"].ok is False
    assert experiment in found(repo)["store"].told
    with pytest.raises(StoreFailure, match="is damaged; nothing is analysed"):
        analyze(repo.workspace(), experiment=experiment)


def test_a_store_that_git_tracks_is_told_with_the_mend(repo: Project, at_repo: Agent) -> None:
    experiment = designed(at_repo)
    repo.git("add", ".experiments")
    assert found(repo)["store and git"].ok
    repo.git("add", "-f", f".experiments/{experiment}/journal.jsonl")
    assert found(repo)["store and git"].ok is False
    assert "git rm -r --cached .experiments" in found(repo)["store and git"].told


def test_it_warns_as_long_as_git_clean_would_delete_what_nobody_else_has(repo: Project, at_repo: Agent) -> None:
    designed(at_repo)
    assert "Beware: `git clean -x` would delete it" in found(repo)["store and git"].told
    share(repo.workspace())
    assert "Beware" not in found(repo)["store and git"].told
    repo.git("clean", "-fdxq", ".experiments")
    assert not list((repo.root / ".experiments").glob("exp-*"))


def test_a_configuration_that_does_not_parse_comes_with_its_mend(repo: Project) -> None:
    (repo.root / ".experiments").mkdir()
    (repo.root / ".experiments" / "config.toml").write_text("power = ")
    assert found(repo)["config.toml"].ok is False
    assert "not valid TOML" in found(repo)["config.toml"].told


def test_a_switched_off_project_says_so(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPERIMENT_TRACKER", "off")
    assert found(repo)["switch"] == Finding("switch", ok=False, told="OFF: the environment says EXPERIMENT_TRACKER=off")


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([("switch", "-q", "--detach")], "HEAD is detached"),
        ([("switch", "-q", "--orphan", "empty")], "has no commit yet"),
    ],
)
def test_a_repository_that_takes_no_commit_comes_with_its_mend(
    repo: Project, steps: list[tuple[str, ...]], told: str
) -> None:
    for step in steps:
        repo.git(*step)
    assert found(repo)["repository"].ok is False
    assert told in found(repo)["repository"].told


def test_without_a_repository_or_git_it_says_what_works(plain: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "everything but promote and rollback works" in found(plain)["git"].told
    monkeypatch.setenv("PATH", str(plain.root))
    assert found(plain)["git"].ok is False


@pytest.mark.parametrize("broken", [False, True])
def test_the_command_tells_by_its_status_whether_all_is_well(
    repo: Project, broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.root)
    if broken:
        repo.git("switch", "-q", "--detach")
    done = CliRunner().invoke(group, ["doctor"])
    assert done.exit_code == int(broken)
    assert ("MEND  repository: HEAD is detached" in done.stdout) is broken
    in_json = json.loads(CliRunner().invoke(group, ["doctor", "--json"]).stdout)
    assert all(finding["ok"] for finding in in_json) is not broken


def test_what_is_served_live_is_told_and_mended_when_its_time_is_over(repo: Project) -> None:
    add_assets(repo)
    experiment = live_started(repo.workspace(), COMMAND)
    assert found(repo)["live"] == Finding(
        "live", ok=True, told=f"serves {experiment.id}; `experiment-tracker detach` ends it"
    )
    stub = repo.root / ".claude" / "skills" / "review_pr" / "SKILL.md"
    text = stub.read_text("utf-8")
    stub.write_text("mine")
    assert found(repo)["live"].ok is False
    stub.write_text(text)
    repo.clock.move(days=15)
    assert [each.told for each in mend(repo.workspace())] == [f"{experiment.id} is no longer served: its time is over"]
    assert not stub.exists()
    assert "live" not in found(repo)
