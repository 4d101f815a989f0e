"""A promotion or roll-back that a crash cut short: what git says of it, and its index and files brought up to date."""

import tempfile
from collections.abc import Iterable
from pathlib import Path

from experiment_tracker_tools.vcs import changes, exact, files, publish, refs, repository, trees
from experiment_tracker_tools.vcs.changes import Change, Found, Moves, Wanted
from experiment_tracker_tools.vcs.paths import declared
from experiment_tracker_tools.vcs.trees import Entries


def is_made(root: Path, moves: Moves) -> bool:
    """Tell whether the branch has moved to the new commit (and perhaps on from there)."""
    top = repository.checked_top(root)
    now = refs.held(top, moves.ref)
    return now is not None and refs.held(top, moves.new) is not None and refs.is_ancestor(top, moves.new, now)


def finish(root: Path, moves: Moves, paths: Iterable[str]) -> tuple[str, ...]:
    """Bring index and files of the declared paths to where a commit that is made wanted them.

    Whatever does not stand as it did before the crash was done by somebody since, and stays.

    Returns:
        The paths that are left as they are.

    Raises:
        GitRefused: if git does not allow it now; nothing was changed then.
    """
    top = repository.checked_top(root)
    chosen = declared(top, paths)
    clear(top, moves, chosen)
    at = repository.head(top)
    if moves.old is None or at.commit is None or moves.ref != f"refs/heads/{at.branch}":
        return ()
    before, after = (trees.at_commit(top, commit, chosen) for commit in (moves.old, moves.new))
    change = Change(top, at, before, after)
    still = trees.at_commit(top, at.commit, chosen)
    with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as folder:
        scratch = Path(folder)
        found = changes.look(change, scratch / "found")
        goal = _goal(change, found, moves, still)
        index = scratch / "index"
        trees.read_into(top, moves.new, index)
        contents = exact.checked_out(change, found, goal, index=index, scratch=scratch)
        publish.catch_up(change, found, goal, new=moves.new, token=moves.token, contents=contents)
    expected = _expected(change, moves)
    return tuple(sorted({*trees.differing(expected.staged, goal.staged), *trees.differing(expected.tree, goal.tree)}))


def clear(root: Path, moves: Moves, paths: Iterable[str]) -> None:
    """Remove the files that still lie beside their destinations."""
    for number, path in enumerate(paths):
        files.discard(root, path, files.beside(moves.token, number))


def _expected(change: Change, moves: Moves) -> Wanted:
    kept = moves.kept
    index = {path: kept[path].staged_after if path in kept else entry for path, entry in change.after.items()}
    tree = {path: kept[path].tree_after if path in kept else entry for path, entry in change.after.items()}
    return Wanted(index, tree)


def _goal(change: Change, found: Found, moves: Moves, still: Entries) -> Wanted:
    """What was wanted, where all is still as it was; else what is there now."""
    expected, kept = _expected(change, moves), moves.kept
    index, tree = dict(found.staged), dict(found.entries)
    for path, before in change.before.items():
        if still[path] != change.after[path]:
            continue
        if found.staged[path] == (kept[path].staged if path in kept else before):
            index[path] = expected.staged[path]
        if found.entries[path] == (kept[path].tree if path in kept else before):
            tree[path] = expected.tree[path]
    return Wanted(index, tree)
