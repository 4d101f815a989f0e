"""Branch, index and files moved to a new commit at the declared paths alone; whatever fails, all go back."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import changes, command, files, trees, worktree
from experiment_tracker_tools.vcs.changes import Change, Found
from experiment_tracker_tools.vcs.worktree import Copies

_Undo = list[Callable[[], object]]
_MORE_ATTEMPTS = 2


def publish(
    change: Change,
    found: Found,
    new: str,
    *,
    contents: Path,
    reason: str,
    hooks_run: Literal["all", "none"],
) -> None:
    """Move the branch to `new`, then index entries and files.

    What may fail most comes first: the new contents lie beside their destinations before the branch moves, so that
    what is left after it are renames.

    Args:
        change: what the commit `new` does.
        found: the work tree as it was when nothing stood in the way.
        new: the commit, made and not yet on any branch.
        contents: a folder with the changed files as a checkout writes them.
        reason: for the reflog.
        hooks_run: "all" runs the user's reference-transaction hook too.

    Raises:
        GitRefused: if any step fails; branch, index and files are as before then, or the message says what is not.
    """
    top, old = change.top, change.at.commit
    assert old is not None
    undo: _Undo = []
    try:
        placed = _place_all(change, found, contents, undo)
        moved = ("update-ref", "-m", reason, "HEAD", new, old)
        command.run(top, *moved, hooks="on" if hooks_run == "all" else "off")
        undo.append(partial(command.run, top, "update-ref", "-m", f"undo: {reason}", "HEAD", old, new))
        staged = trees.in_index(top, tuple(change.after))
        stale = trees.differing(change.after, staged)
        undo.append(partial(trees.set_entries, top, {path: staged[path] for path in stale}, index=None))
        trees.set_entries(top, {path: change.after[path] for path in stale}, index=None)
        _exchange(change, found.copies, placed, undo)
        _refuse_unequal(change, new, contents.with_name("written"))
    except BaseException as failure:
        _go_back(undo, new, failure)
        raise
    _refresh(top, [path for path in stale if change.after[path]])


def _place_all(change: Change, found: Found, contents: Path, undo: _Undo) -> dict[str, str | None]:
    """Write every new content beside its destination; None stands for a file that is to go."""
    placed: dict[str, str | None] = {}
    for path in trees.differing(found.entries, change.after):
        placed[path] = None
        if change.after[path]:
            source = contents / path
            permissions = _permissions(source, found.copies.stamps[path])
            temporary = placed[path] = files.place(change.top, path, source, permissions=permissions)
            undo.append(partial(files.discard, change.top, path, temporary))
    return placed


def _permissions(source: Path, stamp: files.Stamp | None) -> int:
    """The file's own permissions stay, unless the executable bit is what changes."""
    checked_out = source.stat().st_mode & 0o777
    if stamp is not None and bool(stamp.permissions & 0o100) == bool(checked_out & 0o100):
        return stamp.permissions
    return checked_out


def _exchange(change: Change, copies: Copies, placed: dict[str, str | None], undo: _Undo) -> None:
    for path, temporary in placed.items():
        before, after = copies.stamps[path], None
        if temporary is None:
            files.remove(change.top, path, expected=before)
        else:
            after = files.exchange(change.top, path, temporary, expected=before)
        undo.append(partial(_restore, change.top, copies, path, after))


def _restore(top: Path, copies: Copies, path: str, now: files.Stamp | None) -> None:
    before = copies.stamps[path]
    if before is None:
        files.remove(top, path, expected=now)
    else:
        temporary = files.place(top, path, copies.folder / path, permissions=before.permissions)
        files.exchange(top, path, temporary, expected=now)


def _refuse_unequal(change: Change, new: str, folder: Path) -> None:
    paths = tuple(change.after)
    committed = trees.at_commit(change.top, new, paths)
    copies = worktree.copied(change.top, paths, folder)
    written = worktree.in_worktree(change.top, copies, like=change.after, blobs="computed")
    unequal = {*trees.differing(committed, change.after), *trees.differing(written, change.after)}
    if unequal:
        raise GitRefused(f"{changes.named(sorted(unequal))} did not compare equal after writing; all was undone.")


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


def _refresh(top: Path, paths: list[str]) -> None:
    """Let the index know the new files' times, so that nothing looks modified; content is settled already."""
    if paths:
        asked = "".join(f"{path}\0" for path in paths).encode()
        with suppress(GitRefused):
            command.attempt(top, "add", "--refresh", "--pathspec-from-file=-", "--pathspec-file-nul", stdin=asked)
