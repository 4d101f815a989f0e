"""A live run that the plan does not take gets control and is counted by reason: what a hook can know of it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.live import (
    AGENT,
    COMMAND,
    HOOK,
    SKILL,
    Session,
    add_assets,
    at_machine_time,
    planned,
    spool_lines,
    started,
)
from tests.support.project import Project
from tests.support.transcript import Transcript

from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.lifecycle import transition_experiment


@pytest.fixture
def project(repo: Project) -> Project:
    return at_machine_time(add_assets(repo))


def taking(project: Project, path: str = COMMAND, **eligibility: Any) -> Experiment:
    return started(project.workspace(), path, options={"eligibility": eligibility})


def outside(project: Project, experiment: Experiment) -> dict[str, int]:
    catch_up(project.workspace())
    return project.workspace().ledger.statistics(experiment.id).outside


def begun(start: Path, name: str = "session-1", **fields: Any) -> Session:
    session = Session(start, name)
    session.tells("SessionStart", source="startup", **fields)
    return session


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"branch": ["main", "release/*"]}, None),
        ({"branch": "release/*"}, "branch"),
        ({"repository": "proj*"}, None),
        ({"repository": "acme/*"}, "repository"),
        ({"arguments": "1[0-9] *"}, None),
        ({"arguments": "--fast*"}, "arguments"),
        ({"model": "*"}, "model unknown"),
    ],
)
def test_a_run_is_served_only_where_everything_holds(project: Project, rules: Any, why: str | None) -> None:
    workspace = project.workspace()
    told = planned(workspace, COMMAND, options={"eligibility": rules}, per="invocation")
    transition_experiment(workspace, experiment=told.experiment, action="start", reason="it may move")
    experiment, session = workspace.ledger.experiment(told.experiment), begun(project.root)
    for _ in range(2):
        assert (session.types("review_pr", "12 now") is None) is (why is not None)
    exposures = [line for line in spool_lines(project) if "exposure" in line]
    assert len(exposures) == (0 if why else 2)
    assert outside(project, experiment) == ({why: 2} if why else {})
    assert outside(project, experiment) == ({why: 2} if why else {})


def test_the_branch_is_asked_at_every_run_and_without_one_it_is_head(project: Project) -> None:
    experiment = taking(project, branch="main")
    session = begun(project.root)
    assert session.types("review_pr") is not None
    for switch in (["-c", "side"], ["--detach"]):
        project.git("switch", "-q", *switch)
        assert session.types("review_pr") is None
    project.git("switch", "-q", "main")
    assert session.types("review_pr") is not None
    assert outside(project, experiment) == {"branch": 2}


def test_a_linked_work_tree_is_asked_for_its_own_branch(project: Project, tmp_path: Path) -> None:
    side = tmp_path / "side"
    project.git("worktree", "add", "-q", "-b", "side", str(side))
    experiment = taking(project, branch="main")
    for path in experiment_stubs(project):
        (side / path).parent.mkdir(parents=True, exist_ok=True)
        (side / path).write_bytes((project.root / path).read_bytes())
    assert begun(side, "there").types("review_pr") is None
    assert begun(project.root, "here").types("review_pr") is not None
    assert outside(project, experiment) == {"branch": 1}


def experiment_stubs(project: Project) -> list[str]:
    return [str(path.relative_to(project.root)) for path in (project.root / ".claude" / "skills").rglob("SKILL.md")]


@pytest.mark.parametrize(
    ("started_with", "answered", "why"),
    [
        ("claude-opus-4-8", None, None),
        ("claude-haiku-4-5", None, "model"),
        ("claude-opus-4-8[1m]", None, None),
        ("claude-haiku-4-5", "claude-opus-4-8", None),
        ("claude-opus-4-8", "claude-haiku-4-5", "model"),
        (None, "claude-opus-4-8", None),
        (None, "<synthetic>", "model unknown"),
    ],
)
def test_the_model_is_the_one_that_answered_last_else_the_sessions(
    project: Project, tmp_path: Path, started_with: str | None, answered: str | None, why: str | None
) -> None:
    experiment = taking(project, model="claude-opus-?-?")
    transcript = Transcript(tmp_path / "session.jsonl")
    if answered is not None:
        transcript.answers(model=answered)
        transcript.asks("p", 'words with "assistant" and "model" in them')
        transcript.path.write_bytes(transcript.path.read_bytes() + b'{"type": "assistant", "message": {"model"')
    session = begun(project.root, **({} if started_with is None else {"model": started_with}))
    served = session.types("review_pr", "12", transcript_path=str(transcript.path))
    assert (served is None) is (why is not None)
    assert outside(project, experiment) == ({why: 1} if why else {})


def test_a_skill_is_asked_for_its_arguments_and_an_agent_for_its_prompt(project: Project) -> None:
    skill, reviewer = taking(project, SKILL, arguments="src/*"), taking(project, AGENT, arguments="Review *")
    session = begun(project.root)
    assert session.calls("tidy", "docs/a.md") is None
    assert session.calls("tidy", "src/a.py") is not None
    for number, prompt in enumerate(["Review it", "Explain it", "Explain more"]):
        asked = {"subagent_type": "reviewer", "prompt": prompt}
        session.tells("PreToolUse", tool_name="Agent", tool_input=asked, tool_use_id=f"agent-{number}")
    assert (outside(project, skill), outside(project, reviewer)) == ({"arguments": 1}, {"arguments": 2})
    assert len(project.workspace().ledger.journal(reviewer.id).exposures) == 1


def test_a_hostile_pattern_against_long_arguments_is_answered(project: Project) -> None:
    experiment = taking(project, arguments="a*a*a*a*a*b")
    session = begun(project.root)
    assert session.types("review_pr", "a" * 20_000) is None
    assert session.types("review_pr", "a" * 20_000 + "b") is not None
    assert outside(project, experiment) == {"arguments": 1}


def test_a_session_from_before_the_start_is_told_apart_from_the_rest(project: Project) -> None:
    early = begun(project.root, "early")
    experiment = taking(project, branch="release/*")
    assert early.types("review_pr") is None
    assert begun(project.root, "late").types("review_pr") is None
    assert outside(project, experiment) == {"client": 1, "branch": 1}


def test_no_words_of_a_run_outside_are_kept(project: Project) -> None:
    taking(project, arguments="--fast*")
    begun(project.root).types("review_pr", "a secret word")
    (line,) = spool_lines(project)
    assert sorted(line) == ["event", "experiment", "outside"]


@pytest.mark.parametrize("rules", [{}, {"branch": "main"}])
def test_a_plan_that_takes_everybody_costs_a_hook_nothing(project: Project, rules: dict[str, str]) -> None:
    """What is not imported takes no time."""
    started(project.workspace(), COMMAND, options={"eligibility": rules})
    begun(project.root)
    event = {"hook_event_name": "UserPromptExpansion", "session_id": "session-1", "command_name": "review_pr"}
    done = subprocess.run(
        [sys.executable, "-IS", "-X", "importtime", str(HOOK)],
        input=json.dumps({**event, "prompt_id": "p", "cwd": str(project.root)}),
        env={"CLAUDE_PROJECT_DIR": str(project.root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(spool_lines(project)) == 1
    for name in ("globs", "checkouts", "eligible"):
        assert (f"assignment.{name}" in done.stderr) is bool(rules)
