"""A project with a command, a skill and an agent, live experiments on them, and events as the client sends them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.project import Project

from experiment_tracker_tools.design import Designed, design_experiment
from experiment_tracker_tools.domain.experiment import Experiment, Hypothesis
from experiment_tracker_tools.domain.metric import MetricDraft
from experiment_tracker_tools.domain.options import PlanOptions
from experiment_tracker_tools.domain.variant import Subject, Variant
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.workspace import Workspace

COMMAND, SKILL, AGENT = ".claude/commands/review_pr.md", ".claude/skills/tidy/SKILL.md", ".claude/agents/reviewer.md"
TEXTS = {
    COMMAND: "---\ndescription: Review a pull request\n---\n{} REVIEW of $0, all: $ARGUMENTS.\n",
    SKILL: "---\nname: tidy\ndescription: Tidy up\n---\n{} TIDY $ARGUMENTS\n",
    AGENT: "---\nname: reviewer\ndescription: Reviews code\ntools: Read\n---\n{} REVIEWER\n",
}
MARKS = {"control": "OLD", "treatment": "NEW"}
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
HOOK = Path(__file__).parents[2] / "server" / "experiment_tracker_server" / "hooks" / "run.py"
Json = dict[str, Any]


def add_assets(project: Project) -> Project:
    """The assets as OLD on main and as NEW on the branch `new`, and a folder to start in."""
    for path, text in TEXTS.items():
        project.write(path, text.format("OLD"))
    project.write("sub dir/notes.txt", "notes\n")
    project.commit("assets")
    project.git("switch", "-q", "-c", "new")
    for path, text in TEXTS.items():
        project.write(path, text.format("NEW"))
    project.commit("new assets")
    project.git("switch", "-q", "main")
    return project


def at_machine_time(project: Project) -> Project:
    """The project with the clock that hooks have."""
    project.clock.now = datetime.now(UTC)
    return project


def planned(
    workspace: Workspace,
    path: str,
    *,
    options: Json | None = None,
    runtime_days: float | None = None,
    metrics: Sequence[MetricDraft] = (),
    **live: Any,
) -> Designed:
    """An experiment on an asset, with every measured token as a metric."""
    primary = MetricDraft(name="cost", role="primary", kind="continuous", direction="decrease")
    counts = [MetricDraft(name=name, role="secondary", kind="count", direction="decrease") for name in TOKENS]
    return design_experiment(
        workspace,
        name=f"New {path}",
        hypothesis=Hypothesis(change="another text", impact="less cost", reasoning="it is shorter"),
        metrics=[primary, *counts, *metrics],
        type="command",
        variants=[Variant(name="control", control=True), Variant(name="treatment", source="new")],
        subject=Subject(files=(path,)),
        sample_size=5,
        runtime_days=runtime_days,
        plan=PlanOptions.model_validate({"block_size": 2, "method": "fixed", "live": live, **(options or {})}),
    )


def started(
    workspace: Workspace, path: str, *, options: Json | None = None, metrics: Sequence[MetricDraft] = (), **live: Any
) -> Experiment:
    """An experiment on an asset, running."""
    experiment = planned(workspace, path, options=options, metrics=metrics, **live).experiment
    transition_experiment(workspace, experiment=experiment, action="start")
    return workspace.ledger.experiment(experiment)


class Session:
    """A session of the client, as far as hooks see it.

    Args:
        start: folder in which the client was started.
        name: of the session.
        python: that runs the hook.
    """

    def __init__(self, start: Path, name: str = "session-1", python: str = sys.executable) -> None:
        self.start, self.name, self._python = start, name, python
        self.prompts = 0

    def tells(self, event: str, *, environment: Json | None = None, **fields: Any) -> Json | None:
        """Run the hook on an event; it must end well and say nothing but its reply."""
        told = {"hook_event_name": event, "session_id": self.name, "transcript_path": "", "cwd": str(self.start)}
        if self.prompts:
            told["prompt_id"] = f"{self.name}-prompt-{self.prompts}"
        done = subprocess.run(
            [self._python, "-IS", str(HOOK)],
            input=json.dumps({**told, **fields}).encode(),
            env={"CLAUDE_PROJECT_DIR": str(self.start), "PATH": "/usr/bin:/bin", **(environment or {})},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        self.errors = done.stderr.decode()
        return json.loads(done.stdout) if done.stdout else None

    def begins(self, source: str = "startup") -> Json | None:
        return self.tells("SessionStart", source=source)

    def types(self, name: str, arguments: str = "", **fields: Any) -> str | None:
        """A command as typed; gives the text that its stub would read, None where it would read control."""
        self.prompts += 1
        self.tells("UserPromptExpansion", command_name=name, command_args=arguments, **fields)
        return self.served(name)

    def calls(self, skill: str, arguments: str = "") -> str | None:
        """A skill that the model calls."""
        self.prompts += 1
        given = {"skill": skill, "args": arguments}
        self.tells("PreToolUse", tool_name="Skill", tool_input=given, tool_use_id=f"call-{self.prompts}")
        return self.served(skill)

    def served(self, name: str) -> str | None:
        path = self.start / ".claude" / ".experiment-serve" / self.name / f"{name}.md"
        return path.read_text("utf-8") if path.exists() else None


def spool_lines(project: Project) -> list[Json]:
    """What hooks have left for the ledger."""
    spools = sorted((project.root / ".experiments" / "spool").glob("*.jsonl"))
    return [json.loads(line) for spool in spools for line in spool.read_text("utf-8").splitlines()]
