"""The declared files of the work tree, as `git add` would store them: filters, line endings and modes included."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.vcs import command, files, trees
from experiment_tracker_tools.vcs.paths import ancestors
from experiment_tracker_tools.vcs.trees import Entries, Entry


class Copies(NamedTuple):
    """The work tree's declared files, copied to a folder of ours: stamps are None for files that do not exist.

    `rules` are the .gitattributes in the user's index, which git asks where the work tree has none; `filtered` are the
    paths with a filter of the user's (Git LFS is one).
    """

    folder: Path
    stamps: dict[str, files.Stamp | None]
    rules: dict[str, Entry]
    filtered: frozenset[str]


def copied(root: Path, paths: tuple[str, ...], folder: Path) -> Copies:
    """Copy the work tree's declared files, and the .gitattributes that rule them, into a new `folder`.

    Git reads files by their path; by reading copies it cannot be led out of the tree by a link put there meanwhile.

    Raises:
        InvalidInput: if a symbolic link, a folder, a nested repository or a special file is in the way.
        GitRefused: if a file cannot be read.
    """
    folder.mkdir(parents=True)
    stamps = {path: files.copy_out(root, path, folder / path) for path in paths}
    return Copies(folder, stamps, _ruled(root, paths, folder), _filtered(root, paths))


def written(root: Path, contents: Mapping[str, bytes | None], folder: Path, *, like: Entries) -> Copies:
    """Lay contents into a new `folder` as if they were the work tree's files; None stands for no file.

    An executable file of `like` stays one.
    """
    folder.mkdir(parents=True)
    paths = tuple(contents)
    for path, content in contents.items():
        if content is not None:
            target, entry = folder / path, like[path]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o755 if entry and entry.mode == "100755" else 0o644)
    return Copies(folder, dict.fromkeys(paths), _ruled(root, paths, folder), _filtered(root, paths))


def _ruled(root: Path, paths: tuple[str, ...], folder: Path) -> dict[str, Entry]:
    """Copy the .gitattributes that rule the paths, and give those in the user's index."""
    above = {f"{part}/.gitattributes" for path in paths for part in ancestors(path)} | {".gitattributes"}
    rules = tuple(sorted(above - set(paths)))
    for rule in rules:
        with suppress(InvalidInput):
            files.copy_out(root, rule, folder / rule)
    return _rules_in_index(root, rules)


def in_worktree(root: Path, copies: Copies, *, like: Entries, blobs: Literal["kept", "computed"]) -> Entries:
    """Give what `git add` would make of the copied files.

    Args:
        root: the top of the work tree.
        copies: from `copied`.
        like: the content that the files descend from; line-ending and file-mode rules ask it.
        blobs: "kept" writes the contents into the object store, "computed" only hashes them.

    Raises:
        GitRefused: if git, or a filter that the user requires, fails.
    """
    plain = tuple(path for path in copies.stamps if path not in copies.filtered)
    # An index of these paths alone: what it costs does not grow with the repository.
    index = copies.folder.with_suffix(".index")
    index.unlink(missing_ok=True)
    known = {path: entry for path in plain if (entry := like[path])}
    trees.set_entries(root, {**copies.rules, **known}, index=index)
    env = {**trees.env(index), "GIT_WORK_TREE": str(copies.folder)}
    options = ("--add", "--remove") if blobs == "kept" else ("--add", "--remove", "--info-only")
    command.run(root, "update-index", *options, "-z", "--stdin", stdin=trees.listed(plain), env=env)
    found = trees.in_index(root, plain, index=index)
    if copies.filtered:
        found |= _through_filters(root, copies, like, blobs=blobs)
    return {path: found[path] for path in copies.stamps}


def _through_filters(
    root: Path, copies: Copies, like: Mapping[str, Entry | None], *, blobs: Literal["kept", "computed"]
) -> Entries:
    """Hash one file after the other from the top of the user's work tree, where filters expect to be run."""
    said = command.attempt(root, "config", "--type=bool", "--get", "core.fileMode").out.strip()
    found: Entries = {}
    for path in copies.stamps:
        if path not in copies.filtered:
            continue
        copy, before = copies.folder / path, like[path]
        if not copy.exists():
            found[path] = None
            continue
        executable = copy.stat().st_mode & 0o100 if said != b"false" else before and before.mode == "100755"
        options = ("-w",) if blobs == "kept" else ()
        blob = command.line(root, "hash-object", *options, "--stdin", f"--path={path}", stdin=copy.read_bytes())
        found[path] = Entry("100755" if executable else "100644", blob)
    return found


def _filtered(root: Path, paths: tuple[str, ...]) -> frozenset[str]:
    said = command.run(root, "check-attr", "-z", "--stdin", "filter", stdin=trees.listed(paths))
    fields = said.decode("utf-8", "surrogateescape").split("\0")
    named = zip(fields[0::3], fields[2::3], strict=False)
    return frozenset(path for path, value in named if value not in {"unspecified", "unset", "set"})


def _rules_in_index(root: Path, rules: tuple[str, ...]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for record in command.records(command.run(root, "ls-files", "-z", "-s", *command.pathspecs(rules))):
        told, path = record.split("\t", 1)
        mode, blob, stage = told.split(" ")
        if path in rules and stage == "0" and mode in trees.REGULAR:
            found[path] = Entry(mode, blob)
    return found
