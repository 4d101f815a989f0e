"""The demo's throw-away project: a git repository with a small program, and two ways to run it."""

import argparse
import shutil
import subprocess
import sys
import time
import typing
from pathlib import Path
from typing import NamedTuple

PROGRAM = "top_words.py"
_SUBJECTS = Path(__file__).parent / "subjects"


class Project(NamedTuple):
    """The demo's repository and the text that its program works on."""

    root: Path
    text: Path


def make(folder: Path) -> Project:
    """A repository whose HEAD holds the slow program, whose branch `hash-table` the fast, and `copy` the slow again."""
    root = folder / "project"
    root.mkdir()
    _git(root, "init", "-q", "-b", "main")
    # A person's own hooks and signing key have no business in a throw-away repository.
    for key, value in (
        ("user.name", "Demo Developer"),
        ("user.email", "demo@localhost"),
        ("commit.gpgsign", "false"),
        ("core.hooksPath", ".git/hooks"),
    ):
        _git(root, "config", key, value)
    (root / "README.md").write_text("Counts words.\n", "utf-8")
    _commit(root, "scan.py", "Count words with a list")
    _git(root, "branch", "copy")
    _git(root, "switch", "-q", "-c", "hash-table")
    _commit(root, "table.py", "Count words with a hash table")
    _git(root, "switch", "-q", "main")
    text = folder / "text.txt"
    text.write_text(
        Path(argparse.__file__).read_text("utf-8") + Path(typing.__file__ or "").read_text("utf-8"), "utf-8"
    )
    return Project(root, text)


def check_out(project: Project, ref: str, folder: str) -> Path:
    """Lay the program as `ref` holds it into a folder of its own beside the repository, and give its path."""
    program = project.text.parent / folder / PROGRAM
    program.parent.mkdir()
    program.write_text(_git(project.root, "show", f"{ref}:{PROGRAM}"), "utf-8")
    return program


def measure(project: Project, program: Path) -> float:
    """Run the program once on the text; how long it took, in seconds."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-I", program, project.text], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def last_commit(project: Project) -> str:
    """The newest commit as git shows it."""
    return _git(project.root, "log", "-1", "--stat", "--format=%h %an%n%n%B").strip()


def head(project: Project) -> str:
    """The commit that is checked out."""
    return _git(project.root, "rev-parse", "HEAD").strip()


def blob(project: Project, ref: str) -> str:
    """The id of the program's content at a commit."""
    return _git(project.root, "rev-parse", f"{ref}:{PROGRAM}").strip()


def _commit(root: Path, subject: str, message: str) -> None:
    shutil.copyfile(_SUBJECTS / subject, root / PROGRAM)
    _git(root, "add", ".")
    _git(root, "commit", "-q", "-m", message)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout
