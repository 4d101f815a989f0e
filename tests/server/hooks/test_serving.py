"""Hooks assign, log first, and serve: started by path in a bare Python, as the client starts them."""

import ast
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.live import (
    AGENT,
    COMMAND,
    HOOK,
    MARKS,
    SKILL,
    Session,
    add_assets,
    at_machine_time,
    spool_lines,
    started,
)
from tests.support.project import Project

from experiment_tracker_tools.core.errors import SwitchedOff
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.workspace.switch import switch

CHECKOUT = HOOK.parents[3]
SHARED = sorted((CHECKOUT / "tools" / "experiment_tracker_tools" / "assignment").glob("*.py"))


@pytest.fixture
def project(repo: Project) -> Project:
    return add_assets(repo)


@pytest.fixture
def session(project: Project) -> Session:
    return Session(project.root)


def variant_in(text: str | None) -> str | None:
    return next((name for name, mark in MARKS.items() if text is not None and text.startswith(mark)), None)


@pytest.mark.parametrize("path", [*HOOK.parent.glob("*.py"), *SHARED], ids=lambda path: path.name)
def test_what_hooks_run_is_python_of_3_9(path: Path) -> None:
    ast.parse(path.read_text("utf-8"), feature_version=(3, 9))


def test_without_a_live_experiment_a_hook_leaves_no_trace(project: Project, session: Session) -> None:
    before = sorted(project.root.rglob("*"))
    assert session.begins() is None
    assert session.types("review_pr", "12") is None
    assert sorted(project.root.rglob("*")) == before


def test_a_typed_command_is_served_the_variant_that_was_logged_before(project: Project, session: Session) -> None:
    experiment = started(at_machine_time(project).workspace(), COMMAND)
    session.begins()
    text = session.types("review_pr", "12 'two words'")
    variant = variant_in(text)
    assert text == f"{MARKS[str(variant)]} REVIEW of 12, all: 12 'two words'.\n"
    (line,) = spool_lines(project)
    assert (line["experiment"], line["exposure"]["variant"]) == (experiment.id, variant)
    assert line["exposure"]["propensity"] == 0.5
    assert "two words" not in json.dumps(line)


def test_a_session_keeps_its_variant_and_its_unit_is_exposed_once(project: Project, session: Session) -> None:
    workspace = at_machine_time(project).workspace()
    experiment = started(workspace, COMMAND)
    session.begins()
    seen = {variant_in(session.types("review_pr", str(n))) for n in range(3)} | {variant_in(session.calls("review_pr"))}
    workspace.ledger.take_in_spools()
    (exposure,) = workspace.ledger.journal(experiment.id).exposures
    assert seen == {exposure.content.variant}
    assert len(spool_lines(project)) == 4


def test_sessions_take_the_places_of_permuted_blocks_even_at_once(project: Project) -> None:
    workspace = at_machine_time(project).workspace()
    experiment = started(workspace, COMMAND)
    sessions = [Session(project.root, f"session-{n}") for n in range(8)]
    for each in sessions:
        each.begins()
    programs = []
    for each in sessions:
        event = {"hook_event_name": "UserPromptExpansion", "session_id": each.name, "command_name": "review_pr"}
        told = json.dumps({**event, "prompt_id": "p", "cwd": str(project.root)})
        command = ["sh", "-c", 'printf %s "$2" | "$0" -IS "$1"', shutil.which("python3") or "", str(HOOK), told]
        environment = {"CLAUDE_PROJECT_DIR": str(project.root)}
        programs.append(subprocess.Popen(command, env=environment))
    assert [program.wait(60) for program in programs] == [0] * 8
    workspace.ledger.take_in_spools()
    exposures = [entry.content for entry in workspace.ledger.journal(experiment.id).exposures]
    assert sorted(str(each.slot) for each in exposures) == [str(n) for n in range(8)]
    assert sorted(each.variant for each in exposures) == ["control"] * 4 + ["treatment"] * 4


def test_by_invocation_each_prompt_is_a_unit_and_by_day_each_day(project: Project, session: Session) -> None:
    workspace = at_machine_time(project).workspace()
    started(workspace, COMMAND, per="invocation")
    started(workspace, SKILL, per="day")
    session.begins()
    for n in range(4):
        session.types("review_pr", str(n))
        session.calls("tidy", str(n))
    units = [line["exposure"]["unit"] for line in spool_lines(project)]
    assert len({unit for unit in units if unit.startswith("session-1:")}) == 4
    assert units.count("day-0") == 4


def test_an_agent_is_redirected_and_its_history_keeps_the_name(project: Project, session: Session) -> None:
    experiment = started(at_machine_time(project).workspace(), AGENT)
    session.begins()
    session.prompts = 1
    asked = {"subagent_type": "reviewer", "prompt": "look", "description": "r"}
    replies = [session.tells("PreToolUse", tool_name="Agent", tool_input=asked, tool_use_id=f"c{n}") for n in range(4)]
    changed = [reply["hookSpecificOutput"]["updatedInput"] for reply in replies if reply is not None]
    assert len(changed) == 2
    name = f"reviewer--{experiment.id}-treatment"
    assert all(each == {**asked, "subagent_type": name} for each in changed)
    assert (project.root / ".claude" / "agents" / f"{name}.md").exists()


