"""The declared paths as git sees them: in a commit, in the user's index, in a private index."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command
from experiment_tracker_tools.vcs.paths import ancestors

REGULAR = {"100644", "100755"}


class Entry(NamedTuple):
    """A file in git: its mode ('100644', or '100755' when executable) and the id of its blob."""

    mode: str
    blob: str


# One entry a declared path, in the order of declaration; None where the file does not exist.
Entries = dict[str, Entry | None]


def at_commit(root: Path, commit: str, paths: tuple[str, ...]) -> Entries:
    """Give what the commit (or tree) holds at the declared paths.

    Raises:
        InvalidInput: if a path is a folder, a symbolic link or a submodule there, or lies below one.
        GitRefused: if git fails.
    """
    above = {folder for path in paths for folder in ancestors(path)}
    asked = command.pathspecs((*paths, *sorted(above)))
    said = command.run(root, "ls-tree", "-z", "-t", *(() if asked else ("-r",)), commit, *asked)
    entries: Entries = dict.fromkeys(paths)
    for record in command.records(said):
        (mode, kind, blob), path = record.split("\t", 1)[0].split(" "), record.split("\t", 1)[1]
        if path in above and kind != "tree":
            raise InvalidInput(f"{quoted(path)} is a {_kind(mode)} in {commit[:12]}; no file below it can be declared.")
        if path in entries:
            entries[path] = _regular(Entry(mode, blob), path)
    return entries


def in_index(root: Path, paths: tuple[str, ...], *, index: Path | None = None) -> Entries:
    """Give what the user's index, or a private one, holds at the declared paths.

    Raises:
        GitRefused: if a path is unmerged, outside of the sparse checkout or marked as assumed unchanged.
        InvalidInput: if a path is a symbolic link or a submodule there.
    """
    said = command.run(root, "ls-files", "-z", "-s", "-v", *command.pathspecs(paths), env=env(index))
    entries: Entries = dict.fromkeys(paths)
    for record in command.records(said):
        told, path = record.split("\t", 1)
        if path not in entries:
            continue
        tag, mode, blob, stage = told.split(" ")
        if stage != "0":
            raise GitRefused(f"Path {quoted(path)} has an unresolved conflict. Resolve it, then call again.")
        if tag != "H":
            raise GitRefused(
                f"Path {quoted(path)} is outside of the sparse checkout or marked as assumed unchanged, so its work "
                "tree file cannot be trusted. Add it to the sparse checkout, or clear the mark (git update-index)."
            )
        entries[path] = _regular(Entry(mode, blob), path)
    return entries


def read_into(root: Path, commit: str, index: Path) -> None:
    """Fill a private index with everything that the commit holds."""
    command.run(root, "read-tree", commit, env=env(index))


def set_entries(root: Path, entries: Mapping[str, Entry | None], *, index: Path | None) -> None:
    """Set exactly these paths in a private index (or, with None, in the user's) and leave all others as they are."""
    present = "".join(f"{entry.mode} {entry.blob}\t{path}\0" for path, entry in entries.items() if entry)
    absent = [path for path, entry in entries.items() if entry is None]
    if absent:
        command.run(root, "update-index", "--force-remove", "-z", "--stdin", stdin=listed(absent), env=env(index))
    if present:
        command.run(root, "update-index", "-z", "--index-info", stdin=_encoded(present), env=env(index))


def write_tree(root: Path, index: Path) -> str:
    """Write the private index as a tree and give its id."""
    return command.line(root, "write-tree", env=env(index))


def tree_with(root: Path, commit: str, entries: Mapping[str, Entry | None]) -> str:
    """Write the commit's tree with these paths set, and give its id."""
    with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as scratch:
        index = Path(scratch) / "index"
        read_into(root, commit, index)
        set_entries(root, entries, index=index)
        return write_tree(root, index)


def checked_out(root: Path, paths: Sequence[str], *, index: Path, folder: Path) -> None:
    """Write files of a private index below `folder` as a checkout would: filters, line endings, modes."""
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f"--prefix={folder}{os.sep}"
    command.run(root, "checkout-index", "-f", prefix, "-z", "--stdin", stdin=listed(paths), env=env(index))


def differing(left: Mapping[str, Entry | None], right: Mapping[str, Entry | None]) -> tuple[str, ...]:
    """Name the paths at which the two differ in content or mode; both must have the same paths."""
    return tuple(path for path, entry in left.items() if right[path] != entry)


def env(index: Path | None) -> dict[str, str]:
    """Point git at a private index; None leaves it at the user's."""
    return {} if index is None else {"GIT_INDEX_FILE": str(index)}


def listed(paths: Sequence[str]) -> bytes:
    """Write paths as git reads them from standard input with -z."""
    return _encoded("".join(f"{path}\0" for path in paths))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _regular(entry: Entry, path: str) -> Entry:
    if entry.mode not in REGULAR:
        raise InvalidInput(f"Path {quoted(path)} is a {_kind(entry.mode)}. Declare regular files.")
    return entry


def _kind(mode: str) -> str:
    return {"120000": "symbolic link", "160000": "submodule", "040000": "folder"}.get(mode, "file")
