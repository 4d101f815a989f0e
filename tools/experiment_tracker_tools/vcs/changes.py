"""What a commit is to do to the declared paths, and what becomes of edits that the user has there."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command, merging, trees, worktree
from experiment_tracker_tools.vcs.repository import Head
from experiment_tracker_tools.vcs.trees import Entries, Entry
from experiment_tracker_tools.vcs.worktree import Copies

Edits = Literal["refuse", "keep"]


class Change(NamedTuple):
    """`before` is the declared paths' content at HEAD (`at`), `after` the one that a commit is to write.

    At the `merged` paths `after` holds what both sides changed.
    """

    top: Path
    at: Head
    before: Entries
    after: Entries
    merged: tuple[str, ...] = ()


class Preview(NamedTuple):
    """What a commit would do: nothing stands in its way when `problems` is empty.

    `paths` are those whose content at HEAD would change; `diffstat` is git's own summary, a line a file; `merged` are
    the paths where another change since is kept, `edited` those where uncommitted edits are kept.
    """

    branch: str | None
    head: str | None
    paths: tuple[str, ...]
    diffstat: tuple[str, ...]
    problems: tuple[str, ...]
    merged: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()


class Found(NamedTuple):
    """The declared files at one moment: copies of the work tree's, what `git add` would make of them, and the index."""

    copies: Copies
    entries: Entries
    staged: Entries


class Wanted(NamedTuple):
    """What index and work tree are to hold at the declared paths; more than the commit where edits are kept."""

    staged: Entries
    tree: Entries


class Kept(NamedTuple):
    """The user's edits of one path: as they are in index and work tree, and as they will be on the new content."""

    staged: Entry | None
    staged_after: Entry | None
    tree: Entry | None
    tree_after: Entry | None


class Moves(NamedTuple):
    """What is about to happen, told before it does, so that a crash can be finished or undone.

    Attributes:
        ref: full name of the branch that moves.
        old: commit that it holds; None for one that is made.
        new: commit that it will hold.
        token: in the names of the files that lie beside their destinations meanwhile.
        kept: edits of the user's that are carried over, by path.
    """

    ref: str
    old: str | None
    new: str
    token: str
    kept: dict[str, Kept]


Announce = Callable[[Moves], None]


def look(change: Change, folder: Path, *, edits: Edits = "refuse") -> Found:
    """Look at the declared files of index and work tree; their copies stay in a new `folder`.

    Where edits are to be kept, their contents go into the object store.
    """
    paths = tuple(change.before)
    copies = worktree.copied(change.top, paths, folder)
    blobs: Literal["kept", "computed"] = "kept" if edits == "keep" else "computed"
    entries = worktree.in_worktree(change.top, copies, like=change.before, blobs=blobs)
    return Found(copies, entries, trees.in_index(change.top, paths))


def wanted(change: Change, found: Found, *, edits: Edits) -> tuple[Wanted, list[str]]:
    """Give what index and work tree shall hold, and what the user would lose by it."""
    staged, edited = _foreign(change, found.staged), _foreign(change, found.entries)
    problems: list[str] = []
    if edits == "refuse":
        if staged:
            problems.append(f"{named(staged)}: other content is staged; commit or unstage it (git restore --staged)")
        if edited:
            sizes = _sizes(change.top, edited)
            problems.append(f"{named(edited)}: uncommitted edits in the work tree{sizes}; commit or stash them")
        return Wanted(change.after, change.after), problems
    index, in_index = _carried(change, found.staged, staged)
    tree, in_tree = _carried(change, found.entries, edited)
    problems += merging.refused(in_index, what="staged content conflicts with the variant; commit or unstage it first")
    problems += merging.refused(in_tree, what="uncommitted edits conflict with the variant; commit them first")
    return Wanted(index, tree), problems


def kept(change: Change, found: Found, goal: Wanted) -> dict[str, Kept]:
    """The edits that are carried over, by path."""
    paths = sorted({*trees.differing(change.after, goal.staged), *trees.differing(change.after, goal.tree)})
    return {
        path: Kept(found.staged[path], goal.staged[path], found.entries[path], goal.tree[path])
        for path in dict.fromkeys((*paths, *_foreign(change, found.staged), *_foreign(change, found.entries)))
    }


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


def _carried(change: Change, entries: Entries, foreign: list[str]) -> tuple[Entries, tuple[str, ...]]:
    """The new content with the user's edits on it."""
    merge = merging.merge(
        change.top,
        base={path: change.before[path] for path in foreign},
        ours={path: change.after[path] for path in foreign},
        theirs={path: entries[path] for path in foreign},
    )
    return {**change.after, **merge.entries}, merge.conflicts


def _sizes(top: Path, paths: list[str]) -> str:
    """How many lines the edits of a few files add and take away."""
    asked = ("diff-index", "--numstat", "-z", "--no-renames", "--no-ext-diff", "--no-textconv", "HEAD", "--")
    said = command.attempt(top, *asked, *paths[:5])
    counts = [record.split("\t") for record in command.records(said.out)] if said.status == 0 else []
    told = [f"+{plus} -{minus}" for plus, minus, _ in (count for count in counts if len(count) == 3)]
    return f" ({', '.join(told)} lines)" if told else ""
