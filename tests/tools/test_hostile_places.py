"""Places that are not a tidy repository: no git, no commit, a store that cannot be written or read."""

from pathlib import Path

import pytest
from tests.support import project
from tests.support.agent import Agent, agent
from tests.support.plans import FILES, designed, plan, shipped, started, times
from tests.support.project import Project

from experiment_tracker_tools.status import status


def test_outside_of_a_repository_a_files_subject_is_planned_and_told(at_plain: Agent) -> None:
    told = at_plain.call("design_experiment", **plan(**FILES))
    assert "This is not a git repository: promote and rollback will refuse." in told["advice"]
    assert "files" not in told


def test_without_git_on_the_path_everything_but_files_works(
    repo: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with agent(repo.workspace()) as connected:
        told = connected.refusal("design_experiment", **plan(**FILES))
        assert "git" in told.lower()
        experiment = started(connected)
        connected.call("assign_unit", experiment=experiment, unit="u")
        connected.call("record_trial", experiment=experiment, trials=times())
        assert connected.call("decide", experiment=experiment)["verdict"] == "SHIP"
        assert "no files in git" in connected.refusal("promote", experiment=experiment)


def test_git_that_goes_missing_before_the_promotion_is_told(repo: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with agent(repo.workspace()) as connected:
        experiment = shipped(connected)
        before = repo.picture()
        with monkeypatch.context() as broken:
            broken.setenv("PATH", str(repo.root / "nowhere"))
            assert "git" in connected.refusal("promote", experiment=experiment).lower()
        assert repo.picture() == before


def test_before_the_first_commit_there_is_no_control_of_files(tmp_path: Path) -> None:
    fresh = project.unborn(tmp_path / "fresh")
    fresh.write("app/run.py", "x")
    with agent(fresh.workspace()) as connected:
        edits = [{"name": "control"}, {"name": "treatment", "source": "working-tree"}]
        told = connected.refusal("design_experiment", **plan(**{**FILES, "variants": edits}))
        assert "no commit yet" in told
        assert started(connected)


def test_a_detached_head_is_no_hindrance_before_the_promotion(repo: Project) -> None:
    repo.git("switch", "-q", "--detach")
    with agent(repo.workspace()) as connected:
        assert shipped(connected)


def test_a_store_that_cannot_be_made_is_told_by_every_write(repo: Project) -> None:
    (repo.root / ".experiments").write_text("in the way")
    with agent(repo.workspace()) as connected:
        told = connected.refusal("design_experiment", **plan())
        assert "Cannot make the store .experiments" in told
        assert "Nothing was recorded" in told
    assert (repo.root / ".experiments").read_text() == "in the way"


def test_a_journal_that_cannot_be_written_says_so_and_is_used_again_once_it_can(repo: Project, at_repo: Agent) -> None:
    """Root may write whatever chmod says; a folder in the journal's place keeps even root out."""
    experiment = started(at_repo)
    journal = repo.root / ".experiments" / experiment / "journal.jsonl"
    kept = journal.rename(repo.root / "kept")
    journal.mkdir()
    for tool, arguments in (("record_trial", {"trials": times(1)}), ("assign_unit", {"unit": "u"}), ("analyze", {})):
        told = at_repo.refusal(tool, experiment=experiment, **arguments)
        assert "Cannot read journal.jsonl" in told
        assert "Mend it" in told
    journal.rmdir()
    kept.rename(journal)
    assert at_repo.call("record_trial", experiment=experiment, trials=times(1))["recorded"] == {"trials": 2}


def test_the_store_ignores_itself_and_keeps_what_a_team_shares(repo: Project, at_repo: Agent) -> None:
    experiment = designed(at_repo)
    (repo.root / ".experiments" / "config.toml").write_text("power = 0.9\n")
    repo.git("add", "-A")
    staged = repo.git("diff", "--cached", "--name-only").splitlines()
    document = f".experiments/{experiment}/experiment.md"
    assert staged == [".experiments/.gitignore", ".experiments/config.toml", document]


def test_a_linked_worktree_works_on_the_store_of_the_main_one(repo: Project, at_repo: Agent) -> None:
    linked = repo.root.parent / "linked"
    repo.git("worktree", "add", "-q", "-b", "side", str(linked))
    experiment = started(at_repo)
    there = Project(linked, repo.clock)
    with agent(there.workspace()) as connected:
        assert connected.call("status")["active"][0]["experiment"] == experiment
        assert designed(connected).endswith("-002")
    assert not (linked / ".experiments").exists()


def test_a_folder_below_finds_the_store_above(plain: Project, at_plain: Agent) -> None:
    experiment = started(at_plain)
    below = plain.root / "a" / "b"
    below.mkdir(parents=True)
    assert status(Project(below, plain.clock).workspace()).active[0].experiment == experiment
