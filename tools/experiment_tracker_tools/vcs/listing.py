"""Which files a work tree or a commit holds, what they say, and when their lines were last changed."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command

_MOST_BLAMED = 40


class Ends(NamedTuple):
    """The two commits of a range."""

    before: str
    after: str


def listed(root: Path) -> tuple[str, ...]:
    """Paths of all files below `root` that git does not ignore, tracked or not; also where there is no repository.

    Raises:
        GitRefused: if git is missing.
    """
    arguments = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    found = command.attempt(root, *arguments)
    if found.status == 0:
        return tuple(command.records(found.out))
    with tempfile.TemporaryDirectory() as scratch:
        command.run(root, "init", "-q", "--bare", scratch)
        return tuple(command.records(command.run(root, f"--git-dir={scratch}", f"--work-tree={root}", *arguments)))


def changed(root: Path) -> tuple[str, ...]:
    """Paths that differ from HEAD, and those that git does not know yet; relative to `root`.

    Raises:
        GitRefused: if git is missing or `root` is in no repository.
    """
    differ = command.run(root, "diff", "--name-only", "-z", "--relative", "--no-renames", "HEAD", "--")
    unknown = command.run(root, "ls-files", "-z", "--others", "--exclude-standard")
    return tuple(dict.fromkeys([*command.records(differ), *command.records(unknown)]))


def ends_of(root: Path, span: str) -> Ends:
    """The commits of `A..B`, `A...B` (from their merge base) or `A` (its parent to it).

    Raises:
        InvalidInput: if it names no commits.
    """
    dots = "..." if "..." in span else ".."
    first, found, second = span.partition(dots)
    if not found:
        return Ends(_commit(root, f"{first}^"), _commit(root, first))
    ends = Ends(_commit(root, first or "HEAD"), _commit(root, second or "HEAD"))
    if dots == "...":
        return ends._replace(before=command.line(root, "merge-base", ends.before, ends.after))
    return ends


def _commit(root: Path, name: str) -> str:
    if not name or name.startswith("-") or any(c in name for c in "\0\n: "):
        raise InvalidInput(f"{quoted(name)} names no commit. Give A..B, A...B or one commit.")
    found = command.attempt(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if found.status:
        raise InvalidInput(f"{quoted(name)} names no commit here. Give A..B, A...B or one commit.")
    return found.out.decode().strip()


def blobs(root: Path, commit: str) -> Mapping[str, str]:
    """Object names of all plain files of a commit, by path."""
    found: dict[str, str] = {}
    for record in command.records(command.run(root, "ls-tree", "-r", "-z", "--full-tree", commit)):
        about, _, path = record.partition("\t")
        mode, kind, name = about.split(" ")
        if kind == "blob" and mode != "120000":
            found[path] = name
    return found


def contents(root: Path, names: Sequence[str], *, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """The contents of blobs that are not larger than that, by object name."""
    if not names:
        return
    given = "\n".join(names).encode() + b"\n"
    sizes = command.run(root, "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=given).decode().split("\n")
    small = [line.split(" ")[0] for line in sizes if line and int(line.split(" ")[1]) <= most_bytes]
    for begin in range(0, len(small), 2_000):
        part = small[begin : begin + 2_000]
        out = command.run(root, "cat-file", "--batch", stdin="\n".join(part).encode() + b"\n")
        at = 0
        for name in part:
            end = out.index(b"\n", at)
            size = int(out[at:end].split(b" ")[2])
            yield name, out[end + 1 : end + 1 + size]
            at = end + 2 + size


def line_times(root: Path, places: Mapping[str, Sequence[int]]) -> Mapping[tuple[str, int], int]:
    """When lines were last committed, in seconds since 1970; lines that are not committed are missing."""
    found: dict[tuple[str, int], int] = {}
    for path, lines in list(places.items())[:_MOST_BLAMED]:
        spans = [part for line in sorted(set(lines)) for part in ("-L", f"{line},{line}")]
        try:
            told = command.attempt(root, "blame", "--porcelain", *spans, "--", path)
        except GitRefused:
            continue
        if told.status == 0:
            found.update(((path, line), at) for line, at in _blamed(told.out.decode("utf-8", "replace")))
    return found


def _blamed(porcelain: str) -> Iterator[tuple[int, int]]:
    times: dict[str, int] = {}
    commit, line = "", 0
    for row in porcelain.split("\n"):
        if row.startswith("committer-time "):
            times[commit] = int(row.split(" ")[1])
        elif row.startswith("\t"):
            if commit in times and commit.strip("0"):
                yield line, times[commit]
        elif len(row) > 40 and all(c in "0123456789abcdef" for c in row[:40]):
            commit, line = row[:40], int(row.split(" ")[2])
