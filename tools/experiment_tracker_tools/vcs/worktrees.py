"""Linked work trees of ours, each with one commit checked out; the user's own work tree is never switched."""

import shutil
from pathlib import Path

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command
from experiment_tracker_tools.vcs.repository import checked_top

_CHECKOUT_LIMIT_S = 600.0


def add(root: Path, folder: Path, commit: str) -> None:
    """Check a commit out into a new folder, detached, without running hooks.

    Raises:
        GitRefused: if the commit is gone, or git or the disk does not allow it.
    """
    top = checked_top(root)
    if command.attempt(top, "cat-file", "-e", f"{commit}^{{commit}}").status:
        raise GitRefused(f"Commit {quoted(commit, 12)} is not in this repository. Fetch refs/experiments/*, try again.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GitRefused(f"Cannot make {quoted(folder.name)}: {error.strerror}. Mend that, try again.") from error
    command.run(top, "worktree", "prune")
    command.run(top, "worktree", "add", "--detach", "--quiet", "--", str(folder), commit, timeout_s=_CHECKOUT_LIMIT_S)


def remove(root: Path, folder: Path) -> None:
    """Remove a work tree of ours with all that a command left in it; one that is gone already is forgotten."""
    shutil.rmtree(folder, ignore_errors=True)
    command.attempt(checked_top(root), "worktree", "prune")
