"""Where the repository is and which state it is in. Finding it needs no git process, so that start-up stays fast."""

import re
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command

_UNFINISHED = {
    "MERGE_HEAD": "a merge is in progress; finish it (git merge --continue) or abort it (git merge --abort)",
    "CHERRY_PICK_HEAD": "a cherry-pick is in progress; finish it or abort it (git cherry-pick --abort)",
    "REVERT_HEAD": "a revert is in progress; finish it or abort it (git revert --abort)",
    "rebase-merge": "a rebase is in progress; finish it or abort it (git rebase --abort)",
    "rebase-apply": "a rebase or git am is in progress; finish it or abort it",
    "BISECT_LOG": "a bisect is in progress; end it (git bisect reset)",
    "index.lock": "another git process holds index.lock; wait for it, or remove the file if it is left over",
}


class Head(NamedTuple):
    """What is checked out: `commit` is None before the first commit, `branch` is None when HEAD is detached."""

    commit: str | None
    branch: str | None


class _Place(NamedTuple):
    top: Path
    git_dir: Path


def find_root(start: Path) -> Path | None:
    """Give the top of the main work tree of the repository around `start`, also from a linked one; None without git.

    A linked work tree of a bare repository has no main work tree: then it is its own root.
    """
    place = _place(start)
    if place is None:
        return None
    common = _common_dir(place.git_dir)
    if common == place.git_dir:
        return place.top
    if common.name == ".git":
        return common.parent
    return _configured_worktree(common) or place.top


def find_worktree(start: Path) -> Path | None:
    """Give the top of the work tree around `start` (a linked one is its own), or None outside of a repository."""
    place = _place(start)
    return None if place is None else place.top


def git_folders(top: Path) -> tuple[Path, Path] | None:
    """The work tree's own folder of git's, and the one that all work trees share; None where git has gone."""
    own = _git_dir_in(top)
    return None if own is None else (own, _common_dir(own))


def checked_top(root: Path) -> Path:
    """Give `root`, resolved, if it is the top of a work tree.

    Raises:
        GitRefused: if it is not in a repository, is a bare one, or lies below the top.
    """
    place = _place(root)
    if place is None and _looks_like_git_dir(root.resolve()):
        raise GitRefused(f"{quoted(str(root))} is a bare repository: it has no work tree. Use a clone with one.")
    if place is None:
        raise GitRefused(f"{quoted(str(root))} is not in a git repository. Run `git init`, or start in another folder.")
    if place.top != root.resolve():
        raise GitRefused(f"{quoted(str(root))} is not the top of its work tree. Start in {quoted(str(place.top))}.")
    return place.top


def head(root: Path) -> Head:
    """Tell what is checked out in `root`, the top of a work tree.

    Raises:
        GitRefused: if git is missing or `root` is not in a repository.
    """
    reference = command.attempt(root, "symbolic-ref", "-q", "HEAD")
    if reference.status > 1:
        command.run(root, "symbolic-ref", "-q", "HEAD")
    commit = command.attempt(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    branch = reference.out.decode("utf-8", "surrogateescape").strip().removeprefix("refs/heads/")
    return Head(commit.out.decode().strip() or None, branch or None)


def git_version() -> tuple[int, ...]:
    """Give the version of the installed git, for example (2, 39, 5).

    Raises:
        GitRefused: if git is missing.
    """
    said = command.line(Path("/"), "version")
    found = re.search(r"\d+(?:\.\d+)+", said)
    return tuple(int(part) for part in found.group().split(".")) if found else (0,)


def state_problems(root: Path) -> tuple[str, ...]:
    """List what keeps a commit from being made in `root` now, each with its mend; empty when nothing does.

    Raises:
        GitRefused: if git is missing.
    """
    try:
        top = checked_top(root)
    except GitRefused as refusal:
        return (str(refusal),)
    return problems_at(top, head(top))


def problems_at(top: Path, at: Head) -> tuple[str, ...]:
    """List what keeps a commit from being made at the top of a work tree whose HEAD is known."""
    return (*_head_problems(at), *_unfinished(_git_dir(top)), *_elsewhere(top))


def unborn(at: Head) -> str:
    """What to say of a branch without a commit."""
    return f"branch {quoted(at.branch)} has no commit yet; make a first commit"


def _head_problems(at: Head) -> tuple[str, ...]:
    if at.commit is None:
        return (unborn(at),)
    if at.branch is None:
        return (f"HEAD is detached at {at.commit[:12]}; check out the branch that is meant (git switch BRANCH)",)
    return ()


def _elsewhere(top: Path) -> tuple[str, ...]:
    """What git itself would write to must be the folder that we look at."""
    said = command.line(top, "rev-parse", "--show-toplevel")
    if Path(said).resolve() == top.resolve():
        return ()
    return (f"git's work tree is {quoted(said)} (core.worktree), not {quoted(str(top))}; work there, or unset it",)


def _unfinished(git_dir: Path) -> tuple[str, ...]:
    return tuple(problem for name, problem in _UNFINISHED.items() if (git_dir / name).exists())


def _git_dir(top: Path) -> Path:
    place = _place(top)
    assert place is not None
    return place.git_dir


def _place(start: Path) -> _Place | None:
    here = start.resolve()
    for folder in (here, *here.parents):
        git_dir = _git_dir_in(folder)
        if git_dir is not None:
            return _Place(folder, git_dir)
    return None


def _git_dir_in(folder: Path) -> Path | None:
    entry = folder / ".git"
    try:
        if entry.is_dir():
            target = entry
        elif entry.is_file():
            said = entry.read_text("utf-8", "surrogateescape")[:8192]
            if not said.startswith("gitdir:"):
                return None
            target = folder / said.removeprefix("gitdir:").strip()
        else:
            return None
        return target.resolve() if _looks_like_git_dir(target) else None
    except OSError:
        return None


def _looks_like_git_dir(folder: Path) -> bool:
    return (folder / "HEAD").is_file() and ((folder / "objects").is_dir() or (folder / "commondir").is_file())


def _common_dir(git_dir: Path) -> Path:
    try:
        return (git_dir / (git_dir / "commondir").read_text("utf-8", "surrogateescape").strip()).resolve()
    except OSError:
        return git_dir


def _configured_worktree(git_dir: Path) -> Path | None:
    """The work tree that a submodule's git directory names: its linked work trees belong to that one."""
    try:
        said = (git_dir / "config").read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    found = re.search(r"^\s*worktree\s*=\s*(\S.*?)\s*$", said, re.MULTILINE)
    return None if found is None else (git_dir / found.group(1)).resolve()
