"""Verb: the winner becomes the project's content, by one commit that a person confirms."""

from experiment_tracker_tools.conduct.advice import next_action, uri_of
from experiment_tracker_tools.conduct.promotion import Token, promote_winner, propose_promotion
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.workspace import Workspace


class Promoted(Model):
    """What promote answers.

    Attributes:
        experiment, state: which, and where it stands.
        promoted: whether it was done.
        question: what a person is asked to confirm, where it was not done.
        confirm: the one-time token that allows exactly that.
        variant, commit, branch, paths: what was done, or the files that would change.
        uri, next_action: where the rest is, and what to do now.
    """

    experiment: ExperimentId
    state: State
    promoted: bool
    question: str | None = None
    confirm: str | None = None
    variant: str | None = None
    commit: str | None = None
    branch: str | None = None
    paths: tuple[str, ...] = ()
    more_paths: int | None = None
    uri: str
    next_action: str


@tool("Promote the winner", destructive=True, asks_a_person=True)
def promote(workspace: Workspace, *, experiment: ExperimentId, confirm: Token | None = None) -> Promoted:
    """Write the winner's declared files in one commit on the current branch. Needs the verdict SHIP and a person's yes.

    Without `confirm` nothing changes: the reply holds the question and the one-time token.
    """
    found = workspace.ledger.experiment(experiment)
    if confirm is None:
        proposal = propose_promotion(workspace, found)
        return Promoted(
            experiment=experiment,
            state=found.state,
            promoted=False,
            question=proposal.question,
            confirm=proposal.token,
            paths=proposal.paths[:5],
            more_paths=max(0, len(proposal.paths) - 5) or None,
            uri=uri_of(experiment),
            next_action="Ask a person the question; on a yes call promote again with this confirm.",
        )
    made = promote_winner(workspace, found, confirm)
    found = workspace.ledger.experiment(experiment)
    return Promoted(
        experiment=experiment,
        state=found.state,
        promoted=True,
        variant=made.variant,
        commit=made.commit,
        branch=made.branch,
        paths=made.paths[:5],
        more_paths=max(0, len(made.paths) - 5) or None,
        uri=uri_of(experiment),
        next_action=next_action(found),
    )
