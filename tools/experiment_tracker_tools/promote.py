"""Verb: the winner becomes the project's content, by one commit that a person confirms."""

from experiment_tracker_tools.conduct.advice import next_action, uri_of
from experiment_tracker_tools.conduct.confirming import Token
from experiment_tracker_tools.conduct.promotion import Ask, confirmed_promotion, handed_out, propose_promotion
from experiment_tracker_tools.conduct.ramping import confirmed_step, limit_told, propose_step, rollout_of
from experiment_tracker_tools.conduct.rolling_back import standing_promotion
from experiment_tracker_tools.conduct.unfinished import settle
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model, Note, Slug
from experiment_tracker_tools.domain.decision import Promotion, PromotionMode
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.domain.ramp import Ramped
from experiment_tracker_tools.workspace import Workspace

_NEXT: dict[PromotionMode, str] = {
    "branch": "Push the branch and open a pull request; `file` holds its text.",
    "patch": "Apply it where it is wanted: git am FILE.",
}


class Promoted(Model):
    """What promote answers.

    Attributes:
        experiment, state: which, and where it stands.
        promoted: whether it was done.
        question: what a person is asked to confirm, where it was not done.
        confirm: the one-time token that allows exactly that.
        mended: what an interrupted call had begun, and this one finished.
        variant, commit, branch, paths: what was done, or the files that would change.
        file: the patch, or the text of the pull request.
        merged: files where the project has changed too; both changes are kept.
        override: why it was promoted against the verdict.
        flag, share: of a flag, which one and the fraction of the units that it now serves the winner to.
        limits: what the units behind the newest step say about its limits.
        uri, next_action: where the rest is, and what to do now.
    """

    experiment: ExperimentId
    state: State
    promoted: bool
    question: str | None = None
    confirm: str | None = None
    mended: str | None = None
    variant: str | None = None
    commit: str | None = None
    branch: str | None = None
    file: str | None = None
    paths: tuple[str, ...] = ()
    more_paths: int | None = None
    merged: tuple[str, ...] = ()
    override: str = ""
    flag: str | None = None
    share: float | None = None
    limits: tuple[str, ...] = ()
    uri: str
    next_action: str


@tool("Promote the winner", destructive=True, asks_a_person=True)
def promote(
    workspace: Workspace,
    *,
    experiment: ExperimentId,
    mode: PromotionMode | None = None,
    variant: Slug | None = None,
    stash: bool = False,
    override_reason: Note = "",
    confirm: Token | None = None,
) -> Promoted:
    """Write the winner's files: a commit here, a branch or a patch. Needs SHIP and a person's yes.

    Without `confirm` it only asks; stash keeps your own edits.
    """
    mended = settle(workspace, experiment)
    found = workspace.ledger.experiment(experiment)
    if mended is not None and (made := standing_promotion(workspace, found)) is not None:
        return _done(found, made, mended=mended)
    if found.subject.flag is not None:
        if mode is not None or variant is not None or stash:
            raise InvalidInput(f"{found.id} is a flag: mode, variant and stash belong to files. Nothing was changed.")
        return _ramped(workspace, found, override=override_reason, confirm=confirm)
    ask = Ask(mode or "commit", variant, keep_edits=stash, override=override_reason)
    if confirm is None:
        proposal = propose_promotion(workspace, found, ask)
        return Promoted(
            experiment=experiment,
            state=found.state,
            promoted=False,
            question=proposal.question,
            confirm=proposal.token,
            paths=proposal.paths[:5],
            more_paths=max(0, len(proposal.paths) - 5) or None,
            merged=proposal.merged[:5],
            uri=uri_of(experiment),
            next_action="Ask a person the question; on a yes call promote again with this confirm.",
        )
    made = confirmed_promotion(workspace, found, confirm, ask)
    return _done(workspace.ledger.experiment(experiment), made)


def _done(experiment: Experiment, made: Promotion, *, mended: str | None = None) -> Promoted:
    return Promoted(
        experiment=experiment.id,
        state=experiment.state,
        promoted=True,
        mended=mended,
        variant=made.variant,
        commit=made.commit,
        branch=made.branch,
        file=handed_out(experiment, made),
        paths=made.paths[:5],
        more_paths=max(0, len(made.paths) - 5) or None,
        merged=made.merged[:5],
        override=made.override[:200],
        uri=uri_of(experiment.id),
        next_action=_NEXT.get(made.mode) or next_action(experiment),
    )


def _ramped(workspace: Workspace, experiment: Experiment, *, override: str, confirm: Token | None) -> Promoted:
    """The next step of a flag's rollout, asked or done."""
    limits = tuple(map(limit_told, rollout_of(workspace, experiment).limits))
    made: Ramped | None = None
    proposal = None
    if confirm is None:
        proposal = propose_step(workspace, experiment, override=override)
    else:
        made = confirmed_step(workspace, experiment, confirm, override=override)
        experiment = workspace.ledger.experiment(experiment.id)
    return Promoted(
        experiment=experiment.id,
        state=experiment.state,
        promoted=made is not None,
        question=proposal.question if proposal else None,
        confirm=proposal.token if proposal else None,
        variant=made.variant if made else None,
        flag=experiment.subject.flag,
        share=made.share if made else None,
        limits=limits,
        override=override[:200],
        uri=uri_of(experiment.id),
        next_action=_next_step(experiment, made),
    )


def _next_step(experiment: Experiment, made: Ramped | None) -> str:
    if made is None:
        return "Ask a person the question; on a yes call promote again with this confirm."
    if made.share == 1:
        return "Everybody has it: take the flag out of the code (scan_flags tells where), then archive."
    if not experiment.plan.ramp.limited:
        return "NOT GUARDED: the ramp has no limits. Watch it yourself; promote again for the next step."
    return "Record outcomes behind the flag (record_trial); promote again for the next step."
