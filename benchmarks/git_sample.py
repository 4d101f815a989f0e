"""What the git benchmarks share: a project with a shipped experiment, a picture of it, and one way to act on it."""

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.conduct.promotion import Ask, promote_winner
from experiment_tracker_tools.conduct.rolling_back import roll_back
from experiment_tracker_tools.conduct.unfinished import unfinished
from experiment_tracker_tools.decide import decide
from experiment_tracker_tools.design import design_experiment
from experiment_tracker_tools.domain.decision import Promotion, RollBack
from experiment_tracker_tools.domain.experiment import Hypothesis
from experiment_tracker_tools.domain.metric import MetricDraft
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.domain.variant import Subject, Variant
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.record import record_trial
from experiment_tracker_tools.vcs import promotion, rollback
from experiment_tracker_tools.vcs.exact import Order
from experiment_tracker_tools.workspace import Workspace

PATHS = ("app/run.py", "app/new.py", "notes.txt", "app/tool.sh")
OTHER = "other.txt"
SLOW = "".join(f"line {number}\n" for number in range(30))
FAST = SLOW.replace("line 3\n", "fast\n")
AT = datetime(2026, 11, 20, tzinfo=UTC)


ORDER = Order("experiment: measure", "", [("Experiment-Id", "measure")], reason="measure")


class Project(NamedTuple):
    """A real repository whose one experiment has the verdict SHIP, or is promoted already."""

    root: Path
    experiment: str

    def git(self, *arguments: str, check: bool = True) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, check=False)
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip("\n")

    def write(self, path: str, content: str, *, mode: int = 0o644) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, "utf-8")
        target.chmod(mode)

    def commit(self, message: str = "work") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--no-verify", "-m", message)
        return self.git("rev-parse", "HEAD")

    def hook(self, name: str, script: str) -> None:
        self.write(f".git/hooks/{name}", f"#!/bin/sh\n{script}\n", mode=0o755)

    def workspace(self) -> Workspace:
        return Workspace(self.root, door="bench", clock=lambda: AT)

    def promote(self) -> None:
        workspace = self.workspace()
        found = workspace.ledger.experiment(self.experiment)
        promote_winner(workspace, found, Ask(), decided_by="the benchmark")

    def roll_back(self) -> None:
        workspace = self.workspace()
        roll_back(workspace, workspace.ledger.experiment(self.experiment), reason="the benchmark")

    def picture(self) -> dict[str, object]:
        """All that a refusal must leave: files, index, HEAD, refs, unfinished business."""
        git_dir = Path(self.git("rev-parse", "--absolute-git-dir", check=False) or self.root / ".git")
        index = git_dir / "index"
        return {
            "files": files_of(self.root),
            "index": hashlib.sha256(index.read_bytes()).hexdigest() if index.exists() else None,
            "HEAD": (git_dir / "HEAD").read_text(),
            "refs": self.git("for-each-ref", "--format=%(refname) %(objectname)", check=False),
            "unfinished": sorted(p.name for p in git_dir.iterdir() if p.name.endswith("_HEAD") or "rebase" in p.name),
        }

    def entries(self) -> list[str]:
        """The index but for the declared paths."""
        listed = self.git("ls-files", "-s").splitlines()
        return [line for line in listed if line.split("\t")[1] not in PATHS]


def files_of(root: Path) -> dict[str, tuple[int, str]]:
    """Every file below a folder but git's and the store's: mode, and hash of its content or its target."""
    found: dict[str, tuple[int, str]] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in {".git", ".experiments"}]
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in (*names, *links):
            path = Path(folder) / name
            mode = path.lstat().st_mode
            content = bytes(path.readlink()) if stat.S_ISLNK(mode) else path.read_bytes() if stat.S_ISREG(mode) else b""
            found[str(path.relative_to(root))] = (mode, hashlib.sha256(content).hexdigest())
    return found


