"""Stubs stand in for an asset while it is served live, and everything is as it was afterwards, byte for byte."""

import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.support.live import AGENT, COMMAND, SKILL, TEXTS, add_assets, planned, started
from tests.support.project import Project

from experiment_tracker_tools.conduct.live.serving import attached, detach, tend
from experiment_tracker_tools.core.errors import Conflict, GitRefused, IllegalStep, InvalidInput
from experiment_tracker_tools.lifecycle import Action, transition_experiment

STAND_INS = {
    COMMAND: ".claude/skills/review_pr/SKILL.md",
    SKILL: SKILL,
    AGENT: ".claude/agents/reviewer--{}-treatment.md",
}


@pytest.fixture
def project(repo: Project) -> Project:
    found = add_assets(repo)
    # The store is there from the first plan on, and its own .gitignore is the user's to commit.
    found.workspace().make_ready()
    (found.root / ".git" / "info").mkdir(exist_ok=True)
    (found.root / ".git" / "info" / "exclude").write_text("mine\n.experiments/\n")
    return found


def claude_files(root: Path) -> dict[str, tuple[bytes, int]]:
    found = [path for path in sorted((root / ".claude").rglob("*")) if path.is_file()]
    return {str(path.relative_to(root)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) for path in found}


@pytest.mark.parametrize("path", list(TEXTS))
def test_a_start_puts_a_stub_in_place_that_git_does_not_see(project: Project, path: str) -> None:
    experiment = started(project.workspace(), path)
    stand_in = project.root / STAND_INS[path].format(experiment.id)
    assert stand_in.exists()
    assert project.git("status", "--porcelain") == ""
    text = stand_in.read_text("utf-8")
    assert "name: " in text
    if path != AGENT:
        assert "description: " in text
        assert 'cat "${CLAUDE_PROJECT_DIR}/.claude/.experiment-serve/${CLAUDE_SESSION_ID}/' in text


@pytest.mark.parametrize("path", list(TEXTS))
@pytest.mark.parametrize("action", ["pause", "stop"])
def test_pause_and_stop_put_everything_back_byte_for_byte(project: Project, path: str, action: Action) -> None:
    (project.root / path).chmod(0o600)
    before = claude_files(project.root)
    workspace = project.workspace()
    experiment = started(workspace, path)
    assert claude_files(project.root) != before
    transition_experiment(workspace, experiment=experiment.id, action=action)
    assert claude_files(project.root) == before
    assert project.git("status", "--porcelain") == ""
    assert project.git("ls-files", "-v", path).startswith("H ")
    assert (project.root / ".git" / "info" / "exclude").read_text() == "mine\n.experiments/\n"
    if action == "pause":
        transition_experiment(workspace, experiment=experiment.id, action="resume")
        assert claude_files(project.root) != before


def test_the_stub_of_a_skill_can_not_be_committed(project: Project) -> None:
    original = project.git("rev-parse", f"HEAD:{SKILL}")
    started(project.workspace(), SKILL)
    project.write("notes.txt", "more\n")
    subprocess.run(["git", "add", SKILL], cwd=project.root, check=False, capture_output=True)
    project.git("add", "-A")
    project.git("commit", "-q", "-a", "-m", "work")
    subprocess.run(["git", "commit", "-q", "-m", "x", "--", SKILL], cwd=project.root, check=False, capture_output=True)
    assert project.git("rev-parse", f"HEAD:{SKILL}") == original


def test_every_work_tree_whose_asset_is_controls_takes_the_stub(project: Project, tmp_path: Path) -> None:
    same, other = tmp_path / "same tree", tmp_path / "other"
    project.git("worktree", "add", "-q", "--detach", str(same), "main")
    project.git("worktree", "add", "-q", "--detach", str(other), "new")
    before = claude_files(same)
    workspace = project.workspace()
    for path in (COMMAND, SKILL):
        experiment = started(workspace, path)
        assert STAND_INS[path] in claude_files(same)
        assert claude_files(other).keys() == before.keys()
        status = subprocess.run(["git", "status", "--porcelain"], cwd=same, capture_output=True, check=True)
        assert status.stdout == b""
        transition_experiment(workspace, experiment=experiment.id, action="stop")
        assert claude_files(same) == before


def test_what_somebody_made_of_a_stub_is_never_thrown_away(project: Project) -> None:
    workspace = project.workspace()
    experiment = started(workspace, SKILL)
    (project.root / SKILL).write_text("my own words")
    left = detach(workspace, experiment.id, forget=True)
    assert "was changed while it stood in" in left[0]
    assert (project.root / SKILL).read_text() == "my own words"
    kept = next((workspace.folder / "live" / experiment.id / "originals").iterdir())
    assert kept.read_text() == TEXTS[SKILL].format("OLD")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p: p.write(".claude/skills/review_pr/SKILL.md", "mine"), "exists already and would hide"),
        (lambda p: p.write(COMMAND, "changed"), "not as it was captured for control"),
    ],
)
def test_what_is_in_the_way_refuses_the_start_and_leaves_nothing(project: Project, change, told: str) -> None:  # type: ignore[no-untyped-def]
    workspace = project.workspace()
    experiment = planned(workspace, COMMAND).experiment
    change(project)
    before = claude_files(project.root)
    with pytest.raises(GitRefused, match=told):
        transition_experiment(workspace, experiment=experiment, action="start")
    assert claude_files(project.root) == before
    assert workspace.ledger.experiment(experiment).state == "paused"
    assert attached(workspace) == ()


