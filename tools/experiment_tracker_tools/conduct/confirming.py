"""A person's yes to exactly what was shown: a token that a dry run gives and that fits once."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import StringConstraints

from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from experiment_tracker_tools.vcs.changes import Preview

Token = Annotated[str, StringConstraints(max_length=64)]


class Proposal(NamedTuple):
    """What would be done, and the token that allows exactly this.

    Attributes:
        question: for the person who confirms.
        token: fits this question, this HEAD and this state of the ledger, and so only once.
        head: commit that the step builds on; None where git is not touched.
        paths: files that change.
        merged: those of them where the project has changed too, and both changes are kept.
    """

    question: str
    token: str
    head: str | None
    paths: tuple[str, ...]
    merged: tuple[str, ...] = ()


def proposed(
    workspace: Workspace,
    experiment: Experiment,
    verb: Literal["promote", "rollback", "run"],
    question: str,
    found: "Preview | None" = None,
) -> Proposal:
    """The proposal of a question.

    Raises:
        GitRefused: if something stands in the way; nothing was changed.
    """
    if found is not None and found.problems:
        raise GitRefused(f"{'; '.join(found.problems[:3])}. Nothing was changed.")
    head = found.head if found is not None else None
    state = "\0".join((verb, experiment.id, head or "", workspace.ledger.head(experiment.id), question))
    token = hmac.new(workspace.secret, state.encode(), hashlib.sha256).hexdigest()[:16]
    return Proposal(question, token, head, found.paths if found else (), found.merged if found else ())


def check_token(proposal: Proposal, token: str) -> None:
    """Let the token pass that fits what would be done now.

    Raises:
        InvalidInput: for any other.
    """
    if not hmac.compare_digest(proposal.token.encode(), token.encode()):
        raise InvalidInput(
            f"The confirmation {quoted(token)} does not fit: it is used up, or HEAD or the ledger has moved. "
            "Nothing was changed; call again without confirm to see what would be done now."
        )


def files_told(paths: Sequence[str]) -> str:
    """At most five files by name."""
    shown = ", ".join(quoted(path) for path in paths[:5])
    return shown + (f" and {len(paths) - 5} more files" if len(paths) > 5 else "")


def place_told(found: "Preview") -> str:
    """Where it would happen."""
    return f"{quoted(str(found.branch or 'a detached HEAD'))} at {str(found.head)[:12]}"


def kept_told(found: "Preview") -> str:
    """What of the project's and the user's own changes is kept."""
    told = f"; merged with the changes made since in {files_told(found.merged)}" if found.merged else ""
    return told + (f"; your uncommitted edits in {files_told(found.edited)} are kept on top" if found.edited else "")
