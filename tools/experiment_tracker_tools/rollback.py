"""Verb: the exact undoing of a promotion, or the end of an experiment before one."""

from experiment_tracker_tools.conduct.advice import next_action, uri_of
from experiment_tracker_tools.conduct.promotion import Token, propose_rollback, roll_back
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model, Note
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.workspace import Workspace


class RolledBack(Model):
    """What rollback answers.

    Attributes:
        experiment, state: which, and where it stands.
        rolled_back: whether it was done.
        question: what a person is asked to confirm, where it was not done.
        confirm: the one-time token that allows exactly that.
        commit, reverts: the new commit and the one that it undoes; none where nothing had been promoted.
        blobs_equal: the files compared equal to those before the promotion.
        reason: as it was recorded.
        uri, next_action: where the rest is, and what to do now.
    """

    experiment: ExperimentId
    state: State
    rolled_back: bool
    question: str | None = None
    confirm: str | None = None
    commit: str | None = None
    reverts: str | None = None
    blobs_equal: bool | None = None
    reason: str = ""
    uri: str
    next_action: str


@tool("Roll back", destructive=True, asks_a_person=True)
def rollback(
    workspace: Workspace, *, experiment: ExperimentId, reason: Note = "", confirm: Token | None = None
) -> RolledBack:
    """Undo exactly the promotion's commit (before one: end the experiment on control). Needs a person's yes.

    Without `confirm` nothing changes: the reply holds the question and the one-time token.
    """
    found = workspace.ledger.experiment(experiment)
    if confirm is None:
        proposal = propose_rollback(workspace, found)
        return RolledBack(
            experiment=experiment,
            state=found.state,
            rolled_back=False,
            question=proposal.question,
            confirm=proposal.token,
            uri=uri_of(experiment),
            next_action="Ask a person the question; on a yes call rollback again with this confirm.",
        )
    undone = roll_back(workspace, found, confirm, reason=reason)
    found = workspace.ledger.experiment(experiment)
    return RolledBack(
        experiment=experiment,
        state=found.state,
        rolled_back=True,
        commit=undone.commit,
        reverts=undone.reverts,
        blobs_equal=True if undone.commit else None,
        reason=reason[:200],
        uri=uri_of(experiment),
        next_action=next_action(found),
    )