def test_a_symbolic_link_on_the_way_is_refused(project: Project, tmp_path: Path) -> None:
    workspace = project.workspace()
    experiment = planned(workspace, COMMAND).experiment
    skills = project.root / ".claude" / "skills"
    subprocess.run(["mv", str(skills), str(tmp_path / "elsewhere")], check=True)
    skills.symlink_to(tmp_path / "elsewhere")
    with pytest.raises((GitRefused, InvalidInput)):
        transition_experiment(workspace, experiment=experiment, action="start")
    assert not (tmp_path / "elsewhere" / "review_pr").exists()


def test_one_asset_serves_one_experiment_at_a_time(project: Project) -> None:
    workspace = project.workspace()
    first = started(workspace, COMMAND)
    second = planned(workspace, COMMAND).experiment
    with pytest.raises(Conflict, match=f"{first.id} is running on the same file"):
        transition_experiment(workspace, experiment=second, action="start")
    beside = planned(workspace, COMMAND, options={"factorial": True}).experiment
    with pytest.raises(IllegalStep, match=f"{first.id} already serves command review_pr"):
        transition_experiment(workspace, experiment=beside, action="start")


def test_two_that_cannot_meet_by_model_still_want_the_same_stub_and_collide(project: Project) -> None:
    workspace = project.workspace()
    first = started(workspace, COMMAND, options={"eligibility": {"model": "opus"}})
    second = planned(workspace, COMMAND, options={"eligibility": {"model": "sonnet"}}).experiment
    with pytest.raises(Conflict, match=f"{first.id} is running on the same file"):
        transition_experiment(workspace, experiment=second, action="start")


def test_what_is_over_is_no_longer_served_after_the_next_look(project: Project) -> None:
    workspace = project.workspace()
    before = claude_files(project.root)
    experiment = started(workspace, COMMAND)
    assert tend(workspace) == ()
    project.clock.move(days=15)
    assert tend(workspace) == (f"{experiment.id} is no longer served: its time is over",)
    assert claude_files(project.root) == before
    assert tend(workspace) == ()


@pytest.mark.parametrize(
    ("path", "new", "told"),
    [
        (COMMAND, "---\ndescription: Other\nmodel: haiku\n---\nNEW\n", "frontmatter of 'treatment' differs"),
        (COMMAND, TEXTS[COMMAND].format("!`git diff` NEW"), "runs shell commands"),
        (COMMAND, TEXTS[COMMAND].format("x" * 31_000), "can be served live"),
        (SKILL, TEXTS[SKILL].replace("name: tidy", "name: other").format("NEW"), "frontmatter of 'treatment' differs"),
    ],
)
def test_a_variant_that_cannot_be_served_is_refused_when_it_is_planned(
    project: Project, path: str, new: str, told: str
) -> None:
    project.git("switch", "-q", "new")
    project.write(path, new)
    project.commit("another")
    project.git("switch", "-q", "main")
    with pytest.raises(InvalidInput, match=told):
        planned(project.workspace(), path)
    assert project.workspace().ledger.experiments() == ()


@pytest.mark.parametrize(
    ("path", "live", "told"),
    [
        ("notes.txt", {}, "cannot be served live"),
        (".claude/commands/git/deep.md", {}, "cannot be served live"),
        (COMMAND, {"per": "call"}, "Possible: session, invocation or day"),
        (AGENT, {"per": "session"}, "Possible: call or day"),
        (COMMAND, {"asset": SKILL}, "changes exactly one file"),
    ],
)
def test_a_plan_that_does_not_fit_is_refused(project: Project, path: str, live: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        planned(project.workspace(), path, **live) if path in TEXTS else planned_elsewhere(project, path)


def planned_elsewhere(project: Project, path: str) -> None:
    project.git("switch", "-q", "new")
    project.write(path, "new\n")
    project.commit("another")
    project.git("switch", "-q", "main")
    planned(project.workspace(), path)


def test_days_that_can_not_reject_are_refused(project: Project) -> None:
    with pytest.raises(InvalidInput, match="By day, 8 days are 4 units a variant, and the plan needs 5"):
        planned(project.workspace(), COMMAND, runtime_days=8.0, per="day")


def test_success_guards_a_live_plan_and_units_come_in_blocks(project: Project) -> None:
    done = planned(project.workspace(), COMMAND)
    assert done.guardrails == ("success",)
    assert done.settings["scheme"].startswith("blocks")
    assert any("run it on branches first" in note for note in done.advice)
