"""What is in order on this machine and in this project, and how to mend what is not."""

import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from experiment_tracker_server.doctor_store import store_findings
from experiment_tracker_server.findings import Finding
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.workspace import Workspace

PACKAGES = ("mcp", "pydantic", "numpy", "scipy", "tinydb", "gitpython", "click", "rich")


def examine(workspace: Workspace) -> list[Finding]:
    """Look at everything; nothing is changed."""
    return [
        _python(),
        _packages(),
        *store_findings(workspace),
        _settings(workspace),
        _switch(workspace),
        *_git(workspace),
        *_interrupted(workspace),
        *_runs(workspace),
        *_live(workspace),
        _plugin(),
    ]


def mend(workspace: Workspace) -> list[Finding]:
    """Finish or undo what was interrupted, put back what is no longer served live, and tell what was done."""
    from experiment_tracker_tools.conduct.live.catch_up import catch_up
    from experiment_tracker_tools.conduct.runs.folder import clear_left_over
    from experiment_tracker_tools.conduct.unfinished import settle

    findings = [Finding("mended", ok=True, told=told) for told in (*catch_up(workspace), *clear_left_over(workspace))]
    for experiment in workspace.ledger.experiments() if workspace.folder.is_dir() else ():
        try:
            told = settle(workspace, experiment.id)
        except ExperimentError as error:
            findings.append(Finding("interrupted", ok=False, told=str(error)))
        else:
            findings += [Finding("mended", ok=True, told=told)] if told is not None else []
    return findings


def _python() -> Finding:
    shown = ".".join(map(str, sys.version_info[:3]))
    if os.name != "posix":
        return Finding("python", ok=False, told=f"{shown} on {sys.platform}: not supported; use Linux, macOS or WSL")
    return Finding("python", ok=True, told=shown)


def _packages() -> Finding:
    found: list[str] = []
    for name in ("experiment-tracker-mcp", *PACKAGES):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            return Finding(
                "packages", ok=False, told=f"{name} is missing: reinstall (pip install experiment-tracker-mcp)"
            )
    return Finding("packages", ok=True, told=", ".join(found))


def _settings(workspace: Workspace) -> Finding:
    try:
        given = workspace.settings.model_fields_set
    except ExperimentError as error:
        return Finding("config.toml", ok=False, told=str(error))
    return Finding(
        "config.toml", ok=True, told=f"sets {', '.join(sorted(given))}" if given else "sets nothing; defaults apply"
    )


def _switch(workspace: Workspace) -> Finding:
    reason = workspace.why_off
    return Finding("switch", ok=reason is None, told=f"OFF: {reason}" if reason else "on")


def _git(workspace: Workspace) -> list[Finding]:
    from experiment_tracker_tools.vcs.repository import git_version, state_problems

    try:
        shown = ".".join(map(str, git_version()))
    except ExperimentError as error:
        return [Finding("git", ok=False, told=str(error))]
    if workspace.worktree is None:
        return [Finding("git", ok=True, told=f"{shown}; not a repository: everything but promote and rollback works")]
    problems = state_problems(workspace.worktree)
    told = "; ".join(problems) or "promote and rollback are possible"
    return [Finding("git", ok=True, told=shown), Finding("repository", ok=not problems, told=told)]


def _interrupted(workspace: Workspace) -> list[Finding]:
    from experiment_tracker_tools.conduct.unfinished import unfinished, what_of

    try:
        ids = [experiment.id for experiment in workspace.ledger.experiments()] if workspace.folder.is_dir() else []
        found = [f"{what_of(intent)} of {each}" for each in ids if (intent := unfinished(workspace, each)) is not None]
    except ExperimentError:
        return []
    if not found:
        return []
    told = f"{', '.join(found)} was interrupted: experiment-tracker doctor --mend finishes or undoes it"
    return [Finding("interrupted", ok=False, told=told)]


def _runs(workspace: Workspace) -> list[Finding]:
    from experiment_tracker_tools.conduct.runs.folder import left_over

    if not (found := [folder.run for folder in left_over(workspace)]):
        return []
    told = f"{', '.join(found)} was killed and left its work trees: run_trials goes on, or doctor --mend clears them"
    return [Finding("runs", ok=False, told=told)]


def _live(workspace: Workspace) -> list[Finding]:
    """What is served live, and whether every file that stands in for an asset is as it was written."""
    from experiment_tracker_tools.conduct.live.serving import attached, changed_stubs
    from experiment_tracker_tools.workspace.surroundings import changes

    served = attached(workspace)
    if not served:
        return []
    changed = changed_stubs(workspace)
    if changed:
        told = f"{', '.join(changed)} changed since the start: control is served; pause and resume the experiment"
        return [Finding("live", ok=False, told=told)]
    moved = [told for each in served for told in changes(workspace, workspace.ledger.experiment(each))]
    if moved:
        return [Finding("live", ok=False, told="; ".join(moved))]
    return [Finding("live", ok=True, told=f"serves {', '.join(served)}; `experiment-tracker detach` ends it")]


def _plugin() -> Finding:
    if root := os.environ.get("CLAUDE_PLUGIN_ROOT"):
        if shutil.which("python3") is None:
            return Finding("plugin", ok=False, told="hooks need python3 on PATH, and there is none: link one")
        answering = Path(os.environ.get("CLAUDE_PLUGIN_DATA", "")) / "answering"
        who = "the server" if answering.is_dir() and any(answering.iterdir()) else "a program of its own"
        return Finding("plugin", ok=Path(root).is_dir(), told=f"runs in Claude Code; {who} answers hooks after edits")
    return Finding("plugin", ok=True, told="not running as a Claude Code plugin (see README: Install)")
