"""Variants kept as commits under refs/experiments/<id>/, without touching index, HEAD or work tree."""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.vcs import command, files, refs, repository, trees, worktree
from experiment_tracker_tools.vcs.paths import declared
from experiment_tracker_tools.vcs.trees import Entries, Entry

_NAME, _EMAIL = "experiment-tracker", "experiment-tracker@localhost"


class Source(NamedTuple):
    """Where a variant's content comes from: HEAD, the commit that `ref` names, the work tree's own edits, or `texts`.

    Texts are (path, content), None for a file that the variant does not have; all other paths come from HEAD.
    """

    kind: Literal["head", "ref", "edits", "text"]
    ref: str = ""
    texts: tuple[tuple[str, str | None], ...] = ()


HEAD = Source("head")
EDITS = Source("edits")


class CapturedVariant(NamedTuple):
    """A variant in git: `commit` differs from the baseline in the declared paths alone; `ref` keeps it alive.

    `entries` holds mode and blob of each declared path (None: the variant has no such file); `identical` tells that
    they all equal those of the first variant, the control.
    """

    commit: str
    ref: str
    entries: Entries
    identical: bool


class Capture(NamedTuple):
    """All variants of an experiment in git, by name, and the commit at HEAD that they descend from."""

    baseline: str
    variants: dict[str, CapturedVariant]


def capture(root: Path, experiment_id: str, paths: Iterable[str], sources: Mapping[str, Source]) -> Capture:
    """Keep each variant's content of the declared paths as a commit, child of HEAD, under its own ref.

    The same call on the same state gives the same commits and succeeds again; a ref that exists with another content
    is never overwritten.

    Args:
        root: the top of the work tree that the caller works in.
        experiment_id: 1 to 64 of a-z, 0-9 and '-'.
        paths: the declared paths; all else comes from HEAD.
        sources: where each variant comes from, by name; the first is the control.

    Raises:
        InvalidInput: for a bad id, name, path or ref, or a path that no variant has.
        NotFound: for a ref that names no commit.
        GitRefused: without git or a first commit, or if the refs exist already. Nothing was kept then.
    """
    top = repository.checked_top(root)
    names = {name: refs.experiment_ref(experiment_id, name) for name in sources}
    if not names:
        raise InvalidInput("No variant was given. Give a control and at least one treatment.")
    chosen = declared(top, paths)
    baseline = repository.head(top).commit
    if baseline is None:
        raise GitRefused("This repository has no commit yet, so there is no control. Make a first commit.")
    at_head = trees.at_commit(top, baseline, chosen)
    with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as scratch:
        contents = _contents(top, at_head, sources, Path(scratch))
    _refuse_unknown(chosen, contents)
    _refuse_huge(top, contents)
    _refuse_same_but_for_case(top, baseline, chosen)
    commits = _commits(top, baseline, experiment_id, at_head, contents)
    _keep(top, experiment_id, {names[name]: commit for name, commit in commits.items()})
    control = next(iter(contents.values()))
    variants = {
        name: CapturedVariant(commits[name], names[name], entries, entries == control)
        for name, entries in contents.items()
    }
    return Capture(baseline, variants)


def captured(root: Path, experiment_id: str) -> dict[str, str]:
    """Give the commit ids that the experiment's refs hold, by variant; empty when there are none."""
    folder = refs.experiment_folder(experiment_id)
    listed = command.run(root, "for-each-ref", "--format=%(refname)%00%(objectname)", folder).decode()
    pairs = (line.split("\0") for line in listed.splitlines())
    return {name.removeprefix(folder): commit for name, commit in pairs}


def held(root: Path) -> tuple[str, ...]:
    """Give the ids of all experiments that refs of this repository hold."""
    listed = command.run(root, "for-each-ref", "--format=%(refname)", f"{refs.PREFIX}/").decode().splitlines()
    return tuple(dict.fromkeys(name.split("/")[2] for name in listed))


def release(root: Path, experiment_id: str) -> tuple[str, ...]:
    """Delete the experiment's refs, all or none, and give their names; git's own gc forgets the contents later."""
    folder = refs.experiment_folder(experiment_id)
    kept = captured(root, experiment_id)
    asked = "".join(f"delete {folder}{name}\0{commit}\0" for name, commit in kept.items())
    command.run(root, "update-ref", "-z", "--stdin", stdin=asked.encode())
    return tuple(f"{folder}{name}" for name in kept)


def _contents(top: Path, at_head: Entries, sources: Mapping[str, Source], scratch: Path) -> dict[str, Entries]:
    known: dict[Source, Entries] = {}
    for source in sources.values():
        if source in known:
            continue
        if source.kind == "head":
            known[source] = at_head
        elif source.kind == "ref":
            known[source] = trees.at_commit(top, refs.resolve(top, source.ref), tuple(at_head))
        elif source.kind == "edits":
            known[source] = _edits(top, at_head, scratch)
        else:
            known[source] = _texts(top, at_head, source.texts, scratch / f"text-{len(known)}")
    return {name: known[source] for name, source in sources.items()}


