"""The obvious way with GitPython, as the control: what our promotions and roll-backs are measured against."""

from pathlib import Path

import git
from benchmarks.git_sample import PATHS


def promote(root: Path) -> None:
    """Check the winner's files out and commit the index."""
    with git.Repo(root) as repo:
        winner = repo.commit("fast").tree
        for path in PATHS:
            target = root / path
            try:
                content = winner[path].data_stream.read()
            except KeyError:
                target.unlink(missing_ok=True)
                repo.index.remove([path])
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            repo.index.add([path])
        repo.index.commit("experiment: promote naively")


def roll_back(root: Path) -> None:
    """Revert the last commit of ours."""
    with git.Repo(root) as repo:
        ours = next(commit for commit in repo.iter_commits() if str(commit.message).startswith("experiment: promote"))
        repo.git.revert("--no-edit", ours.hexsha)
