"""The winner becomes the project's content by one commit, and back; a person confirms with a token that fits once."""

import hashlib
import hmac
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from pydantic import StringConstraints

from experiment_tracker_tools.conduct.evidence import promotion_message, rollback_message
from experiment_tracker_tools.conduct.verdicts import final_decision
from experiment_tracker_tools.core.errors import GitRefused, IllegalStep, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.decision import Decision, Promotion, RollBack
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import check_step
from experiment_tracker_tools.domain.variant import Capture
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from experiment_tracker_tools.vcs.changes import Preview


Token = Annotated[str, StringConstraints(max_length=64)]


class Proposal(NamedTuple):
    """What would be done, and the token that allows exactly this.

    Attributes:
        question: for the person who confirms.
        token: fits this step, this HEAD and this state of the ledger, and so only once.
        head: commit that the step builds on; None where git is not touched.
        paths: files that change.
    """

    question: str
    token: str
    head: str | None
    paths: tuple[str, ...]


def propose_promotion(workspace: Workspace, experiment: Experiment) -> Proposal:
    """What promoting the winner would do.

    Raises:
        IllegalStep: unless the recorded verdict is SHIP and nothing was promoted or rolled back since.
        GitRefused: if git or the working tree does not allow it; nothing was changed.
    """
    decision, capture, root = _shippable(workspace, experiment)
    from experiment_tracker_tools.vcs import promotion

    winner = str(decision.winner)
    found = promotion.preview(
        root,
        variant_commit=capture.variants[winner].commit,
        baseline_commit=capture.baseline,
        paths=experiment.subject.files,
    )
    _refuse(found)
    question = f"Promote {winner} of {experiment.id}: {_files(found)}, one commit on {_place(found)}. Continue?"
    return Proposal(question, _token(workspace, experiment, "promote", found.head), found.head, found.paths)


def promote_winner(workspace: Workspace, experiment: Experiment, token: str) -> Promotion:
    """Make the winner the project's content in one commit, and record it.

    Raises:
        InvalidInput: if the token does not fit what would be done now.
        IllegalStep, GitRefused: as for the proposal; nothing was changed.
    """
    proposal = propose_promotion(workspace, experiment)
    _check_token(proposal, token)
    decision, capture, root = _shippable(workspace, experiment)
    from experiment_tracker_tools.vcs import promotion

    winner = str(decision.winner)
    message = promotion_message(experiment, decision)
    done = promotion.promote(
        root,
        experiment_id=experiment.id,
        variant_commit=capture.variants[winner].commit,
        baseline_commit=capture.baseline,
        paths=experiment.subject.files,
        subject=message.subject,
        body=message.body,
        trailers=message.trailers,
        expected_head=str(proposal.head),
    )
    made = Promotion(variant=winner, commit=done.commit, parent=done.parent, branch=done.branch, paths=done.paths)
    now, door = workspace.clock(), workspace.door
    workspace.ledger.append(
        experiment.id,
        made,
        step=lambda e: e.advanced("completed", at=now, by=door, reason=f"promoted {winner} by {done.commit[:12]}"),
    )
    return made


def propose_rollback(workspace: Workspace, experiment: Experiment) -> Proposal:
    """What rolling back would do: undo the promotion's commit, or end the experiment where nothing was promoted.

    Raises:
        IllegalStep: if the experiment never ran, or is rolled back already.
        GitRefused: if git or the working tree does not allow it; nothing was changed.
    """
    check_step(experiment.id, experiment.state, "rolled_back")
    made = standing_promotion(workspace, experiment)
    if made is None:
        question = (
            f"End {experiment.id} ({experiment.state}): every unit gets control again, no file changes. Continue?"
        )
        return Proposal(question, _token(workspace, experiment, "rollback", None), None, ())
    from experiment_tracker_tools.vcs import rollback

    found = rollback.preview(_worktree(workspace), promotion_commit=made.commit, paths=experiment.subject.files)
    _refuse(found)
    undone = f"undo commit {made.commit[:12]} ({_files(found)})"
    question = f"Roll back {experiment.id}: {undone} on {_place(found)}. Continue?"
    return Proposal(question, _token(workspace, experiment, "rollback", found.head), found.head, found.paths)


