"""A promotion undone exactly: one new commit that restores the content from before, proven by comparing blobs."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.vcs import changes, command, exact, refs, repository, trees
from experiment_tracker_tools.vcs.changes import Change, Preview
from experiment_tracker_tools.vcs.exact import HOOK_TIME_LIMIT_S
from experiment_tracker_tools.vcs.paths import declared
from experiment_tracker_tools.vcs.promotion import moved_head
from experiment_tracker_tools.vcs.trees import Entries


class RollBack(NamedTuple):
    """A roll-back that is made: `commit` undoes `reverts`; it is only given once the blobs compared equal."""

    commit: str
    reverts: str
    parent: str
    branch: str
    paths: tuple[str, ...]
    blobs_equal: Literal[True]


def preview(root: Path, *, promotion_commit: str, paths: Iterable[str]) -> Preview:
    """Tell what `roll_back` would do and all that stands in its way; nothing is changed.

    Args:
        root: the top of the work tree that the caller works in.
        promotion_commit: full id of the commit that `promote` made.
        paths: the declared paths.

    Raises:
        InvalidInput: for a bad path or commit id.
        GitRefused: without git or a repository, or if the commit is gone or no promotion of these paths.
    """
    change, problems = _planned(root, promotion_commit, paths)
    return exact.previewed(change, problems)


def roll_back(
    root: Path,
    *,
    promotion_commit: str,
    paths: Iterable[str],
    subject: str,
    body: str,
    trailers: Sequence[tuple[str, str]],
    expected_head: str,
    hooks_run: Literal["all", "none"] = "all",
    hook_timeout_s: float = HOOK_TIME_LIMIT_S,
) -> RollBack:
    """Restore the declared paths to what they were before the promotion, in one new commit.

    Args:
        root, promotion_commit, paths: as for `preview`.
        subject, body, trailers, expected_head, hooks_run, hook_timeout_s: as for `promotion.promote`.

    Raises:
        InvalidInput: for a bad path, commit id, trailer key or subject.
        GitRefused: if later commits or uncommitted edits touched the paths, or anything else stands in the way;
            nothing was changed then.
    """
    change, problems = _planned(root, promotion_commit, paths)
    changes.refuse([*problems, *moved_head(change, expected_head)])
    new = exact.commit(
        change,
        subject=subject,
        body=body,
        trailers=trailers,
        reason=f"roll back {promotion_commit[:12]}",
        hooks_run=hooks_run,
        hook_timeout_s=hook_timeout_s,
    )
    assert change.at.commit is not None and change.at.branch is not None
    changed = trees.differing(change.before, change.after)
    return RollBack(new, promotion_commit, change.at.commit, change.at.branch, changed, blobs_equal=True)


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
    after = trees.at_commit(top, parent, chosen)
    if at.commit is None:
        return Change(top, at, dict.fromkeys(chosen), after), problems
    before = trees.at_commit(top, at.commit, chosen)
    problems += _history_problems(top, at.commit, promotion, before, after)
    return Change(top, at, before, after), problems


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


def _history_problems(top: Path, head: str, promotion: str, before: Entries, after: Entries) -> list[str]:
    if command.attempt(top, "merge-base", "--is-ancestor", promotion, head).status:
        return [f"commit {promotion[:12]} is not in the history of HEAD; check out the branch that it was made on"]
    if before == after:
        return [f"HEAD ({head[:12]}) has the content from before {promotion[:12]} already; nothing to roll back"]
    touched = trees.differing(before, trees.at_commit(top, promotion, tuple(before)))
    if not touched:
        return []
    asked = ("rev-list", "--abbrev-commit", "-n", "5", f"{promotion}..{head}", "--", *touched[:50])
    commits = ", ".join(command.run(top, *asked).decode().split())
    return [f"{changes.named(touched)} changed after the promotion (by {commits}); revert those commits first"]
