"""Experiments whose variants are small scripts in git, and commands run under them for real."""

from pathlib import Path
from typing import Any

from tests.support.agent import agent
from tests.support.plans import designed
from tests.support.project import Project

from experiment_tracker_tools.conduct.runs.folder import RunFolder, new_run_id
from experiment_tracker_tools.conduct.runs.running import run
from experiment_tracker_tools.domain.run import RunSpec, RunState

SCRIPT = "work.sh"
WORK = ("sh", SCRIPT)
SUCCESS: dict[str, Any] = {"name": "success", "role": "secondary", "kind": "binary", "direction": "increase"}
TIME: dict[str, Any] = {"name": "time", "role": "primary", "kind": "duration", "direction": "decrease", "unit": "s"}


def scripts(project: Project, control: str, treatment: str) -> None:
    """Commit a script on main, and the treatment's on the branch `other`."""
    project.write(SCRIPT, control)
    project.git("add", "-A")
    project.git("commit", "-q", "--allow-empty", "-m", "control's script")
    project.git("switch", "-q", "-C", "other")
    project.write(SCRIPT, treatment)
    project.git("add", "-A")
    project.git("commit", "-q", "--allow-empty", "-m", "treatment's script")
    project.git("switch", "-q", "main")


def comparing(project: Project, control: str, treatment: str, *, start: bool = True, **changes: object) -> str:
    """An experiment on two scripts, 4 units a variant unless told otherwise."""
    scripts(project, control, treatment)
    given: dict[str, object] = {
        "type": "performance",
        "metrics": [TIME, SUCCESS],
        "sample_size": 4,
        "subject": {"files": [SCRIPT]},
        "variants": [{"name": "control"}, {"name": "treatment", "source": "other"}],
        **changes,
    }
    with agent(project.workspace()) as connected:
        experiment = designed(connected, **given)
        if start:
            connected.call("transition_experiment", experiment=experiment, action="start", reason="the same on purpose")
        return experiment


def ran(project: Project, experiment: str, command: tuple[str, ...] | str = WORK, **options: object) -> RunState:
    """Run a command in this process, to the end."""
    workspace = project.workspace()
    spec = RunSpec.model_validate({"command": command, **options})
    return run(
        workspace, workspace.ledger.experiment(experiment), spec, RunFolder(workspace, new_run_id()), lambda _: None
    )


def left_behind(project: Project) -> list[str]:
    """What a run has not cleared away: its folders, and git's notes of its work trees."""
    runs = project.root / ".experiments" / "cache" / "runs"
    noted = project.root / ".git" / "worktrees"
    return [path.name for folder in (runs, noted) for path in (folder.iterdir() if folder.is_dir() else ())]


def lines(path: Path) -> list[str]:
    """What commands appended to a file of the test's."""
    return path.read_text("utf-8").splitlines() if path.exists() else []
