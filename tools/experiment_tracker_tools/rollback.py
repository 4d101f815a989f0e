"""Verb: the exact undoing of a promotion, or the end of an experiment before one."""

from experiment_tracker_tools.conduct.advice import next_action, uri_of
from experiment_tracker_tools.conduct.confirming import Token
from experiment_tracker_tools.conduct.rolling_back import confirmed_roll_back, propose_rollback
from experiment_tracker_tools.conduct.unfinished import settle
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model, Note
from experiment_tracker_tools.domain.decision import RollBack
from experiment_tracker_tools.domain.experiment import Experiment
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
        blobs_equal: the files compared equal to those before the promotion, but for `merged`, where later changes
            of the same files are kept.
        mended: what an interrupted call had begun, and this one finished.
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
    merged: tuple[str, ...] = ()
    mended: str | None = None
    reason: str = ""
    uri: str
    next_action: str


@tool("Roll back", destructive=True, asks_a_person=True)
def rollback(
    workspace: Workspace, *, experiment: ExperimentId, reason: Note = "", confirm: Token | None = None
) -> RolledBack:
    """Undo exactly the promotion (before one: end on control). Needs a person's yes: without `confirm` it only asks."""
    mended = settle(workspace, experiment)
    found = workspace.ledger.experiment(experiment)
    if mended is not None and found.state == "rolled_back":
        done = workspace.ledger.latest(experiment, RollBack)
        return _done(found, done.content if done is not None else RollBack(), mended=mended)
    if confirm is None:
        proposal = propose_rollback(workspace, found)
        return RolledBack(
            experiment=experiment,
            state=found.state,
            rolled_back=False,
            question=proposal.question,
            confirm=proposal.token,
            merged=proposal.merged[:5],
            uri=uri_of(experiment),
            next_action="Ask a person the question; on a yes call rollback again with this confirm.",
        )
    undone = confirmed_roll_back(workspace, found, confirm, reason=reason)
    return _done(workspace.ledger.experiment(experiment), undone)


def _done(experiment: Experiment, undone: RollBack, *, mended: str | None = None) -> RolledBack:
    return RolledBack(
        experiment=experiment.id,
        state=experiment.state,
        rolled_back=True,
        commit=undone.commit,
        reverts=undone.reverts if undone.commit else None,
        blobs_equal=True if undone.commit else None,
        merged=undone.merged[:5],
        mended=mended,
        reason=undone.reason[:200],
        uri=uri_of(experiment.id),
        next_action=next_action(experiment),
    )
