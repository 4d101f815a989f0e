"""Real repositories that a test makes for itself, and a picture of everything in one that must not change."""

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.vcs import capture, promotion
from experiment_tracker_tools.vcs.capture import EDITS, HEAD, Source
from experiment_tracker_tools.vcs.changes import Preview
from experiment_tracker_tools.vcs.exact import Order
from experiment_tracker_tools.vcs.promotion import Promotion, Wish


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

    def commit(self, message: str = "work") -> str:
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

    def captured(self, paths: Sequence[str], treatment: Source) -> "Captured":
        kept = capture.capture(self.root, "exp-1", paths, {"control": HEAD, "treatment": treatment})
        return Captured(self, kept.baseline, kept.variants["treatment"].commit, paths)

    def captured_branch(
        self, content: str | bytes = "fast\n", path: str = "app/sort.py", *, mode: int = 0o644
    ) -> "Captured":
        return self.captured([path], Source("ref", self.branch_with("fast", path, content, mode=mode)))

    def captured_edits(self, *paths: str) -> "Captured":
        return self.captured(paths, EDITS)

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
            content = bytes(path.readlink()) if stat.S_ISLNK(mode) else path.read_bytes()
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


class Captured(NamedTuple):
    """An experiment's treatment, captured and ready to be promoted."""

    sandbox: Sandbox
    baseline: str
    variant: str
    paths: Sequence[str]

    @property
    def wish(self) -> Wish:
        return Wish(self.variant, self.baseline, tuple(self.paths))

    def order(self, **options: str) -> Order:
        return Order(
            options.get("subject", "experiment: promote exp-1: faster"),
            "The evidence.",
            [("Experiment-Id", "exp-1"), ("Lift", options.get("lift", "-39%"))],
            reason="promote exp-1",
            edits="keep" if options.get("edits") == "keep" else "refuse",
            hooks_run="none" if options.get("hooks") == "none" else "all",
            hook_timeout_s=float(options.get("timeout_s", "60")),
        )

    def promote(self, **options: str) -> Promotion:
        return self.promote_by(self.order(**options), head=options.get("expected_head", ""))

    def promote_by(self, order: Order, *, head: str = "") -> Promotion:
        return promotion.promote(self.sandbox.root, self.wish, order, expected_head=head or self.sandbox.head())

    def aside(self, branch: str | None, **options: str) -> Promotion:
        head = options.get("expected_head") or self.sandbox.head()
        order = self.order(**options)
        return promotion.promote_aside(self.sandbox.root, self.wish, order, branch=branch, expected_head=head)

    def preview(self) -> Preview:
        return promotion.preview(self.sandbox.root, self.wish)

    def refused(self, match: str, **options: str) -> None:
        """The promotion is refused, and not a byte, ref or index entry differs."""
        before = self.sandbox.picture()
        with pytest.raises(GitRefused, match=match):
            self.promote(**options)
        assert self.sandbox.picture() == before


def isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Nothing of this machine's git configuration or of the process around the tests has a say."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        patch.delenv(name)
    patch.setenv("HOME", str(home))
    patch.setenv("XDG_CONFIG_HOME", str(home / "no-configuration"))
    patch.setenv("GIT_CONFIG_GLOBAL", str(home / "no-gitconfig"))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    patch.delenv("EMAIL", raising=False)


def begin(sandbox: Sandbox) -> None:
    """Make a repository with an identity of its own."""
    sandbox.git("init", "-q", "-b", "main")
    sandbox.git("config", "user.name", "Ada Lovelace")
    sandbox.git("config", "user.email", "ada@example.org")


@pytest.fixture(autouse=True)
def own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def empty(tmp_path: Path) -> Sandbox:
    """A repository without a commit."""
    sandbox = Sandbox(tmp_path / "project")
    sandbox.root.mkdir()
    begin(sandbox)
    return sandbox


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One repository that is made once and copied for every test."""
    root = tmp_path_factory.mktemp("template")
    made = Sandbox(root)
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, root.parent)
        begin(made)
        made.write("app/sort.py", "def order(x):\n    return slow(x)\n")
        made.write("app/run.sh", "#!/bin/sh\necho slow\n", mode=0o755)
        made.write("notes.txt", "notes\n")
        made.write("other.txt", "other\n")
        made.commit("start")
    return root


@pytest.fixture
def sandbox(template: Path, tmp_path: Path) -> Sandbox:
    """A repository with one commit: app/sort.py, app/run.sh (executable), notes.txt, other.txt."""
    copy = Sandbox(tmp_path / "project")
    shutil.copytree(template, copy.root, symlinks=True)
    copy.git("update-index", "--refresh")
    return copy
