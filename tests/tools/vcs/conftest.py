"""Real repositories that a test makes for itself, and a picture of everything in one that must not change."""

import hashlib
import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

AUTHOR = "Ada Lovelace <ada@example.org>"


class Sandbox(NamedTuple):
    """A real repository below the test's own folder."""

    root: Path

    def git(self, *arguments: str, check: bool = True, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", **(env or {})},
            capture_output=True,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip("\n")

    def write(self, path: str, content: str | bytes, *, mode: int = 0o644) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
        target.chmod(mode)

    def read(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def commit(self, message: str = "work", **files: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "--no-verify", "-m", message)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def branch_with(self, name: str, path: str, content: str | bytes, *, mode: int = 0o644) -> str:
        """Commit one file's other content on a branch of its own and come back."""
        self.git("switch", "-q", "-c", name)
        self.write(path, content, mode=mode)
        commit = self.commit(name)
        self.git("switch", "-q", "-")
        return commit

    def hook(self, name: str, script: str) -> None:
        self.write(f".git/hooks/{name}", f"#!/bin/sh\n{script}\n", mode=0o755)

    def tree(self) -> dict[str, tuple[int, str]]:
        """Every file of the work tree: mode, and hash of its content or the target of the link."""
        found: dict[str, tuple[int, str]] = {}
        for path in sorted(self.root.rglob("*")):
            name = path.relative_to(self.root)
            if name.parts[0] == ".git" or (path.is_dir() and not path.is_symlink()):
                continue
            mode = path.lstat().st_mode
            content = os.readlink(path).encode() if stat.S_ISLNK(mode) else path.read_bytes()
            found[str(name)] = (mode, hashlib.sha256(content).hexdigest())
        return found

    def picture(self) -> dict[str, object]:
        """All that a refusal must leave as it was: files, index bytes, HEAD, refs, reflog, unfinished business."""
        git_dir = Path(self.git("rev-parse", "--absolute-git-dir"))
        index = git_dir / "index"
        return {
            "files": self.tree(),
            "index": hashlib.sha256(index.read_bytes()).hexdigest() if index.exists() else None,
            "entries": self.git("ls-files", "-s", "-v"),
            "HEAD": (git_dir / "HEAD").read_text(),
            "refs": self.git("for-each-ref", "--format=%(refname) %(objectname)"),
            "reflog": self.git("reflog", check=False),
            "status": self.git("status", "--porcelain=v2", "--branch", "--untracked-files=all"),
            "unfinished": sorted(p.name for p in git_dir.iterdir() if p.name.isupper() or "rebase" in p.name),
        }


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's git configuration or of the process around the tests has a say."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("EMAIL", raising=False)


@pytest.fixture
def empty(tmp_path: Path) -> Sandbox:
    """A repository without a commit, with an identity of its own."""
    root = tmp_path / "project"
    root.mkdir()
    sandbox = Sandbox(root)
    sandbox.git("init", "-q", "-b", "main")
    sandbox.git("config", "user.name", "Ada Lovelace")
    sandbox.git("config", "user.email", "ada@example.org")
    return sandbox


@pytest.fixture
def sandbox(empty: Sandbox) -> Sandbox:
    """A repository with one commit: app/sort.py, app/run.sh (executable), notes.txt, other.txt."""
    empty.write("app/sort.py", "def order(x):\n    return slow(x)\n")
    empty.write("app/run.sh", "#!/bin/sh\necho slow\n", mode=0o755)
    empty.write("notes.txt", "notes\n")
    empty.write("other.txt", "other\n")
    empty.commit("start")
    return empty