def agreed(project: Project) -> str:
    """What is wrong between ledger, HEAD, index and files; empty when they tell the same story."""
    workspace = project.workspace()
    if unfinished(workspace, project.experiment) is not None:
        return "something is left half done"
    made = workspace.ledger.latest(project.experiment, Promotion)
    undone = workspace.ledger.latest(project.experiment, RollBack)
    commits = project.git("log", "--format=%H %s", "HEAD").splitlines()
    ours = [line.split()[0] for line in commits if " experiment: " in line]
    recorded = [entry.content.commit for entry in (undone, made) if entry is not None]
    if ours != recorded:
        return f"git has {len(ours)} commits of ours, the ledger {len(recorded)}"
    if told := project.git("status", "--porcelain", "--untracked-files=all", "--", ".", ":!.experiments"):
        return f"git status: {told}"
    start = "HEAD" if made is None else f"{made.content.parent}"
    if undone is not None and project.git("diff", "--name-only", start, "HEAD", "--", *PATHS):
        return "blobs after the roll-back differ from those before the promotion"
    return ""


def unshipped(root: Path, *, many: int = 0) -> Project:
    """A repository with the files, `many` more, and a branch `fast` with other ones."""
    project = Project(root, "")
    root.mkdir(parents=True)
    project.git("init", "-q", "-b", "main", "--template=")
    for name, value in (("user.name", "Ada Lovelace"), ("user.email", "ada@example.org"), ("gc.auto", "0")):
        project.git("config", name, value)
    for path, content in ((PATHS[0], SLOW), (PATHS[2], "notes\n"), (OTHER, "other\n")):
        project.write(path, content)
    project.write(PATHS[3], "#!/bin/sh\n", mode=0o755)
    for number in range(many):
        project.write(f"many/{number % 100}/{number}.txt", f"{number}\n")
    project.commit("start")
    project.git("switch", "-q", "-c", "fast")
    project.write(PATHS[0], FAST)
    project.write(PATHS[1], "new\n")
    (root / PATHS[2]).unlink()
    (root / PATHS[3]).chmod(0o644)
    project.commit("faster")
    project.git("switch", "-q", "main")
    return project


def shipped(root: Path, *, many: int = 0) -> Project:
    """A project whose experiment has the verdict SHIP."""
    project = unshipped(root, many=many)
    workspace = project.workspace()
    experiment = design_experiment(
        workspace,
        name="Benchmark",
        hypothesis=Hypothesis(change="a", impact="b", reasoning="c"),
        metrics=[MetricDraft(name="time", role="primary", kind="duration", direction="decrease")],
        variants=[Variant(name="control"), Variant(name="treatment", source="fast")],
        subject=Subject(files=PATHS),
        sample_size=20,
    ).experiment
    transition_experiment(workspace, experiment=experiment, action="start")
    trials = [
        Trial(variant=variant, unit=f"{variant}-{n}", metrics={"time": (1 + n / 50) * ratio})
        for n in range(20)
        for variant, ratio in (("control", 1.0), ("treatment", 0.5))
    ]
    record_trial(workspace, experiment=experiment, trials=trials)
    assert decide(workspace, experiment=experiment).verdict == "SHIP"
    return project._replace(experiment=experiment)


def there_and_back(project: Project) -> None:
    """Promote and roll back, without the ledger."""
    capture = project.workspace().ledger.experiment(project.experiment).capture
    assert capture is not None
    wish = promotion.Wish(capture.variants["treatment"].commit, capture.baseline, PATHS)
    done = promotion.promote(project.root, wish, ORDER, expected_head=project.git("rev-parse", "HEAD"))
    rollback.roll_back(project.root, ORDER, promotion_commit=done.commit, paths=PATHS, expected_head=done.commit)


def copied(project: Project, to: Path) -> Project:
    """The same project somewhere else."""
    shutil.copytree(project.root, to, symlinks=True)
    copy = project._replace(root=to)
    copy.git("update-index", "-q", "--refresh")
    return copy


@contextmanager
def scratch() -> Generator[Path]:
    """A folder for one campaign (below TMPDIR, else on a disk), and no git settings but the project's own."""
    folder = Path(tempfile.mkdtemp(prefix="git-faults-", dir=os.environ.get("TMPDIR", "/var/tmp")))
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]
    os.environ |= {"HOME": str(folder), "GIT_CONFIG_GLOBAL": str(folder / "none"), "GIT_CONFIG_NOSYSTEM": "1"}
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
