"""The winner becomes the project's content: by one commit, on a branch for a pull request, or as a patch."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.conduct.confirming import (
    Proposal,
    check_token,
    files_told,
    kept_told,
    place_told,
    proposed,
)
from experiment_tracker_tools.conduct.evidence import Decided, promotion_message, pull_request
from experiment_tracker_tools.conduct.outside import beyond_told
from experiment_tracker_tools.conduct.unfinished import abandon, alone_with_git, intent_of, mend, record
from experiment_tracker_tools.core.errors import ExperimentError, GitRefused, IllegalStep
from experiment_tracker_tools.core.text import listed, quoted
from experiment_tracker_tools.domain.consequences import CONSEQUENCES
from experiment_tracker_tools.domain.decision import FINAL, Decision, Promotion, PromotionMode
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import check_step
from experiment_tracker_tools.domain.trial import Entry
from experiment_tracker_tools.domain.variant import Capture
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.deviations import deviations
from experiment_tracker_tools.workspace.sealed import seal_of

if TYPE_CHECKING:
    from experiment_tracker_tools.vcs.changes import Moves, Preview
    from experiment_tracker_tools.vcs.promotion import Wish

# Verdicts of which a person chooses the variant, because none is better.
_A_CHOICE: tuple[str, ...] = ("EQUIVALENT",)
PATCH, PULL_REQUEST = "promote.patch", "pull-request.md"


class Ask(NamedTuple):
    """How to promote.

    Attributes:
        mode: a commit on the current branch, a branch `experiment/<id>`, or a patch file.
        variant: which one; the winner where left out.
        keep_edits: carry uncommitted edits of the declared files over, instead of refusing.
        override: why a variant is promoted that the verdict does not ship; empty where it does.
    """

    mode: PromotionMode = "commit"
    variant: str | None = None
    keep_edits: bool = False
    override: str = ""


class _Ready(NamedTuple):
    decision: Entry[Decision]
    capture: Capture
    root: Path
    variant: str


def propose_promotion(workspace: Workspace, experiment: Experiment, ask: Ask = Ask()) -> Proposal:  # noqa: B008 frozen
    """What promoting would do.

    Raises:
        IllegalStep: unless the recorded verdict ships the variant (or `override` says why it should go nevertheless),
            and nothing was promoted or rolled back since.
        GitRefused: if git or the working tree does not allow it; nothing was changed.
    """
    ready = _ready(workspace, experiment, ask)
    found = _preview(experiment, ready, ask)
    against = f" against the verdict {ready.decision.content.verdict} ({quoted(ask.override, 200)})"
    how = {
        "commit": f"one commit on {place_told(found)}",
        "branch": f"as branch {branch_of(experiment)} from {place_told(found)}",
        "patch": f"as .experiments/{experiment.id}/{PATCH} for {place_told(found)}",
    }[ask.mode]
    what = f"Promote {ready.variant} of {experiment.id}{against if ask.override else ''}: {files_told(found.paths)}"
    beyond = beyond_told(experiment)
    return proposed(workspace, experiment, "promote", f"{what}, {how}{kept_told(found)}{beyond}. Continue?", found)


def confirmed_promotion(workspace: Workspace, experiment: Experiment, token: str, ask: Ask) -> Promotion:
    """Promote what a person agreed to.

    Raises:
        InvalidInput: if the token does not fit what would be done now.
        IllegalStep, GitRefused: as for the proposal; nothing was changed.
    """
    return _promoted(workspace, experiment, ask, decided_by=f"a person, through {workspace.door}", token=token)


def promote_winner(workspace: Workspace, experiment: Experiment, ask: Ask, *, decided_by: str) -> Promotion:
    """Make a variant the project's content, and record it. No tool may call this: it asks no person.

    Args:
        workspace, experiment: which.
        ask: how.
        decided_by: who or what decided, for the commit's trailer.

    Raises:
        IllegalStep, GitRefused: as for the proposal; nothing was changed.
    """
    return _promoted(workspace, experiment, ask, decided_by=decided_by, token=None)


def branch_of(experiment: Experiment) -> str:
    """The branch that a pull request is made from."""
    return f"experiment/{experiment.id}"


def handed_out(experiment: Experiment, made: Promotion) -> str | None:
    """The file that a promotion left beside the experiment's journal, from the project's root."""
    names = {"branch": PULL_REQUEST, "patch": PATCH}
    return f".experiments/{experiment.id}/{names[made.mode]}" if made.mode in names else None


def _promoted(
    workspace: Workspace, experiment: Experiment, ask: Ask, *, decided_by: str, token: str | None
) -> Promotion:
    with alone_with_git(workspace):
        mend(workspace, experiment.id)
        experiment = workspace.ledger.experiment(experiment.id)
        proposal = propose_promotion(workspace, experiment, ask)
        if token is not None:
            check_token(proposal, token)
        ready = _ready(workspace, experiment, ask)
        seal = seal_of(workspace, experiment)
        decided = Decided(
            ready.decision,
            ready.variant,
            by=decided_by,
            plan_hash=seal.sha256 if seal is not None else None,
            override=ask.override,
            merged=proposal.merged,
        )
        try:
            made = _made(workspace, experiment, ask, ready=ready, decided=decided, proposal=proposal)
        except ExperimentError as error:
            abandon(workspace, experiment.id, str(error))
            raise
        record(workspace, experiment.id, made)
    return made


def _made(
    workspace: Workspace,
    experiment: Experiment,
    ask: Ask,
    *,
    ready: _Ready,
    decided: Decided,
    proposal: Proposal,
) -> Promotion:
    from experiment_tracker_tools.vcs import promotion
    from experiment_tracker_tools.vcs.exact import Order
    from experiment_tracker_tools.vcs.handout import hand_out

    root, message = ready.root, promotion_message(experiment, decided)
    entry = Promotion(
        variant=ready.variant,
        commit=str(proposal.head),
        parent=str(proposal.head),
        branch=branch_of(experiment) if ask.mode == "branch" else _here(root),
        paths=proposal.paths,
        mode=ask.mode,
        merged=proposal.merged,
        override=ask.override,
    )

    def announce(moves: "Moves") -> None:
        if ask.mode == "branch":
            body = pull_request(experiment, decided, deviations=deviations(workspace, experiment))
            hand_out(workspace.folder, f"{experiment.id}/{PULL_REQUEST}", body.encode())
        moved = entry.model_copy(update={"commit": moves.new})
        workspace.ledger.append(experiment.id, intent_of(moves, root, entry=moved))

    order = Order(
        message.subject,
        message.body,
        message.trailers,
        reason=f"promote {experiment.id}",
        edits="keep" if ask.keep_edits else "refuse",
        announce=announce,
    )
    wish = _wish(experiment, ready)
    if ask.mode == "commit":
        done = promotion.promote(root, wish, order, expected_head=entry.parent)
    else:
        branch = entry.branch if ask.mode == "branch" else None
        done = promotion.promote_aside(root, wish, order, branch=branch, expected_head=entry.parent)
    if ask.mode == "patch":
        hand_out(workspace.folder, f"{experiment.id}/{PATCH}", promotion.patch(root, done.commit))
    return entry.model_copy(update={"commit": done.commit})


def _here(root: Path) -> str:
    from experiment_tracker_tools.vcs.repository import head

    return head(root).branch or "HEAD"


def _wish(experiment: Experiment, ready: _Ready) -> "Wish":
    from experiment_tracker_tools.vcs.promotion import Wish

    commit = ready.capture.variants[ready.variant].commit
    return Wish(commit, ready.capture.baseline, experiment.subject.files)


def _preview(experiment: Experiment, ready: _Ready, ask: Ask) -> "Preview":
    from experiment_tracker_tools.vcs import promotion

    wish = _wish(experiment, ready)
    if ask.mode == "commit":
        return promotion.preview(ready.root, wish, edits="keep" if ask.keep_edits else "refuse")
    branch = branch_of(experiment) if ask.mode == "branch" else None
    return promotion.preview_aside(ready.root, wish, branch=branch)


def _ready(workspace: Workspace, experiment: Experiment, ask: Ask) -> _Ready:
    """What a promotion needs: a verdict that allows it, captured files, a working tree.

    Raises:
        IllegalStep, GitRefused: naming what is missing.
    """
    decision = workspace.ledger.latest(experiment.id, Decision)
    if decision is None:
        raise IllegalStep(f"{experiment.id} is {experiment.state} without a verdict. Call decide first.")
    verdict = decision.content.verdict
    if verdict not in FINAL:
        told = CONSEQUENCES[verdict].next_action
        raise IllegalStep(f"{experiment.id} is {experiment.state}: {verdict} ends nothing and promotes nothing. {told}")
    variant = _allowed(experiment, decision.content, ask)
    check_step(experiment.id, experiment.state, "completed")
    if experiment.capture is None:
        raise GitRefused(f"{experiment.id} has no files in git. Roll {variant} out where it lives; then archive.")
    if workspace.worktree is None:
        raise GitRefused(f"{quoted(str(workspace.directory))} is not in a git repository. Nothing was changed.")
    return _Ready(decision, experiment.capture, workspace.worktree, variant)


def _allowed(experiment: Experiment, decision: Decision, ask: Ask) -> str:
    """The variant that may be promoted.

    Raises:
        IllegalStep: if the verdict is against it and no `override` says why it should go nevertheless.
    """
    names = [variant.name for variant in experiment.variants]
    if ask.variant is not None and ask.variant not in names:
        raise IllegalStep(f"{experiment.id} has no variant {quoted(ask.variant)}. It has: {listed(names)}.")
    if decision.verdict == "SHIP" and decision.winner is not None and ask.variant in (None, decision.winner):
        return decision.winner
    choice = ask.variant or (names[1] if len(names) == 2 else None)
    if decision.verdict in _A_CHOICE and ask.variant is not None:
        return ask.variant
    if ask.override and choice is not None:
        return choice
    if ask.override or decision.verdict in _A_CHOICE:
        raise IllegalStep(f"Which one? Name the variant of {experiment.id}: {listed(names)}. Nothing was changed.")
    shipped = f"SHIP for {decision.winner}" if decision.verdict == "SHIP" else f"{decision.verdict}, not SHIP"
    raise IllegalStep(
        f"The verdict on {experiment.id} is {shipped}. Nothing was changed. Keep control; a person who promotes "
        "nevertheless gives override_reason, which stays on record."
    )
