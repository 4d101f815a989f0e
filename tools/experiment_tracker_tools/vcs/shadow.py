"""What git must not see while variants are served live: lines of info/exclude, and a file out of its sight."""

from collections.abc import Callable, Iterable
from pathlib import Path

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.vcs import command

_Change = Callable[[list[str]], list[str]]


def worktrees(top: Path) -> tuple[Path, ...]:
    """The repository's work trees that exist, the main one first."""
    said = command.run(top, "worktree", "list", "--porcelain").decode("utf-8", "surrogateescape")
    named = [Path(line.removeprefix("worktree ")) for line in said.splitlines() if line.startswith("worktree ")]
    return tuple(each for each in named if (each / ".git").exists())


def content(top: Path, commit: str, path: str) -> bytes | None:
    """A file's content in a commit, None where it is not there."""
    told = command.attempt(top, "cat-file", "blob", f"{commit}:{path}")
    return None if told.status else told.out


def is_clean(top: Path, path: str) -> bool:
    """Whether a tracked file is as HEAD has it, in index and work tree."""
    return not command.run(top, "status", "--porcelain", "--untracked-files=all", "--", path).strip()


def is_tracked(top: Path, path: str) -> bool:
    """Whether the index has the file."""
    return not command.attempt(top, "ls-files", "--error-unmatch", "--", path).status


def exclude(top: Path, patterns: Iterable[str]) -> None:
    """Keep untracked files out of `git status` in every work tree, by lines of info/exclude.

    Raises:
        GitRefused: if the file cannot be written.
    """
    _rewrite(top, lambda lines: [*lines, *(each for each in patterns if each not in lines)])


def include(top: Path, patterns: Iterable[str]) -> None:
    """Take these lines of info/exclude away again."""
    gone = frozenset(patterns)
    _rewrite(top, lambda lines: [line for line in lines if line not in gone])


def hide(top: Path, path: str) -> None:
    """Let git look away from a tracked file: it stays out of status, add and commit until it is shown again."""
    command.run(top, "update-index", "--skip-worktree", "--", path)


def show(top: Path, path: str) -> None:
    """Let git see a hidden file again."""
    command.attempt(top, "update-index", "--no-skip-worktree", "--", path)


def _rewrite(top: Path, change: _Change) -> None:
    common = Path(command.line(top, "rev-parse", "--git-common-dir"))
    file = (top / common / "info" / "exclude").resolve()
    try:
        before = file.read_text("utf-8", "surrogateescape") if file.exists() else ""
        lines = before.splitlines()
        after = change(lines)
        if after == lines:
            return
        file.parent.mkdir(exist_ok=True)
        staged = file.with_name("exclude.experiment-tracker")
        staged.write_text("".join(f"{line}\n" for line in after), "utf-8", "surrogateescape")
        staged.replace(file)
    except OSError as error:
        raise GitRefused(f"Cannot write git's info/exclude: {error.strerror}. Nothing was changed.") from error
