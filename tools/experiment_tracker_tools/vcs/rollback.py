"""A promotion undone exactly: one new commit that takes its change away, proven by comparing blobs."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.vcs import changes, command, exact, merging, refs, repository, trees
from experiment_tracker_tools.vcs.changes import Change, Edits, Preview
from experiment_tracker_tools.vcs.exact import Order
from experiment_tracker_tools.vcs.paths import declared
from experiment_tracker_tools.vcs.promotion import moved_head


class RollBack(NamedTuple):
    """A roll-back that is made: `commit` undoes `reverts`; it is only given once the blobs compared equal.

    All `paths` but the `merged` ones equal what was before the promotion; there, what later commits changed is kept.
    """

    commit: str
    reverts: str
    parent: str
    branch: str
    paths: tuple[str, ...]
    merged: tuple[str, ...] = ()


def preview(root: Path, *, promotion_commit: str, paths: Iterable[str], edits: Edits = "refuse") -> Preview:
    """Tell what `roll_back` would do and all that stands in its way; nothing is changed.

    Args:
        root: the top of the work tree that the caller works in.
        promotion_commit: full id of the commit that `promote` made.
        paths: the declared paths.
        edits: whether uncommitted edits are refused, or kept.

    Raises:
        InvalidInput: for a bad path or commit id.
        GitRefused: without git or a repository, or if the commit is gone or no promotion of these paths.
    """
    change, problems = _planned(root, promotion_commit, paths)
    return exact.previewed(change, problems, edits=edits)


def roll_back(root: Path, order: Order, *, promotion_commit: str, paths: Iterable[str], expected_head: str) -> RollBack:
    """Take the promotion's change of the declared paths away, in one new commit.

    Args:
        root, promotion_commit, paths: as for `preview`.
        order: how the commit is made.
        expected_head: full id of the commit that the caller was shown as HEAD.

    Raises:
        InvalidInput: for a bad path, commit id, trailer key or subject.
        GitRefused: if later commits or uncommitted edits conflict with it, or anything else stands in the way;
            nothing was changed then.
    """
    change, problems = _planned(root, promotion_commit, paths)
    changes.refuse([*problems, *moved_head(change, expected_head)])
    new = exact.commit(change, order)
    assert change.at.commit is not None and change.at.branch is not None
    changed = trees.differing(change.before, change.after)
    return RollBack(new, promotion_commit, change.at.commit, change.at.branch, changed, change.merged)


def landed(root: Path, experiment_id: str, promotion_commit: str, paths: Iterable[str]) -> str | None:
    """Give the commit in HEAD's history that is the promotion: itself, or a copy of it (rebased, squashed, applied).

    A copy names the experiment in its trailers and leaves the same content of the declared paths behind.

    Raises:
        GitRefused: without git or a repository, or if the commit is gone.
    """
    top = repository.checked_top(root)
    chosen = declared(top, paths)
    refs.checked_commits(top, (promotion_commit,))
    at = repository.head(top)
    if at.commit is None:
        return None
    if refs.is_ancestor(top, promotion_commit, at.commit):
        return promotion_commit
    wanted = trees.at_commit(top, promotion_commit, chosen)
    named = f"--grep=Experiment-Id: {refs.checked_name('experiment id', experiment_id)}"
    asked = ("log", "--format=%H", "--no-show-signature", "--no-merges", "--fixed-strings", named, "-n", "50")
    for commit in command.run(top, *asked, at.commit).decode().split():
        if trees.at_commit(top, commit, chosen) == wanted and trees.at_commit(top, f"{commit}^", chosen) != wanted:
            return commit
    return None


def unequal_paths(root: Path, left: str, right: str, paths: Iterable[str]) -> tuple[str, ...]:
    """Name the declared paths at which two commits differ in content or mode; empty when the blobs are equal."""
    top = repository.checked_top(root)
    refs.checked_commits(top, (left, right))
    chosen = declared(top, paths)
    return trees.differing(trees.at_commit(top, left, chosen), trees.at_commit(top, right, chosen))


def _planned(root: Path, promotion: str, paths: Iterable[str]) -> tuple[Change, list[str]]:
    top = repository.checked_top(root)
    chosen = declared(top, paths)
    refs.checked_commits(top, (promotion,))
    parent = _only_parent(top, promotion)
    _refuse_foreign_changes(top, promotion, chosen)
    at = repository.head(top)
    problems = list(repository.problems_at(top, at))
    theirs = trees.at_commit(top, parent, chosen)
    if at.commit is None:
        return Change(top, at, dict.fromkeys(chosen), theirs), problems
    before = trees.at_commit(top, at.commit, chosen)
    if not refs.is_ancestor(top, promotion, at.commit):
        told = f"commit {promotion[:12]} is not in the history of HEAD; check out the branch that it was made on"
        return Change(top, at, before, theirs), [*problems, told]
    base = trees.at_commit(top, promotion, chosen)
    merge = merging.merge(top, base=base, ours=before, theirs=theirs)
    if merge.conflicts:
        told = _touched(top, at.commit, promotion, trees.differing(before, base))
        return Change(top, at, before, theirs), [*problems, *merging.refused(merge.conflicts, what=told)]
    if before == merge.entries:
        told = f"HEAD ({at.commit[:12]}) has the content from before {promotion[:12]} already; nothing to roll back"
        return Change(top, at, before, before), [*problems, told]
    merged = tuple(path for path in trees.differing(before, base) if before[path] != merge.entries[path])
    return Change(top, at, before, merge.entries, merged), problems


def _only_parent(top: Path, promotion: str) -> str:
    said = command.line(top, "rev-list", "--parents", "-n", "1", promotion).split()
    if len(said) != 2:
        raise GitRefused(
            f"Commit {promotion[:12]} has {len(said) - 1} known parents, so what was before it is not clear. A "
            "promotion has one; in a shallow clone, fetch more history (git fetch --deepen=50)."
        )
    return said[1]


def _refuse_foreign_changes(top: Path, promotion: str, paths: tuple[str, ...]) -> None:
    asked = ("diff-tree", "-r", "-z", "--name-only", "--no-commit-id", "--no-renames", promotion)
    if foreign := [path for path in command.records(command.run(top, *asked)) if path not in set(paths)]:
        raise GitRefused(
            f"Commit {promotion[:12]} also changed {changes.named(foreign)}, which this experiment did not declare: it "
            "is no promotion of these paths. Nothing was changed."
        )


def _touched(top: Path, head: str, promotion: str, touched: tuple[str, ...]) -> str:
    """Which paths later commits changed, in conflict with the way back."""
    asked = ("rev-list", "--abbrev-commit", "-n", "5", f"{promotion}..{head}", "--", *touched[:50])
    commits = ", ".join(command.run(top, *asked).decode().split())
    return (
        f"{changes.named(touched)} changed after the promotion (by {commits}), in conflict with the way back; revert "
        "those commits first"
    )