def test_served_texts_are_private_and_consumed(project: Project, session: Session) -> None:
    started(at_machine_time(project).workspace(), COMMAND)
    session.begins()
    session.types("review_pr", "12")
    (served,) = (project.root / ".claude" / ".experiment-serve" / session.name).iterdir()
    assert stat.S_IMODE(served.stat().st_mode) == 0o600
    assert project.git("status", "--porcelain", "--", ".claude") == ""
    session.tells("UserPromptSubmit", prompt="/review_pr 12")
    assert session.served("review_pr") is None
    session.calls("review_pr")
    session.tells("PostToolUse", tool_name="Skill", tool_input={"skill": "review_pr"})
    assert session.served("review_pr") is None
    session.types("review_pr", "13")
    session.tells("SessionEnd", reason="exit")
    assert not (project.root / ".claude" / ".experiment-serve").exists()


def test_what_a_dead_client_left_is_swept_when_the_next_session_starts(project: Project, session: Session) -> None:
    started(at_machine_time(project).workspace(), COMMAND)
    session.begins()
    session.types("review_pr", "12")
    note = project.root / ".experiments" / "live" / "sessions" / session.name
    note.write_text(json.dumps({**json.loads(note.read_text()), "client": "4194305-1"}))
    Session(project.root, "session-2").begins()
    assert session.served("review_pr") is None
    assert not note.exists()


def damaged_file(project: Project) -> None:
    next((project.root / ".experiments" / "live").glob("exp-*.json")).write_text("{")


def missing_text(project: Project) -> None:
    for path in (project.root / ".experiments" / "live").glob("exp-*/*.md"):
        path.unlink()


def blocked_spool(project: Project) -> None:
    (project.root / ".experiments" / "spool").write_text("a file, not a folder")


def blocked_serve_folder(project: Project) -> None:
    (project.root / ".claude" / ".experiment-serve").symlink_to(project.root / "app")


def switched_off(project: Project) -> None:
    switch(project.root / ".experiments", off=True)


def changed_stub(project: Project) -> None:
    (project.root / ".claude" / "skills" / "review_pr" / "SKILL.md").write_text("mine now")


def nothing(project: Project) -> None:
    pass


@pytest.mark.parametrize(
    "fault",
    [damaged_file, missing_text, blocked_spool, blocked_serve_folder, switched_off, changed_stub, nothing],
    ids=lambda fault: fault.__name__,
)
def test_every_failure_serves_control_and_logs_no_exposure(
    project: Project, session: Session, fault: Callable[[Project], None]
) -> None:
    started(at_machine_time(project).workspace(), COMMAND)
    session.begins()
    fault(project)
    served = session.types("review_pr", "12")
    logged = [] if fault is blocked_spool else [line for line in spool_lines(project) if "exposure" in line]
    assert (served is not None, len(logged)) == ((True, 1) if fault is nothing else (False, 0))


def test_a_session_that_began_before_the_experiment_never_meets_it(project: Project, session: Session) -> None:
    early = Session(project.root, "early")
    workspace = at_machine_time(project).workspace()
    started(workspace, SKILL)
    early.begins()
    started(workspace, COMMAND)
    assert early.types("review_pr", "12") is None
    assert early.begins("clear") is None
    assert early.types("review_pr", "12") is None
    session.begins()
    assert session.types("review_pr", "12") is not None


def test_after_its_time_is_over_control_is_served(project: Project, session: Session) -> None:
    workspace = at_machine_time(project).workspace()
    experiment = started(workspace, COMMAND)
    session.begins()
    file = project.root / ".experiments" / "live" / f"{experiment.id}.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "expires_at": 1.0}))
    assert session.types("review_pr", "12") is None


def test_hostile_ids_and_arguments_stay_where_they_belong(project: Project, session: Session) -> None:
    started(at_machine_time(project).workspace(), COMMAND)
    session.begins()
    assert session.types("review_pr", "../../x", session_id="../../../escape") is None
    assert "unusable id" in session.errors
    assert not (project.root.parent / "escape").exists()
    assert session.types("../../review_pr", "12") is None
    text = session.types("review_pr", "$ARGUMENTS $0 !`id` \u202e")
    assert text is not None
    assert text.endswith(" REVIEW of $ARGUMENTS, all: $ARGUMENTS $0 !`id` \u202e.\n")


def test_pausing_ends_it_for_running_sessions_too_and_off_refuses_a_start(project: Project, session: Session) -> None:
    workspace = at_machine_time(project).workspace()
    experiment = started(workspace, COMMAND)
    session.begins()
    assert session.types("review_pr", "12") is not None
    transition_experiment(workspace, experiment=experiment.id, action="pause")
    assert session.types("review_pr", "13") is None
    switch(workspace.folder, off=True)
    with pytest.raises(SwitchedOff):
        transition_experiment(workspace, experiment=experiment.id, action="resume")


def test_serving_a_command_loads_nothing_that_takes_longer_than_serving(project: Project, session: Session) -> None:
    """Each of these takes a bare Python milliseconds, at every event; json is there for what is no JSON."""
    started(at_machine_time(project).workspace(), COMMAND)
    session.begins()
    event = {"hook_event_name": "UserPromptExpansion", "session_id": session.name, "command_name": "review_pr"}
    heavy = {"json", "re", "enum", "functools", "collections", "hashlib", "_hashlib", "typing", "pathlib", "shlex"}

    def loaded(text: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-IS", "-X", "importtime", str(HOOK)],
            input=text,
            env={"CLAUDE_PROJECT_DIR": str(project.root), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}

    assert "experiment_tracker_tools.assignment.rendering" in loaded(json.dumps(event))
    assert not heavy & loaded(json.dumps(event))
    assert heavy & loaded("no JSON")
