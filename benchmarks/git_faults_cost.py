"""What does a promotion cost from 10 to 20,000 files of a repository, and beside git's own commit?"""

import statistics
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.git_sample import ORDER, PATHS, Project, copied, scratch, shipped, there_and_back
from benchmarks.ledger_sample import Outcome, report

from experiment_tracker_tools.vcs import promotion


def by_git(project: Project) -> None:
    """The same content by git's own commands, which look at every file of the repository."""
    project.git("restore", "--source=fast", "--staged", "--worktree", "--", *PATHS)
    project.git("commit", "-q", "-m", "there")
    project.git("revert", "--no-edit", "HEAD")


def cost(act: Callable[[], None], times: int) -> float:
    """The median time in seconds."""
    found: list[float] = []
    for _ in range(times):
        start = time.perf_counter()
        act()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def of_many_declared(folder: Path, count: int) -> str:
    """One promotion of many declared files beside git's checkout and commit of the same."""
    paths = tuple(f"d{number % 10}/{number}.txt" for number in range(count))
    seconds = {}
    for name in ("ours", "git"):
        project = Project(folder / name, "")
        project.root.mkdir(parents=True)
        for arguments in (
            ("init", "-q", "-b", "main"),
            ("config", "user.name", "a"),
            ("config", "user.email", "a@b.c"),
        ):
            project.git(*arguments)
        for content, branch in (("old\n", ""), ("new\n", "fast")):
            if branch:
                project.git("switch", "-q", "-c", branch)
            for path in paths:
                project.write(path, content * 20)
            project.commit()
        project.git("switch", "-q", "main")
        head, variant = project.git("rev-parse", "HEAD"), project.git("rev-parse", "fast")
        start = time.perf_counter()
        if name == "ours":
            promotion.promote(project.root, promotion.Wish(variant, head, paths), ORDER, expected_head=head)
        else:
            listed = "\n".join(paths).encode()
            restore = ["git", "restore", "--source=fast", "--staged", "--worktree", "--pathspec-from-file=-"]
            subprocess.run(restore, input=listed, cwd=project.root, check=True)
            project.git("commit", "-q", "-m", "there")
        seconds[name] = time.perf_counter() - start
    return f"{count} declared files: {seconds['ours'] / seconds['git']:.1f} x git's restore and commit"


def questions(short: bool) -> list[Outcome]:
    """Measured in turn, so that the machine's load falls on both."""
    most, times = (2_000, 3) if short else (20_000, 15)
    with scratch() as folder:
        small, large = shipped(folder / "small", many=6), shipped(folder / "large", many=most)
        beside = copied(large, folder / "beside")
        ratios: list[float] = []
        to_git: list[float] = []
        for _ in range(times):
            few, many = (cost(partial(there_and_back, project), 1) for project in (small, large))
            ratios.append(many / few)
            to_git.append(many / cost(partial(by_git, beside), 1))
        ratio, git = statistics.median(ratios), statistics.median(to_git)
        declared = of_many_declared(folder / "declared", 200 if short else 2_000)
    return [
        Outcome(f"cost at {most:,} files / at 10", f"{ratio:.2f} (at most 2)", ratio <= 2),
        Outcome(f"cost at {most:,} files / git restore, commit and revert", f"{git:.2f}", git > 0),
        Outcome("many declared files", declared, bool(declared)),
    ]


if __name__ == "__main__":
    report(questions)
