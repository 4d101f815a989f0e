"""What a commit is to do to the declared paths, and whether the user would lose anything by it."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import trees, worktree
from experiment_tracker_tools.vcs.repository import Head
from experiment_tracker_tools.vcs.trees import Entries
from experiment_tracker_tools.vcs.worktree import Copies


class Change(NamedTuple):
    """`before` is the declared paths' content at HEAD (`at`), `after` the one that a commit is to write."""

    top: Path
    at: Head
    before: Entries
    after: Entries


class Preview(NamedTuple):
    """What a commit would do: nothing stands in its way when `problems` is empty.

    `paths` are those whose content at HEAD would change; `diffstat` is git's own summary, a line a file.
    """

    branch: str | None
    head: str | None
    paths: tuple[str, ...]
    diffstat: tuple[str, ...]
    problems: tuple[str, ...]


class Found(NamedTuple):
    """The declared files of the work tree at one moment: our copies, and what `git add` would make of them."""

    copies: Copies
    entries: Entries


def look(change: Change, folder: Path) -> Found:
    """Look at the declared files of the work tree; their copies stay in a new `folder`."""
    copies = worktree.copied(change.top, tuple(change.before), folder)
    return Found(copies, worktree.in_worktree(change.top, copies, like=change.before, blobs="computed"))


def obstacles(change: Change, found: Found) -> list[str]:
    """Tell what the user would lose: declared content that is neither at HEAD nor what would be written."""
    problems: list[str] = []
    if foreign := _foreign(change, trees.in_index(change.top, tuple(change.before))):
        problems.append(f"{named(foreign)}: other content is staged; commit or unstage it (git restore --staged)")
    if foreign := _foreign(change, found.entries):
        problems.append(f"{named(foreign)}: uncommitted edits in the work tree; commit or stash them")
    return problems


def refuse(problems: Sequence[str]) -> None:
    """Raise GitRefused with all problems, if there are any."""
    if problems:
        raise GitRefused(f"Nothing was changed: {'; '.join(problems)}.")


def named(paths: Sequence[str]) -> str:
    """Name at most five paths, and count the rest."""
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return ", ".join(quoted(path) for path in paths[:5]) + more


def _foreign(change: Change, entries: Entries) -> list[str]:
    return [path for path, entry in entries.items() if entry not in (change.before[path], change.after[path])]