def roll_back(workspace: Workspace, experiment: Experiment, token: str, *, reason: str) -> RollBack:
    """Undo the promotion exactly and record it; told as done only after the blobs compared equal.

    Raises:
        InvalidInput: if the token does not fit what would be done now.
        IllegalStep, GitRefused: as for the proposal; nothing was changed.
    """
    proposal = propose_rollback(workspace, experiment)
    _check_token(proposal, token)
    made = standing_promotion(workspace, experiment)
    undone = RollBack(reason=reason)
    if made is not None:
        from experiment_tracker_tools.vcs import rollback

        message = rollback_message(experiment, made, reason)
        done = rollback.roll_back(
            _worktree(workspace),
            promotion_commit=made.commit,
            paths=experiment.subject.files,
            subject=message.subject,
            body=message.body,
            trailers=message.trailers,
            expected_head=str(proposal.head),
        )
        undone = RollBack(commit=done.commit, reverts=done.reverts, reason=reason)
    now, door = workspace.clock(), workspace.door
    workspace.ledger.append(
        experiment.id, undone, step=lambda e: e.advanced("rolled_back", at=now, by=door, reason=reason or "rolled back")
    )
    return undone


def standing_promotion(workspace: Workspace, experiment: Experiment) -> Promotion | None:
    """The promotion that has not been rolled back, if there is one."""
    entry = workspace.ledger.latest(experiment.id, Promotion)
    return entry.content if entry is not None and experiment.state != "rolled_back" else None


def _shippable(workspace: Workspace, experiment: Experiment) -> tuple[Decision, Capture, Path]:
    """What a promotion needs: a SHIP verdict that still stands, captured files, a working tree.

    Raises:
        IllegalStep, GitRefused: naming what is missing.
    """
    decision = final_decision(workspace, experiment.id)
    if decision is None:
        raise IllegalStep(f"{experiment.id} is {experiment.state} without a verdict. Call decide first.")
    if decision.verdict != "SHIP" or decision.winner is None:
        raise IllegalStep(f"The verdict on {experiment.id} is {decision.verdict}, not SHIP. Nothing was changed.")
    check_step(experiment.id, experiment.state, "completed")
    if experiment.capture is None:
        raise GitRefused(
            f"{experiment.id} has no files in git. Roll {decision.winner} out where it lives; then archive."
        )
    return decision, experiment.capture, _worktree(workspace)


def _worktree(workspace: Workspace) -> Path:
    if workspace.worktree is None:
        raise GitRefused(f"{quoted(str(workspace.directory))} is not in a git repository. Nothing was changed.")
    return workspace.worktree


def _refuse(found: "Preview") -> None:
    if found.problems:
        raise GitRefused(f"{'; '.join(found.problems[:3])}. Nothing was changed.")


def _files(found: "Preview") -> str:
    shown = ", ".join(quoted(path) for path in found.paths[:5])
    return shown + (f" and {len(found.paths) - 5} more files" if len(found.paths) > 5 else "")


def _place(found: "Preview") -> str:
    return f"{quoted(str(found.branch))} at {str(found.head)[:12]}"


def _token(workspace: Workspace, experiment: Experiment, verb: Literal["promote", "rollback"], head: str | None) -> str:
    state = "\0".join((verb, experiment.id, head or "", workspace.ledger.head(experiment.id)))
    return hmac.new(workspace.secret, state.encode(), hashlib.sha256).hexdigest()[:16]


def _check_token(proposal: Proposal, token: str) -> None:
    if not hmac.compare_digest(proposal.token.encode(), token.encode()):
        raise InvalidInput(
            f"The confirmation {quoted(token)} does not fit: it is used up, or HEAD or the ledger has moved. "
            "Nothing was changed; call again without confirm to see what would be done now."
        )
