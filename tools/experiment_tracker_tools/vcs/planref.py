"""A sealed plan kept in git: one commit with one file under refs/experiments/<id>/plan, made by plumbing alone."""

from datetime import datetime
from pathlib import Path

from experiment_tracker_tools.vcs import command, refs, repository

NAME, FILE = "plan", "plan.json"
_AUTHOR, _EMAIL = "experiment-tracker", "experiment-tracker@localhost"


def keep_plan(root: Path, experiment_id: str, content: bytes, *, at: datetime) -> str:
    """Keep a plan's text as a commit without parents, and give its id; the same text and time give the same commit.

    A plan that a crash left there unsealed is replaced. Index, work tree, HEAD and branches are not touched.

    Raises:
        InvalidInput: if the id cannot be part of a ref.
        GitRefused: without git, or if git fails.
    """
    ref = refs.experiment_ref(experiment_id, NAME)
    top = repository.checked_top(root)
    blob = command.line(top, "hash-object", "-w", "--stdin", stdin=content)
    tree = command.line(top, "mktree", stdin=f"100644 blob {blob}\t{FILE}\n".encode())
    date = f"{int(at.timestamp())} +0000"
    env = {
        f"GIT_{role}_{field}": value
        for role in ("AUTHOR", "COMMITTER")
        for field, value in (("NAME", _AUTHOR), ("EMAIL", _EMAIL), ("DATE", date))
    }
    message = f"experiment: seal the plan of {experiment_id}\n".encode()
    commit = command.line(top, "commit-tree", tree, stdin=message, env=env)
    command.run(top, "update-ref", "--no-deref", ref, commit)
    return commit


def kept_plan(root: Path, commit: str) -> bytes | None:
    """The plan's text as a commit holds it; None where the commit is gone.

    Raises:
        InvalidInput: if it is no full commit id.
        GitRefused: without git.
    """
    outcome = command.attempt(root, "cat-file", "blob", f"{refs.full_commit(commit)}:{FILE}")
    return None if outcome.status else outcome.out


def undoes_exactly(root: Path, *, baseline: str, variant: str, paths: tuple[str, ...]) -> bool:
    """Whether taking a variant's files over and back again gives the baseline's very tree, blob for blob.

    Raises:
        GitRefused: if a commit is gone, or git fails.
    """
    from experiment_tracker_tools.vcs import trees

    refs.checked_commits(root, (baseline, variant))
    there = trees.tree_with(root, baseline, trees.at_commit(root, variant, paths))
    back = trees.tree_with(root, there, trees.at_commit(root, baseline, paths))
    return back == command.line(root, "rev-parse", "--verify", f"{baseline}^{{tree}}")
