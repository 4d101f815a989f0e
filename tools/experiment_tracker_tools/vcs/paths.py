"""Declared paths: repository-relative, plain, and never through a symbolic link or into a submodule."""

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import is_unsafe, quoted
from experiment_tracker_tools.vcs import files

MOST_PATHS = 5_000
_LONGEST_PATH = 1_024
_LONGEST_PART = 255


def declared(root: Path, paths: Iterable[str]) -> tuple[str, ...]:
    """Give the paths back, in their order, once each is safe to read and to write below `root`.

    A path may be missing from the work tree: a variant may create or delete it.

    Args:
        root: the top of the work tree.
        paths: repository-relative POSIX paths of files, 1 to 5,000.

    Raises:
        InvalidInput: for a path that is empty, absolute, leaves the tree, names git's own files, hides something
            (control characters, other Unicode form), is too long, a duplicate, a folder, or passes a symbolic link
            or a nested repository.
    """
    given = tuple(paths)
    if not 1 <= len(given) <= MOST_PATHS:
        raise InvalidInput(f"{len(given)} paths were declared. Declare 1 to {MOST_PATHS} files.")
    for path in given:
        fault = _fault(path)
        if fault:
            raise InvalidInput(f"Path {quoted(path)} {fault}. Give a file's path from the top of the repository.")
    _refuse_overlap(given)
    for path in given:
        files.inspect(root, path)
    return given


def ancestors(path: str) -> tuple[str, ...]:
    """Give the folders above a path, from the top.

    >>> ancestors("a/b/c.py")
    ('a', 'a/b')
    """
    parts = path.split("/")
    return tuple("/".join(parts[:end]) for end in range(1, len(parts)))


def _refuse_overlap(paths: tuple[str, ...]) -> None:
    seen: set[str] = set()
    for path in paths:
        if path in seen:
            raise InvalidInput(f"Path {quoted(path)} is declared twice. Declare it once.")
        seen.add(path)
    for path in paths:
        for folder in ancestors(path):
            if folder in seen:
                raise InvalidInput(f"Path {quoted(folder)} is declared as a file and as the folder of {quoted(path)}.")


def _fault(path: str) -> str:
    faults = {
        "is empty": not path,
        f"is longer than {_LONGEST_PATH} characters": len(path) > _LONGEST_PATH,
        "holds a control, hidden or line-breaking character": any(is_unsafe(c) for c in path),
        "is not in the composed Unicode form (NFC)": not unicodedata.is_normalized("NFC", path),
        "is absolute": path.startswith("/"),
        "begins with '-'": path.startswith("-"),
        "holds a backslash": "\\" in path,
    }
    whole = next((fault for fault, found in faults.items() if found), "")
    return whole or next((fault for part in path.split("/") if (fault := _part_fault(part))), "")


def _part_fault(part: str) -> str:
    if part in {"", "."}:
        return "has an empty part or a '.' between its slashes"
    if part == "..":
        return "leaves the repository with '..'"
    # Windows and macOS file systems take '.GIT', '.git.', 'git~1' and '.git::$INDEX' for the same folder.
    if part.casefold().rstrip(". ").split(":")[0] in {".git", "git~1"}:
        return "names git's own folder"
    if len(part.encode("utf-8", "replace")) > _LONGEST_PART:
        return f"has a part of more than {_LONGEST_PART} bytes"
    return ""
