"""Files on refs of their own: written without touching branch, index or work tree, pushed and fetched on request."""

import re
from collections.abc import Mapping
from pathlib import Path

from experiment_tracker_tools.core.errors import Conflict, GitRefused, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command

PREFIX = "refs/experiments/ledger/"
_WRITER = re.compile(r"[a-z0-9]{4}\Z")
_FILE = re.compile(r"[a-z0-9][a-z0-9-]{0,63}\.json\Z")
_REMOTE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_NETWORK_S = 120.0


def tip(root: Path, writer: str) -> str:
    """The commit that a writer shared last; empty where it has not."""
    outcome = command.attempt(root, "rev-parse", "--verify", "--quiet", _ref(writer))
    return outcome.out.decode().strip() if outcome.status == 0 else ""


def write(root: Path, writer: str, files: Mapping[str, bytes], *, after: str) -> str:
    """Make these files all that a writer's ref holds; gives the commit, the old one where nothing changed.

    Raises:
        Conflict: if the ref is not at `after`: another store writes under this name.
    """
    ref = _ref(writer)
    lines = [f"100644 blob {_blob(root, files[name])}\t{_checked_file(name)}\n" for name in sorted(files)]
    tree = command.line(root, "mktree", stdin="".join(lines).encode())
    if after and command.line(root, "rev-parse", f"{after}^{{tree}}") == tree:
        return after
    parents = ("-p", after) if after else ()
    commit = command.line(root, "commit-tree", tree, *parents, "-m", f"experiments of {writer}", env=_identity())
    outcome = command.attempt(root, "update-ref", ref, commit, after or "0" * len(commit))
    if outcome.status:
        raise Conflict(f"{ref} moved meanwhile. Nothing was shared; call `share` again.")
    return commit


def read(root: Path) -> dict[str, dict[str, bytes]]:
    """What every writer's ref holds, by writer and file; names that `write` does not give are left out."""
    listed = command.run(root, "for-each-ref", "--format=%(refname)", PREFIX).decode("utf-8", "replace")
    writers = [ref.removeprefix(PREFIX) for ref in listed.split() if _WRITER.match(ref.removeprefix(PREFIX))]
    return {writer: _files(root, writer) for writer in writers}


def exchange(root: Path, remote: str, writer: str) -> None:
    """Push a writer's ref to a remote and fetch those of the others.

    Raises:
        InvalidInput: if the remote is not the plain name of one.
        GitRefused: with what git says.
    """
    if not _REMOTE.match(remote):
        raise InvalidInput(f"{quoted(remote)} is not the plain name of a remote, such as origin.")
    if remote not in command.run(root, "remote").decode("utf-8", "replace").split():
        raise GitRefused(f"This repository has no remote {quoted(remote)}. Add one: git remote add NAME URL.")
    ref = _ref(writer)
    command.run(root, "push", "--quiet", "--no-verify", remote, f"{ref}:{ref}", timeout_s=_NETWORK_S)
    told = command.run(root, "ls-remote", remote, f"{PREFIX}*", timeout_s=_NETWORK_S).decode("utf-8", "replace")
    theirs = [line.split("\t")[1] for line in told.splitlines() if "\t" in line]
    wanted = [f"+{each}:{each}" for each in theirs if each != ref and _WRITER.match(each.removeprefix(PREFIX))]
    if wanted:
        fetch = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", remote)
        command.run(root, *fetch, *wanted, timeout_s=_NETWORK_S)


def _files(root: Path, writer: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for record in command.records(command.run(root, "ls-tree", "-z", _ref(writer))):
        told, name = record.split("\t", 1)
        mode, kind, blob = told.split(" ")
        if kind == "blob" and mode == "100644" and _FILE.match(name):
            found[name] = command.run(root, "cat-file", "blob", blob)
    return found


def _blob(root: Path, content: bytes) -> str:
    return command.line(root, "hash-object", "-w", "--stdin", stdin=content)


def _ref(writer: str) -> str:
    if not _WRITER.match(writer):
        raise InvalidInput(f"{quoted(writer)} is no name of a writer: four of a-z and 0-9.")
    return f"{PREFIX}{writer}"


def _checked_file(name: str) -> str:
    if not _FILE.match(name):
        raise InvalidInput(f"{quoted(name)} is no name of a shared file.")
    return name


def _identity() -> dict[str, str]:
    # Who shares is told by the writer's name; nobody's name and address travel with it.
    return {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "experiment-tracker"), ("EMAIL", "experiment-tracker@localhost"))
    }