def _edits(top: Path, at_head: Entries, scratch: Path) -> Entries:
    paths = tuple(at_head)
    # For its refusals: a path that the user's index keeps out of the work tree is not a deleted one.
    trees.in_index(top, paths)
    return worktree.in_worktree(top, worktree.copied(top, paths, scratch / "edits"), like=at_head, blobs="kept")


def _texts(top: Path, at_head: Entries, texts: tuple[tuple[str, str | None], ...], folder: Path) -> Entries:
    """What `git add` would make of files with these texts; they keep the file's mode and line endings."""
    given = dict(texts)
    if undeclared := [path for path in given if path not in at_head]:
        raise InvalidInput(
            f"A text is given for {quoted(undeclared[0])}, which is not declared. Add it to subject.files."
        )
    contents = {
        path: None if text is None else _in_its_line_endings(top, at_head[path], _encoded(path, text))
        for path, text in given.items()
    }
    copies = worktree.written(top, contents, folder, like=at_head)
    return {**at_head, **worktree.in_worktree(top, copies, like=at_head, blobs="kept")}


def _encoded(path: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidInput(f"The text for {quoted(path)} holds half a character (a lone surrogate). Mend it.") from None


def _in_its_line_endings(top: Path, entry: Entry | None, text: bytes) -> bytes:
    """Whoever types a text rarely sees that the file's lines end in CRLF."""
    if entry is None or b"\r" in text:
        return text
    now = command.run(top, "cat-file", "blob", entry.blob)
    return text.replace(b"\n", b"\r\n") if 0 < now.count(b"\r\n") == now.count(b"\n") else text


def _refuse_unknown(paths: tuple[str, ...], contents: Mapping[str, Entries]) -> None:
    unknown = [path for path in paths if all(entries[path] is None for entries in contents.values())]
    if unknown:
        raise InvalidInput(
            f"No variant has a file {quoted(unknown[0])} ({len(unknown)} such). Declare files that HEAD or a "
            "treatment has."
        )


def _refuse_huge(top: Path, contents: Mapping[str, Entries]) -> None:
    blobs = {entry.blob: path for entries in contents.values() for path, entry in entries.items() if entry}
    asked = "".join(f"{blob}\n" for blob in blobs).encode()
    for told in command.run(top, "cat-file", "--batch-check", stdin=asked).decode().splitlines():
        blob, _, size = told.split(" ")
        if int(size) > files.LARGEST_FILE_BYTES:
            raise files.too_large(blobs[blob])


def _refuse_same_but_for_case(top: Path, baseline: str, paths: tuple[str, ...]) -> None:
    """Where the file system takes `A` and `a` for one file, writing one would write the other."""
    said = command.attempt(top, "config", "--type=bool", "--get", "core.ignoreCase").out.strip()
    if said != b"true":
        return
    listed = command.records(command.run(top, "ls-tree", "-r", "-z", "--name-only", baseline))
    known = {path.casefold(): path for path in listed}
    for path in paths:
        other = known.setdefault(path.casefold(), path)
        if other != path:
            raise InvalidInput(
                f"Path {quoted(path)} and {quoted(other)} are one file on this file system (core.ignoreCase). "
                "Declare the name that git has."
            )


def _commits(
    top: Path, baseline: str, experiment_id: str, at_head: Entries, contents: Mapping[str, Entries]
) -> dict[str, str]:
    seconds, tree = command.line(top, "show", "-s", "--no-show-signature", "--format=%ct %T", baseline).split()
    env = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", _NAME), ("EMAIL", _EMAIL), ("DATE", f"{seconds} +0000"))
    }
    commits: dict[str, str] = {}
    for name, entries in contents.items():
        own = tree if entries == at_head else trees.tree_with(top, baseline, entries)
        message = f"experiment: capture {experiment_id}/{name}\n".encode()
        commits[name] = command.line(top, "commit-tree", own, "-p", baseline, stdin=message, env=env)
    return commits


def _keep(top: Path, experiment_id: str, wanted: Mapping[str, str]) -> None:
    """Create the refs in one transaction; one that holds the wanted commit already is left as it is."""
    folder = refs.experiment_folder(experiment_id)
    there = {f"{folder}{name}": commit for name, commit in captured(top, experiment_id).items()}
    foreign = [ref for ref, commit in there.items() if wanted.get(ref) != commit]
    if foreign:
        raise GitRefused(
            f"{quoted(foreign[0])} exists with another content. Choose a new experiment id, or release the old one."
        )
    asked = "".join(f"create {ref}\0{commit}\0" for ref, commit in wanted.items() if ref not in there)
    command.run(top, "update-ref", "-z", "--stdin", stdin=asked.encode())
