"""Names of refs, commits and experiments: hostile until checked, and passed to git only after that."""

import re
from collections.abc import Sequence
from pathlib import Path

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput, NotFound
from experiment_tracker_tools.core.text import is_unsafe, quoted
from experiment_tracker_tools.vcs import command

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_FORBIDDEN = frozenset(" ~^:?*[\\\x7f")
_LONGEST = 255
PREFIX = "refs/experiments"


def checked_ref(text: str) -> str:
    """Give back `text` if it is a plain name of a branch, tag or commit, as git check-ref-format has it.

    Raises:
        InvalidInput: for anything else: options, `..`, `@{`, `^`, `~`, `:`, URLs, control characters.

    >>> checked_ref("feature/fast-path")
    'feature/fast-path'
    """
    reason = _fault(text)
    if reason:
        raise InvalidInput(
            f"{quoted(text)} is not a plain branch, tag or commit: {reason}. Give a branch name or a commit id."
        )
    return text


def resolve(root: Path, text: str) -> str:
    """Give the full commit id that the branch, tag or commit `text` names.

    Raises:
        InvalidInput: if `text` is not a plain name.
        NotFound: if the repository has no such commit.
    """
    asked = f"{checked_ref(text)}^{{commit}}"
    outcome = command.attempt(root, "rev-parse", "--verify", "--quiet", "--end-of-options", asked)
    # Before git 2.30 --end-of-options is echoed; a name that cannot begin with '-' makes the last line safe.
    found = outcome.out.decode("utf-8", "replace").split()
    if outcome.status or not found or not _COMMIT.match(found[-1]):
        raise NotFound(f"This repository has no branch, tag or commit {quoted(text)}. Fetch or create it first.")
    return found[-1]


def checked_commits(root: Path, commits: Sequence[str]) -> None:
    """Make sure that each full commit id is a commit that this repository still has.

    Raises:
        InvalidInput: if one is not a full commit id.
        GitRefused: if one is missing (its ref was deleted and git gc ran, or it was never fetched).
    """
    for commit in commits:
        full_commit(commit)
    asked = "".join(f"{commit}\n" for commit in commits).encode()
    for told in command.run(root, "cat-file", "--batch-check", stdin=asked).decode().splitlines():
        name, kind = told.split()[:2]
        if kind != "commit":
            raise GitRefused(f"Commit {name[:12]} is not in this repository ({kind}). Fetch it, or capture again.")


def held(root: Path, ref: str) -> str | None:
    """Give the commit that a ref, named in full, holds; None if there is no such ref."""
    found = command.attempt(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    return found.out.decode().split()[-1] if found.status == 0 else None


def is_ancestor(root: Path, commit: str, later: str) -> bool:
    """Tell whether a commit is in the history of a later one, or is it."""
    return command.attempt(root, "merge-base", "--is-ancestor", commit, later).status == 0


def full_commit(commit: str) -> str:
    """Give back a commit's id if it is a full one.

    Raises:
        InvalidInput: if it is not.
    """
    if not _COMMIT.match(commit):
        raise InvalidInput(f"{quoted(commit)} is not a full commit id. Give all 40 (or 64) characters.")
    return commit


def experiment_ref(experiment_id: str, variant: str) -> str:
    """Give the ref that keeps a variant.

    Raises:
        InvalidInput: if the id or the name is not made of a-z, 0-9 and '-'.

    >>> experiment_ref("exp-2026-11-20-001", "control")
    'refs/experiments/exp-2026-11-20-001/control'
    """
    return f"{experiment_folder(experiment_id)}{checked_name('variant', variant)}"


def experiment_folder(experiment_id: str) -> str:
    """Give the folder of refs of one experiment, with its closing slash."""
    return f"{PREFIX}/{checked_name('experiment id', experiment_id)}/"


def checked_name(what: str, name: str) -> str:
    """Give back a variant's name or an experiment's id if it can be part of a ref.

    Raises:
        InvalidInput: if it is not 1 to 64 of a-z, 0-9 and '-', beginning with a letter or digit.
    """
    if not _NAME.match(name):
        raise InvalidInput(f"{what} {quoted(name)} must be 1 to 64 of a-z, 0-9 and '-', not beginning with '-'.")
    return name


def _fault(text: str) -> str:
    parts = text.split("/")
    faults = {
        f"it must have 1 to {_LONGEST} bytes": not 1 <= len(text.encode("utf-8", "replace")) <= _LONGEST,
        "it begins with '-'": text.startswith("-"),
        "it holds a control character, a space or one of ~ ^ : ? * [ \\": any(
            is_unsafe(c) or c in _FORBIDDEN for c in text
        ),
        "'..', '@{' and '@' are not names": ".." in text or "@{" in text or text == "@",
        "it ends with '.'": text.endswith("."),
        "a part between slashes is empty, begins with '.' or ends with '.lock'": any(
            not part or part.startswith(".") or part.endswith(".lock") for part in parts
        ),
    }
    return next((fault for fault, found in faults.items() if found), "")
