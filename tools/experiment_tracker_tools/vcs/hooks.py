"""The user's commit hooks, run around a commit that is made by plumbing, on the private index that it is made from."""

import os
from collections.abc import Mapping
from pathlib import Path

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command, repository

_BEFORE = ("pre-commit", "prepare-commit-msg", "commit-msg")
_AFTER = "post-commit"
# `git hook run` came with git 2.36.
_NEEDED = (2, 36)
_MEND = "Mend what it reports, or commit without hooks if you may."


def present(root: Path) -> frozenset[str]:
    """Name the commit hooks that the user has installed (core.hooksPath counts)."""
    folder = command.attempt(root, "rev-parse", "--git-path", "hooks", hooks="on").out
    place = root / os.fsdecode(folder.rstrip(b"\n"))
    return frozenset(name for name in (*_BEFORE, _AFTER) if os.access(place / name, os.X_OK))


def before_commit(root: Path, text: str, installed: frozenset[str], *, index: Path, timeout_s: float) -> str:
    """Run the installed hooks that `git commit` runs before it commits; give the message that they leave.

    Raises:
        GitRefused: if one fails or hangs, or git is too old to run them for us.
    """
    if repository.git_version() < _NEEDED:
        raise GitRefused("This git is too old to run your commit hooks for us. Install git 2.36 or newer.")
    note = index.with_name("COMMIT_EDITMSG")
    note.write_text(text, "utf-8")
    arguments = {"prepare-commit-msg": (str(note), "message"), "commit-msg": (str(note),)}
    env = {"GIT_INDEX_FILE": str(index)}
    for name in _BEFORE:
        if name in installed:
            _run(root, name, *arguments.get(name, ()), env=env, timeout_s=timeout_s)
    left = note.read_text("utf-8", "replace")
    if not left.strip():
        raise GitRefused(f"Your hooks left an empty commit message. {_MEND}")
    return left


def after_commit(root: Path, installed: frozenset[str], *, timeout_s: float) -> None:
    """Run post-commit if installed; the commit stands whatever it says."""
    if _AFTER in installed:
        command.attempt(root, "hook", "run", "--ignore-missing", _AFTER, hooks="on", timeout_s=timeout_s)


def _run(root: Path, name: str, *arguments: str, env: Mapping[str, str], timeout_s: float) -> None:
    asked = ("hook", "run", "--ignore-missing", name, *(("--", *arguments) if arguments else ()))
    try:
        outcome = command.attempt(root, *asked, env=env, hooks="on", timeout_s=timeout_s)
    except GitRefused as refusal:
        raise GitRefused(f"Your {name} hook: {refusal} {_MEND}") from None
    if outcome.status:
        said = " / ".join(text for text in outcome.error.splitlines()[-3:] if text.strip())
        raise GitRefused(f"Your {name} hook refused the commit: {quoted(said or 'it said nothing', 300)}. {_MEND}")
