"""What is about to happen to the repository, recorded before it does, so that a crash can be finished or undone."""

from typing import Annotated

from pydantic import Field, StringConstraints

from experiment_tracker_tools.domain.base import Model, Note
from experiment_tracker_tools.domain.decision import Promotion, RollBack
from experiment_tracker_tools.domain.variant import CommitId, GitText

GitEntry = Annotated[str, StringConstraints(pattern=r"^100(644|755) [0-9a-f]{40}([0-9a-f]{24})?$")]


class KeptEdit(Model):
    """Uncommitted edits of one file that are carried over: mode and blob, None for no file.

    Attributes:
        staged: in the index; staged_after: there, on the new content.
        tree: in the work tree; tree_after: likewise.
    """

    staged: GitEntry | None = None
    staged_after: GitEntry | None = None
    tree: GitEntry | None = None
    tree_after: GitEntry | None = None


class Intent(Model):
    """A promotion or roll-back that is about to move a branch; done once its own entry follows, or `Abandoned`.

    Attributes:
        worktree: top of the work tree whose index and files it moves; of whoever makes a branch.
        ref: full name of the branch; old: commit that it holds, None for one that is made.
        token: in the names of the files that lie beside their destinations meanwhile.
        kept: edits that are carried over, by path.
        promotion, rollback: the entry that follows.
    """

    worktree: GitText
    ref: GitText
    old: CommitId | None
    token: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    kept: dict[str, KeptEdit] = Field(default_factory=dict)
    promotion: Promotion | None = None
    rollback: RollBack | None = None


class Abandoned(Model):
    """An intent of which nothing came, and of which nothing is left.

    Attributes:
        reason: what stood in the way.
    """

    reason: Note = ""
