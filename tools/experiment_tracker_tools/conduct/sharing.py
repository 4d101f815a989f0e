"""A team without a server: what each store gives lies on a ref of its own, and everybody reads all of them as one."""

from pathlib import Path
from typing import NamedTuple

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.ledger import team
from experiment_tracker_tools.ledger.pooling import Pooled, pooled, read_contributions
from experiment_tracker_tools.vcs import sharing
from experiment_tracker_tools.workspace import Workspace


class Shared(NamedTuple):
    """What sharing came to.

    Attributes:
        writer: this store's name; renamed: whether it is new, because another store wrote under the old one.
        ref: where it lies; commit: what it holds now.
        experiments: how many it holds.
        damaged: experiments that were left out, because their journal is damaged.
    """

    writer: str
    renamed: bool
    ref: str
    commit: str
    experiments: int
    damaged: tuple[str, ...]


def share(workspace: Workspace, *, remote: str | None = None) -> Shared:
    """Write plans, looks, decisions and sums, never rows, to this store's ref; push it and fetch the others' if asked.

    Raises:
        GitRefused: without a repository, or with what git says.
        Conflict: if the ref moved meanwhile.
    """
    root, shelf = _root(workspace), workspace.ledger.shelf
    workspace.make_ready()
    register = team.register_of(shelf)
    writer, after = register.writer, register.shared
    # A copy of a store has its name too; whoever finds the ref moved by another one takes a new name.
    renamed = sharing.tip(root, writer) != after
    if renamed:
        writer, after = team.rename_writer(shelf), ""
    given = team.contributions(shelf)
    files = {f"{each.id}.json": each.model_dump_json(exclude_defaults=True).encode() for each in given}
    commit = sharing.write(root, writer, files, after=after)
    if commit != after:
        team.note_shared(shelf, commit)
    if remote is not None:
        sharing.exchange(root, remote, writer)
    left_out = {experiment.id for experiment in shelf.experiments()} - {each.id for each in given}
    return Shared(writer, renamed, f"{sharing.PREFIX}{writer}", commit, len(given), tuple(sorted(left_out)))


def everybodys(workspace: Workspace) -> tuple[tuple[Pooled, ...], list[str]]:
    """What all stores together know, this one's newest included; and what of it cannot be used.

    Raises:
        GitRefused: without a repository, or with what git says.
    """
    shared = sharing.read(_root(workspace))
    shelf = workspace.ledger.shelf
    own = team.register_of(shelf).writer
    found, strange = read_contributions({writer: files for writer, files in shared.items() if writer != own})
    return pooled([*team.contributions(shelf), *found]), strange


def _root(workspace: Workspace) -> Path:
    if workspace.worktree is None:
        raise GitRefused("Sharing needs a git repository. Run `git init` here, or take the store along: `export`.")
    return workspace.worktree
