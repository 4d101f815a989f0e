"""A real project of a test's own: a folder, usually a git repository, and a picture of all that must not change."""

import hashlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.workspace import Workspace

_ROOTS = [str(Path(__file__).parents[2] / name) for name in ("server", "tools")]
_MAIN = f"import sys; sys.path[:0] = {_ROOTS}; from experiment_tracker_server.cli import main; main()"
# The command line of this checkout in a process of its own (what PYTHONPATH names, it does not trust).
COMMAND = [sys.executable, "-P", "-c", _MAIN]
PROGRAM = "app/run.py"
SLOW, FAST = "print('slow')\n", "print('fast')\n"


class Hand:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, *, days: float) -> None:
        self.now += timedelta(days=days)


class Project(NamedTuple):
    """A folder and the clock of everything that works in it."""

    root: Path
    clock: Hand

    def git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, path: str, content: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, "utf-8")

    def read(self, path: str) -> str:
        return (self.root / path).read_text("utf-8")

    def commit(self, message: str = "work") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def workspace(self, door: str = "test") -> Workspace:
        return Workspace(self.root, door=door, clock=self.clock)

    def picture(self) -> dict[str, object]:
        """Files, git's index, HEAD, refs, reflog and everything that the ledger tells."""
        files = {
            str(path.relative_to(self.root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not {".git", ".experiments"} & set(path.relative_to(self.root).parts)
        }
        told: dict[str, object] = {"files": files, "ledger": remembered(self.workspace())}
        if not (self.root / ".git").is_dir():
            return told
        index = self.root / ".git" / "index"
        return told | {
            "index": hashlib.sha256(index.read_bytes()).hexdigest() if index.exists() else None,
            "HEAD": (self.root / ".git" / "HEAD").read_text(),
            "refs": self.git("for-each-ref", "--format=%(refname) %(objectname)"),
        }


def remembered(workspace: Workspace) -> list[object]:
    """All that the ledger holds, as plain values."""
    found: list[object] = []
    for experiment in workspace.ledger.experiments():
        journal = workspace.ledger.journal(experiment.id)
        kinds = [
            [(*entry[:3], entry.content.model_dump(mode="json"), *entry[4:]) for entry in kind] for kind in journal
        ]
        found.append((experiment.model_dump(mode="json"), kinds, workspace.ledger.head(experiment.id)))
    return found


def repository(root: Path) -> Project:
    """A repository with one commit on main: PROGRAM (slow), notes.txt; and a branch `fast` with another PROGRAM."""
    project = unborn(root)
    project.write(PROGRAM, SLOW)
    project.write("notes.txt", "notes\n")
    project.commit("start")
    project.git("switch", "-q", "-c", "fast")
    project.write(PROGRAM, FAST)
    project.commit("faster")
    project.git("switch", "-q", "main")
    return project


def unborn(root: Path) -> Project:
    """A repository without a commit."""
    root.mkdir(parents=True, exist_ok=True)
    project = Project(root, Hand())
    project.git("init", "-q", "-b", "main", "--template=")
    project.git("config", "user.name", "Ada Lovelace")
    project.git("config", "user.email", "ada@example.org")
    return project


def folder(root: Path) -> Project:
    """A folder that is no repository."""
    root.mkdir(parents=True, exist_ok=True)
    return Project(root, Hand())
