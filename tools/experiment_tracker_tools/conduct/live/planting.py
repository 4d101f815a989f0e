"""Stubs written into every work tree and taken away again, byte for byte, from a note of what was written."""

import hashlib
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.conduct.live.stub import Stub
from experiment_tracker_tools.core.errors import ExperimentError, GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.vcs import files, shadow

_NOTE, _ORIGINALS = "planted.json", "originals"


class Plot(NamedTuple):
    """What is put in place: the stubs that stand in for an asset, and the asset's text as control has it."""

    asset: str
    control: str
    stubs: Sequence[Stub]


class Planted(Model):
    """A file that we wrote.

    Attributes:
        top: of the work tree; path: in it.
        digest: SHA-256 of what we wrote; whoever changed it since keeps it.
        original: name of the kept file that it replaced.
    """

    top: str
    path: str
    digest: str
    original: str | None = None


class Note(Model):
    """All that has to be undone; kept before anything is written."""

    planted: tuple[Planted, ...]
    patterns: tuple[str, ...]


def plant(top: Path, folder: Path, plot: Plot) -> None:
    """Write the stubs into every work tree whose asset is control's.

    Args:
        top: the work tree that must take them.
        folder: keeps the note and the originals.
        plot: what to write.

    Raises:
        GitRefused: if the main work tree cannot take them; then nothing is left behind.
    """
    _refuse(top, plot)
    trees = [top, *(each for each in shadow.worktrees(top) if each != top and _obstacle(each, plot) is None)]
    planted = tuple(_planned(each, stub) for each in trees for stub in plot.stubs)
    patterns = tuple(f"/{stub.path}" for stub in plot.stubs if not stub.replaces)
    (folder / _ORIGINALS).mkdir(mode=0o700, exist_ok=True)
    (folder / _NOTE).write_text(Note(planted=planted, patterns=patterns).model_dump_json(), "utf-8")
    try:
        shadow.exclude(top, patterns)
        for each in planted:
            _write(each, next(stub for stub in plot.stubs if stub.path == each.path).text, folder / _ORIGINALS)
    except (OSError, ExperimentError):
        uproot(folder)
        raise


def uproot(folder: Path) -> tuple[str, ...]:
    """Undo what the note in that folder tells; gives what was left because somebody changed it."""
    try:
        note = Note.model_validate_json((folder / _NOTE).read_text("utf-8"))
    except FileNotFoundError:
        return ()
    left = tuple(told for each in note.planted if (told := _undone(each, folder / _ORIGINALS)) is not None)
    if left:
        return left
    if tops := [Path(each.top) for each in note.planted if Path(each.top).is_dir()]:
        shadow.include(tops[0], note.patterns)
    (folder / _NOTE).unlink()
    return ()


def _refuse(top: Path, plot: Plot) -> None:
    if (obstacle := _obstacle(top, plot)) is not None:
        raise GitRefused(f"{obstacle}. Nothing was changed.")


def _obstacle(top: Path, plot: Plot) -> str | None:
    """Why the stubs cannot stand in a work tree."""
    for stub in plot.stubs:
        if stub.replaces and not shadow.is_clean(top, stub.path):
            return f"{quoted(stub.path)} has changes of its own; commit or stash them"
        if not stub.replaces and files.inspect(top, stub.path) is not None:
            return f"{quoted(stub.path)} exists already and would hide {quoted(plot.asset)}; move it away"
    there = top / plot.asset
    if files.inspect(top, plot.asset) is None or there.read_text("utf-8", "surrogateescape") != plot.control:
        return f"{quoted(plot.asset)} is not as it was captured for control; commit it, then plan the experiment anew"
    return None


def _planned(top: Path, stub: Stub) -> Planted:
    digest = hashlib.sha256(stub.text.encode()).hexdigest()
    original = hashlib.sha256(f"{top}\0{stub.path}".encode()).hexdigest()[:32] if stub.replaces else None
    return Planted(top=str(top), path=stub.path, digest=digest, original=original)


def _write(planted: Planted, text: str, originals: Path) -> None:
    top, path = Path(planted.top), planted.path
    if planted.original is not None:
        kept = originals / planted.original
        kept.unlink(missing_ok=True)
        files.copy_out(top, path, kept)
        shadow.hide(top, path)
    with tempfile.TemporaryDirectory(prefix="experiment-tracker-") as scratch:
        source = Path(scratch) / "stub"
        source.write_text(text, "utf-8")
        _put(top, path, source, permissions=0o644)


def _undone(planted: Planted, originals: Path) -> str | None:
    """Take one file away; why it stays where it has to."""
    top, path = Path(planted.top), planted.path
    if not top.is_dir():
        return None
    stamp = files.inspect(top, path)
    kept = None if planted.original is None else originals / planted.original
    if kept is not None and kept.exists():
        if stamp is not None and _digest(top / path) not in {planted.digest, _digest(kept)}:
            return f"{quoted(path)} was changed while it stood in for the original, which is kept in {kept}"
        _put(top, path, kept, permissions=kept.stat().st_mode & 0o777)
        shadow.show(top, path)
        kept.unlink()
        return None
    if planted.original is None and stamp is not None:
        if _digest(top / path) != planted.digest:
            return f"{quoted(path)} was changed since; look at it and remove it yourself"
        files.remove(top, path, expected=stamp)
        files.prune(top, path)
    return None


def _put(top: Path, path: str, source: Path, *, permissions: int) -> None:
    """Let a file take the place of the one in a work tree, in one step."""
    expected = files.inspect(top, path)
    staged = files.beside(secrets.token_hex(8), 0)
    files.place(top, path, source, staged, permissions=permissions)
    files.exchange(top, path, staged, expected=expected)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
