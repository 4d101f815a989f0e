"""A variant becomes the project's content: one commit with its evidence, here, on a branch of its own or as a patch."""

from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import changes, command, exact, merging, refs, repository, trees
from experiment_tracker_tools.vcs.changes import Change, Edits, Preview
from experiment_tracker_tools.vcs.exact import Order
from experiment_tracker_tools.vcs.paths import declared
from experiment_tracker_tools.vcs.trees import Entries

_PATCH = (
    *("-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "-c", "format.useAutoBase=false"),
    *("-c", "diff.renames=false", "format-patch", "-1", "--stdout", "--binary", "--full-index", "--no-attach"),
    *("--no-signature", "--no-ext-diff", "--no-textconv", "--no-thread", "--no-notes"),
)


class Wish(NamedTuple):
    """What is to be promoted.

    Attributes:
        variant: full id of the captured variant's commit.
        baseline: full id of the commit that it was captured on.
        paths: the declared paths.
    """

    variant: str
    baseline: str
    paths: tuple[str, ...]


class Promotion(NamedTuple):
    """A promotion that is made: `commit`, child of `parent`, changes `paths` on `branch` and nothing else.

    At the `merged` paths, what had changed since the baseline is kept. `branch` is None for a commit on no branch.
    """

    commit: str
    parent: str
    branch: str | None
    paths: tuple[str, ...]
    merged: tuple[str, ...] = ()


def preview(root: Path, wish: Wish, *, edits: Edits = "refuse") -> Preview:
    """Tell what `promote` would do and all that stands in its way; nothing is changed.

    Raises:
        InvalidInput: for a bad path or commit id.
        GitRefused: without git or a repository, or if a commit is gone.
    """
    change, problems = _planned(root, wish)
    return exact.previewed(change, [*repository.problems_at(change.top, change.at), *problems], edits=edits)


def preview_aside(root: Path, wish: Wish, *, branch: str | None) -> Preview:
    """Tell what `promote_aside` would do and all that stands in its way; nothing is changed."""
    change, problems = _planned(root, wish)
    return exact.previewed_aside(change, [*problems, *_taken(change.top, branch)])


def promote(root: Path, wish: Wish, order: Order, *, expected_head: str) -> Promotion:
    """Write the variant's content of exactly the declared paths in one commit on the current branch.

    The user's identity, signing and hooks apply. Everything else in index and work tree stays byte for byte.

    Args:
        root: the top of the work tree that the caller works in.
        wish: what is to be promoted.
        order: how the commit is made.
        expected_head: full id of the commit that the caller was shown as HEAD.

    Raises:
        InvalidInput: for a bad path, commit id, trailer key or subject.
        GitRefused: if anything stands in the way; nothing was changed then.
    """
    change, problems = _planned(root, wish)
    state = repository.problems_at(change.top, change.at)
    changes.refuse([*state, *problems, *moved_head(change, expected_head)])
    return _made(change, exact.commit(change, order), change.at.branch)


def promote_aside(root: Path, wish: Wish, order: Order, *, branch: str | None, expected_head: str) -> Promotion:
    """Make the same commit on a new branch, or on none, and touch neither index nor work tree nor HEAD.

    Raises:
        InvalidInput, GitRefused: as `promote`; edits and staged content are no hindrance here.
    """
    change, problems = _planned(root, wish)
    changes.refuse([*problems, *_taken(change.top, branch), *moved_head(change, expected_head)])
    return _made(change, exact.commit_aside(change, order, branch=branch), branch)


def patch(root: Path, commit: str) -> bytes:
    """Give a commit as `git am` reads it."""
    refs.checked_commits(root, (commit,))
    return command.run(root, *_PATCH, commit)


def moved_head(change: Change, expected: str) -> list[str]:
    """Tell if HEAD is another commit than the one that the caller decided on."""
    if change.at.commit == expected:
        return []
    return [f"HEAD is {(change.at.commit or 'unborn')[:12]}, not {quoted(expected[:12])} as shown; look again"]


def _made(change: Change, new: str, branch: str | None) -> Promotion:
    assert change.at.commit is not None
    return Promotion(new, change.at.commit, branch, trees.differing(change.before, change.after), change.merged)


def _taken(top: Path, branch: str | None) -> list[str]:
    if branch is None or refs.held(top, f"refs/heads/{branch}") is None:
        return []
    return [f"branch {quoted(branch)} exists already; rename or delete it (git branch -m {branch} OTHER)"]


def _planned(root: Path, wish: Wish) -> tuple[Change, list[str]]:
    top = repository.checked_top(root)
    chosen = declared(top, wish.paths)
    refs.checked_commits(top, (wish.variant, wish.baseline))
    at = repository.head(top)
    theirs = trees.at_commit(top, wish.variant, chosen)
    if at.commit is None:
        return Change(top, at, dict.fromkeys(chosen), theirs), [repository.unborn(at)]
    before = trees.at_commit(top, at.commit, chosen)
    base = before if at.commit == wish.baseline else trees.at_commit(top, wish.baseline, chosen)
    merge = merging.merge(top, base=base, ours=before, theirs=theirs)
    if merge.conflicts:
        moved = _moved(top, at.commit, wish.baseline, base, before)
        return Change(top, at, before, theirs), merging.refused(merge.conflicts, what=moved)
    if before == merge.entries:
        told = f"HEAD ({at.commit[:12]}) has the variant's content already; there is nothing to promote"
        return Change(top, at, before, before), [told]
    return Change(top, at, before, merge.entries, trees.differing(base, before)), []


def _moved(top: Path, head: str, baseline: str, base: Entries, before: Entries) -> str:
    """Which paths changed at HEAD since the variants were captured, in conflict with the variant."""
    moved = trees.differing(before, base)
    asked = ("rev-list", "--abbrev-commit", "-n", "5", f"{baseline}..{head}", "--", *moved[:50])
    commits = ", ".join(command.run(top, *asked).decode().split()) or "another branch"
    return (
        f"{changes.named(moved)} changed since the baseline {baseline[:12]} (by {commits}), in conflict with the "
        "variant; capture and measure again"
    )
