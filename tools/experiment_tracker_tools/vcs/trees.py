"""The declared paths as git sees them: in a commit, in the user's index, in the work tree, in a private index."""

import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command, files
from experiment_tracker_tools.vcs.paths import ancestors

_REGULAR = {"100644", "100755"}


class Entry(NamedTuple):
    """A file in git: its mode ('100644', or '100755' when executable) and the id of its blob."""

    mode: str
    blob: str


# One entry a declared path, in the order of declaration; None where the file does not exist.
Entries = dict[str, Entry | None]


class Copies(NamedTuple):
    """The work tree's declared files, copied to a folder of ours: stamps are None for files that do not exist."""

    folder: Path
    stamps: dict[str, files.Stamp | None]


def at_commit(root: Path, commit: str, paths: tuple[str, ...]) -> Entries:
    """Give what the commit (or tree) holds at the declared paths.

    Raises:
        InvalidInput: if a path is a folder, a symbolic link or a submodule there, or lies below one.
        GitRefused: if git fails.
    """
    above = {folder for path in paths for folder in ancestors(path)}
    asked = command.pathspecs((*paths, *sorted(above)))
    listed = command.run(root, "ls-tree", "-z", "-t", *(() if asked else ("-r",)), commit, *asked)
    entries: Entries = dict.fromkeys(paths)
    for record in command.records(listed):
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
    listed = command.run(root, "ls-files", "-z", "-s", "-v", *command.pathspecs(paths), env=_env(index))
    entries: Entries = dict.fromkeys(paths)
    for record in command.records(listed):
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


def copied(root: Path, paths: tuple[str, ...], folder: Path) -> Copies:
    """Copy the work tree's declared files, and the .gitattributes that rule them, into a new `folder`.

    Git reads files by their path; by reading copies it cannot be led out of the tree by a link put there meanwhile.

    Raises:
        InvalidInput: if a symbolic link, a folder, a nested repository or a special file is in the way.
    """
    folder.mkdir(parents=True)
    stamps = {path: files.copy_out(root, path, folder / path) for path in paths}
    rules = {f"{above}/.gitattributes" for path in paths for above in ancestors(path)} | {".gitattributes"}
    for rule in sorted(rules - set(paths)):
        with suppress(InvalidInput):
            files.copy_out(root, rule, folder / rule)
    return Copies(folder, stamps)


def in_worktree(
    root: Path, copies: Copies, *, like: Path, scratch: Path, blobs: Literal["kept", "computed"]
) -> Entries:
    """Give what `git add` would make of the copied files, with the user's filters, line endings and file modes.

    Args:
        root: the top of the work tree.
        copies: from `copied`.
        like: a private index with the content that the files descend from (line-ending rules ask it).
        scratch: where a throw-away copy of that index may be written.
        blobs: "kept" writes the contents into the object store, "computed" only hashes them.
    """
    paths = tuple(copies.stamps)
    shutil.copyfile(like, scratch)
    env = {**_env(scratch), "GIT_WORK_TREE": str(copies.folder)}
    options = ("--add", "--remove") if blobs == "kept" else ("--add", "--remove", "--info-only")
    command.run(root, "update-index", *options, "-z", "--stdin", stdin=_listed(paths), env=env)
    return in_index(root, paths, index=scratch)


def read_into(root: Path, commit: str, index: Path) -> None:
    """Fill a private index with everything that the commit holds."""
    command.run(root, "read-tree", commit, env=_env(index))


def set_entries(root: Path, entries: Mapping[str, Entry | None], *, index: Path | None) -> None:
    """Set exactly these paths in a private index (or, with None, in the user's) and leave all others as they are."""
    present = "".join(f"{entry.mode} {entry.blob}\t{path}\0" for path, entry in entries.items() if entry)
    absent = [path for path, entry in entries.items() if entry is None]
    if absent:
        command.run(root, "update-index", "--force-remove", "-z", "--stdin", stdin=_listed(absent), env=_env(index))
    if present:
        command.run(root, "update-index", "-z", "--index-info", stdin=_encoded(present), env=_env(index))


def write_tree(root: Path, index: Path) -> str:
    """Write the private index as a tree and give its id."""
    return command.line(root, "write-tree", env=_env(index))


def checked_out(root: Path, paths: Sequence[str], *, index: Path, folder: Path) -> None:
    """Write files of a private index below `folder` as a checkout would: filters, line endings, modes."""
    folder.mkdir(parents=True, exist_ok=True)
    prefix = f"--prefix={folder}{os.sep}"
    command.run(root, "checkout-index", "-f", prefix, "-z", "--stdin", stdin=_listed(paths), env=_env(index))


def differing(left: Mapping[str, Entry | None], right: Mapping[str, Entry | None]) -> tuple[str, ...]:
    """Name the paths at which the two differ in content or mode; both must have the same paths."""
    return tuple(path for path, entry in left.items() if right[path] != entry)


def _env(index: Path | None) -> dict[str, str]:
    return {} if index is None else {"GIT_INDEX_FILE": str(index)}


def _listed(paths: Sequence[str]) -> bytes:
    return _encoded("".join(f"{path}\0" for path in paths))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _regular(entry: Entry, path: str) -> Entry:
    if entry.mode not in _REGULAR:
        raise InvalidInput(f"Path {quoted(path)} is a {_kind(entry.mode)}. Declare regular files.")
    return entry


def _kind(mode: str) -> str:
    return {"120000": "symbolic link", "160000": "submodule", "040000": "folder"}.get(mode, "file")
