"""While a folder of the work tree is swapped for a link to another place, is anything ever written there?"""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.git_sample import FAST, PATHS, SLOW, files_of, scratch, shipped, there_and_back
from benchmarks.ledger_sample import Outcome, report

from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.vcs import files

_PRECIOUS = "precious\n"


def writes(folder: Path, races: int, write: Callable[[Path, str, Path], None]) -> str:
    """Write one file again and again while its folder is swapped; tells what happened to the place outside."""
    root, outside, source = folder / "root", folder / "outside", folder / "source"
    (root / "app").mkdir(parents=True)
    outside.mkdir()
    (root / "app" / "run.py").write_text(SLOW)
    (outside / "run.py").write_text(_PRECIOUS)
    source.write_text(FAST)
    before, refused = files_of(outside), 0
    with swapped(root / "app", outside):
        for _ in range(races):
            try:
                write(root, "app/run.py", source)
            except (ExperimentError, OSError):
                refused += 1
    touched = files_of(outside) != before
    return f"{races} writes, {refused} refused, outside {'TOUCHED' if touched else 'untouched'}"


def promotions(folder: Path, seconds: float) -> str:
    """Promote and roll back, again and again, while the folder of the files is swapped now and then."""
    project, outside = shipped(folder / "project"), folder / "outside"
    outside.mkdir()
    for path in PATHS[:2]:
        (outside / Path(path).name).write_text(_PRECIOUS)
    before, done, refused, end = files_of(outside), 0, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with swapped(project.root / "app", outside, pause_s=0.5):
                there_and_back(project)
            done += 1
        except (ExperimentError, OSError):
            refused += 1
            # What was refused halfway may stand at the promotion: begin anew from the first commit.
            project.git("reset", "-q", "--hard", "main~0")
            if (project.root / PATHS[1]).exists():
                project.git("revert", "--no-edit", "HEAD")
    touched = "TOUCHED" if files_of(outside) != before else "untouched"
    return f"{done} there and back, {refused} refused, outside {touched}"


def safe(root: Path, path: str, source: Path) -> None:
    """Our way."""
    stamp = files.inspect(root, path)
    temporary = files.beside("race", os.getpid())
    files.place(root, path, source, temporary, permissions=0o644)
    try:
        files.exchange(root, path, temporary, expected=stamp)
    finally:
        files.discard(root, path, temporary)


def naive(root: Path, path: str, source: Path) -> None:
    """The obvious way: look whether a link is in the way, then write."""
    target = root / path
    if not target.parent.is_symlink():
        target.write_text(source.read_text())


@contextmanager
def swapped(place: Path, outside: Path, *, pause_s: float = 0.0005) -> Generator[None]:
    """A process that swaps a folder for a link and back, with pauses of at most `pause_s`."""
    aside = place.with_name(f"{place.name}-aside")
    pid = os.fork()
    if pid == 0:
        dice = random.Random(time.monotonic_ns())
        try:
            while True:
                time.sleep(dice.uniform(0, pause_s))
                place.rename(aside)
                place.symlink_to(outside)
                time.sleep(dice.uniform(0, 0.0005))
                _put_back(place, aside)
        finally:
            os._exit(0)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        _put_back(place, aside)


def _put_back(place: Path, aside: Path) -> None:
    """Whoever wrote in between has made the folder anew: that goes, the real one comes back."""
    while aside.exists():
        with suppress(OSError):
            if place.is_symlink():
                place.unlink()
            shutil.rmtree(place, ignore_errors=True)
            aside.rename(place)


def questions(short: bool) -> list[Outcome]:
    """Single writes, whole promotions, and the control."""
    races = 200 if short else 1000
    with scratch() as folder:
        ours = writes(folder / "ours", races, safe)
        control = writes(folder / "naive", 20 * races, naive)
        whole = promotions(folder / "whole", 5 if short else 60)
    return [
        Outcome("single writes, ours", ours, "untouched" in ours),
        Outcome("single writes, control", control, "TOUCHED" in control),
        Outcome("whole promotions, ours", whole, "untouched" in whole),
    ]


if __name__ == "__main__":
    report(questions)
