"""A variant becomes the project's content: one commit on the current branch with the evidence as trailers."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import changes, command, exact, refs, repository, trees
from experiment_tracker_tools.vcs.changes import Change, Preview
from experiment_tracker_tools.vcs.exact import HOOK_TIME_LIMIT_S
from experiment_tracker_tools.vcs.paths import declared
from experiment_tracker_tools.vcs.trees import Entries


class Promotion(NamedTuple):
    """A promotion that is made: `commit`, child of `parent`, changes `paths` on `branch` and nothing else."""

    commit: str
    parent: str
    branch: str
    paths: tuple[str, ...]


def preview(root: Path, *, variant_commit: str, baseline_commit: str, paths: Iterable[str]) -> Preview:
    """Tell what `promote` would do and all that stands in its way; nothing is changed.

    Args:
        root: the top of the work tree that the caller works in.
        variant_commit: full id of the captured variant.
        baseline_commit: full id of the commit that it was captured on.
        paths: the declared paths.

    Raises:
        InvalidInput: for a bad path or commit id.
        GitRefused: without git or a repository, or if a commit is gone.
    """
    change, problems = _planned(root, variant_commit, baseline_commit, paths)
    return exact.previewed(change, problems)


def promote(
    root: Path,
    *,
    experiment_id: str,
    variant_commit: str,
    baseline_commit: str,
    paths: Iterable[str],
    subject: str,
    body: str,
    trailers: Sequence[tuple[str, str]],
    expected_head: str,
    hooks_run: Literal["all", "none"] = "all",
    hook_timeout_s: float = HOOK_TIME_LIMIT_S,
) -> Promotion:
    """Write the variant's content of exactly the declared paths in one commit on the current branch.

    The user's identity, signing and hooks apply. Everything else in index and work tree stays byte for byte.

    Args:
        root, variant_commit, baseline_commit, paths: as for `preview`.
        experiment_id: named in the reflog.
        subject, body, trailers: the commit message; values are shown on one line.
        expected_head: full id of the commit that the caller was shown as HEAD.
        hooks_run: "all" of the user's commit hooks, or "none".
        hook_timeout_s: how long one hook, or signing, may take.

    Raises:
        InvalidInput: for a bad path, commit id, trailer key or subject.
        GitRefused: if anything stands in the way; nothing was changed then.
    """
    refs.checked_name("experiment id", experiment_id)
    change, problems = _planned(root, variant_commit, baseline_commit, paths)
    changes.refuse([*problems, *moved_head(change, expected_head)])
    new = exact.commit(
        change,
        subject=subject,
        body=body,
        trailers=trailers,
        reason=f"promote {experiment_id}",
        hooks_run=hooks_run,
        hook_timeout_s=hook_timeout_s,
    )
    assert change.at.commit is not None and change.at.branch is not None
    return Promotion(new, change.at.commit, change.at.branch, trees.differing(change.before, change.after))


def moved_head(change: Change, expected: str) -> list[str]:
    """Tell if HEAD is another commit than the one that the caller decided on."""
    if change.at.commit == expected:
        return []
    return [f"HEAD is {(change.at.commit or 'unborn')[:12]}, not {quoted(expected[:12])} as shown; look again"]


def _planned(root: Path, variant: str, baseline: str, paths: Iterable[str]) -> tuple[Change, list[str]]:
    top = repository.checked_top(root)
    chosen = declared(top, paths)
    refs.checked_commits(top, (variant, baseline))
    at = repository.head(top)
    after = trees.at_commit(top, variant, chosen)
    problems = list(repository.problems_at(top, at))
    if at.commit is None:
        return Change(top, at, dict.fromkeys(chosen), after), problems
    before = trees.at_commit(top, at.commit, chosen)
    if before == after:
        problems.append(f"HEAD ({at.commit[:12]}) has the variant's content already; there is nothing to promote")
    else:
        problems += _moved_target(top, at.commit, baseline, before)
    return Change(top, at, before, after), problems


def _moved_target(top: Path, head: str, baseline: str, before: Entries) -> list[str]:
    """Paths that changed at HEAD since the variants were captured: the evidence is about other content."""
    at_baseline = before if head == baseline else trees.at_commit(top, baseline, tuple(before))
    moved = trees.differing(before, at_baseline)
    if not moved:
        return []
    asked = ("rev-list", "--abbrev-commit", "-n", "5", f"{baseline}..{head}", "--", *moved[:50])
    commits = ", ".join(command.run(top, *asked).decode().split()) or "another branch"
    return [
        f"{changes.named(moved)} changed since the baseline {baseline[:12]} (by {commits}); capture and measure again"
    ]
