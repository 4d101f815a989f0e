"""Branch, index and files moved to a new commit at the declared paths alone; whatever fails, all go back."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Literal

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import changes, command, files, trees
from experiment_tracker_tools.vcs.changes import Change, Found, Moves, Wanted
from experiment_tracker_tools.vcs.worktree import Copies

_Undo = list[Callable[[], object]]
_MORE_ATTEMPTS = 2


def publish(
    change: Change,
    found: Found,
    goal: Wanted,
    moves: Moves,
    *,
    contents: Path,
    reason: str,
    hooks_run: Literal["all", "none"],
) -> None:
    """Move the branch, then index entries and files.

    What may fail most comes first: the new contents lie beside their destinations before the branch moves, so that
    what is left after it are renames.

    Args:
        change: what the new commit does.
        found: index and work tree as they were when nothing stood in the way.
        goal: what they are to hold.
        moves: which ref moves from where to where.
        contents: a folder with the changed files as a checkout writes them.
        reason: for the reflog.
        hooks_run: "all" runs the user's reference-transaction hook too.

    Raises:
        GitRefused: if any step fails; branch, index and files are as before then, or the message says what is not.
    """
    old, new = moves.old, moves.new
    assert old is not None
    with _undoing(new) as undo:
        placed = _place_all(change, found, goal, contents=contents, token=moves.token, undo=undo)
        asked = ("update-ref", "-m", reason, "HEAD", new, old)
        command.run(change.top, *asked, hooks="on" if hooks_run == "all" else "off")
        undo.append(partial(command.run, change.top, "update-ref", "-m", f"undo: {reason}", "HEAD", old, new))
        committed = trees.at_commit(change.top, new, tuple(change.after))
        if unequal := trees.differing(committed, change.after):
            raise GitRefused(f"{changes.named(unequal)} are not committed as decided on; all was undone.")
        _bring(change, found, goal, placed, contents=contents, undo=undo)
    touched = {*trees.differing(found.staged, goal.staged), *trees.differing(found.entries, goal.tree)}
    _refresh(change.top, goal, touched)


def catch_up(change: Change, found: Found, goal: Wanted, *, new: str, token: str, contents: Path) -> None:
    """Bring index entries and files to where they should be, after the branch has moved already.

    Raises:
        GitRefused: if any step fails; index and files are as before then, or the message says what is not.
    """
    with _undoing(new) as undo:
        placed = _place_all(change, found, goal, contents=contents, token=token, undo=undo)
        _bring(change, found, goal, placed, contents=contents, undo=undo)
    _refresh(change.top, goal, goal.staged)


@contextmanager
def _undoing(new: str) -> Generator[_Undo]:
    undo: _Undo = []
    try:
        yield undo
    except BaseException as failure:
        _go_back(undo, new, failure)
        raise


def _bring(change: Change, found: Found, goal: Wanted, placed: dict[str, str], *, contents: Path, undo: _Undo) -> None:
    """Set the index entries, rename the files into place, and see that all is as it should be."""
    top = change.top
    staged = trees.in_index(top, tuple(goal.staged))
    stale = trees.differing(goal.staged, staged)
    undo.append(partial(trees.set_entries, top, {path: staged[path] for path in stale}, index=None))
    trees.set_entries(top, {path: goal.staged[path] for path in stale}, index=None)
    _exchange(top, found.copies, goal, placed, undo)
    sources = {path: (contents if path in placed else found.copies.folder) / path for path in goal.tree}
    expected = {path: sources[path] if goal.tree[path] else None for path in goal.tree}
    if unequal := [path for path, source in expected.items() if not files.equals(top, path, source)]:
        raise GitRefused(f"{changes.named(unequal)} did not compare equal after writing; all was undone.")


def _place_all(
    change: Change, found: Found, goal: Wanted, *, contents: Path, token: str, undo: _Undo
) -> dict[str, str]:
    """Write every new content beside its destination; give the names there of all files that change or go."""
    names = {path: files.beside(token, number) for number, path in enumerate(goal.tree)}
    placed = {path: names[path] for path in trees.differing(found.entries, goal.tree)}
    for path, temporary in placed.items():
        if goal.tree[path]:
            source = contents / path
            undo.append(partial(files.discard, change.top, path, temporary))
            permissions = _permissions(source, found.copies.stamps[path])
            files.place(change.top, path, source, temporary, permissions=permissions)
    return placed


def _permissions(source: Path, stamp: files.Stamp | None) -> int:
    """The file's own permissions stay, unless the executable bit is what changes."""
    checked_out = source.stat().st_mode & 0o777
    if stamp is not None and bool(stamp.permissions & 0o100) == bool(checked_out & 0o100):
        return stamp.permissions
    return checked_out


def _exchange(top: Path, copies: Copies, goal: Wanted, placed: dict[str, str], undo: _Undo) -> None:
    for path, temporary in placed.items():
        before, after = copies.stamps[path], None
        if goal.tree[path] is None:
            files.remove(top, path, expected=before)
        else:
            after = files.exchange(top, path, temporary, expected=before)
        undo.append(partial(_restore, top, copies, path, after, temporary))


def _restore(top: Path, copies: Copies, path: str, now: files.Stamp | None, temporary: str) -> None:
    before = copies.stamps[path]
    if before is None:
        files.remove(top, path, expected=now)
    else:
        files.discard(top, path, temporary)
        files.place(top, path, copies.folder / path, temporary, permissions=before.permissions)
        files.exchange(top, path, temporary, expected=now)


def _go_back(steps: _Undo, new: str, failure: BaseException) -> None:
    """Undo the steps, the last first; one that fails is tried again, for what is in its way may be passing."""
    failed = {step: error for step in reversed(steps) if (error := _failure(step))}
    for _ in range(_MORE_ATTEMPTS):
        failed = {step: error for step in failed if (error := _failure(step))}
    if failed:
        left = quoted("; ".join(failed.values()), 300)
        raise GitRefused(
            f"Writing failed ({quoted(str(failure), 200)}) and was not undone in full: {left}. "
            f"The new commit was {new}; compare it with `git status` before you go on."
        ) from failure


def _failure(step: Callable[[], object]) -> str:
    # Whatever it is: the other steps must be tried, and all that fails be told.
    try:
        step()
    except Exception as error:
        return str(error) or type(error).__name__
    return ""


def _refresh(top: Path, goal: Wanted, touched: Iterable[str]) -> None:
    """Let the index know the new files' times, so that nothing looks modified; content is settled already."""
    paths = [path for path in touched if (entry := goal.staged[path]) and goal.tree[path] == entry]
    if paths:
        asked = "".join(f"{path}\0" for path in paths).encode()
        with suppress(GitRefused):
            command.attempt(top, "add", "--refresh", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=asked)
