"""A promotion undone by one commit, or an experiment ended on control before one."""

from pathlib import Path
from typing import TYPE_CHECKING

from experiment_tracker_tools.conduct.confirming import (
    Proposal,
    check_token,
    files_told,
    kept_told,
    place_told,
    proposed,
)
from experiment_tracker_tools.conduct.evidence import rollback_message
from experiment_tracker_tools.conduct.ramping import has_lever, switch_off, switch_off_told
from experiment_tracker_tools.conduct.unfinished import abandon, alone_with_git, intent_of, mend, record
from experiment_tracker_tools.core.errors import ExperimentError, GitRefused
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.decision import Promotion, RollBack
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import check_step
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from experiment_tracker_tools.vcs.changes import Moves


def propose_rollback(workspace: Workspace, experiment: Experiment) -> Proposal:
    """What rolling back would do: undo the promotion's commit, or end the experiment where nothing was promoted.

    Raises:
        IllegalStep: if the experiment never ran, or is rolled back already.
        GitRefused: if git or the working tree does not allow it; nothing was changed.
    """
    check_step(experiment.id, experiment.state, "rolled_back")
    if experiment.subject.flag is not None:
        off = switch_off_told(workspace, experiment)
        return proposed(
            workspace, experiment, "rollback", f"End {experiment.id} ({experiment.state}): {off}. Continue?"
        )
    made = standing_promotion(workspace, experiment)
    commit = None if made is None else _landed(workspace, experiment, made)
    if commit is None:
        where = "" if made is None else f"; what was handed out as {_handed_out(made)} is not in this branch's history"
        question = f"End {experiment.id} ({experiment.state}): every unit gets control again, no file changes{where}."
        return proposed(workspace, experiment, "rollback", f"{question} Continue?")
    from experiment_tracker_tools.vcs import rollback

    found = rollback.preview(_worktree(workspace), promotion_commit=commit, paths=experiment.subject.files)
    undone = f"undo commit {commit[:12]} ({files_told(found.paths)})"
    question = f"Roll back {experiment.id}: {undone} on {place_told(found)}{kept_told(found)}. Continue?"
    return proposed(workspace, experiment, "rollback", question, found)


def confirmed_roll_back(workspace: Workspace, experiment: Experiment, token: str, *, reason: str) -> RollBack:
    """Roll back what a person agreed to.

    Raises:
        InvalidInput: if the token does not fit what would be done now.
        IllegalStep, GitRefused: as for the proposal; nothing was changed.
    """
    return _rolled_back(workspace, experiment, RollBack(reason=reason), token=token)


def roll_back(workspace: Workspace, experiment: Experiment, *, reason: str, regression: str = "") -> RollBack:
    """Undo the promotion and record it; told as done only after the blobs compared equal.

    No tool may call this: it asks no person. A monitor that measured a regression may.

    Args:
        workspace, experiment: which.
        reason: why.
        regression: what got worse, with its interval, where it was measured.

    Raises:
        IllegalStep, GitRefused: as for the proposal; nothing was changed.
    """
    return _rolled_back(workspace, experiment, RollBack(reason=reason, regression=regression), token=None)


def standing_promotion(workspace: Workspace, experiment: Experiment) -> Promotion | None:
    """The promotion that has not been rolled back, if there is one."""
    entry = workspace.ledger.latest(experiment.id, Promotion)
    return entry.content if entry is not None and experiment.state != "rolled_back" else None


def _rolled_back(workspace: Workspace, experiment: Experiment, wanted: RollBack, *, token: str | None) -> RollBack:
    with alone_with_git(workspace):
        mend(workspace, experiment.id)
        experiment = workspace.ledger.experiment(experiment.id)
        proposal = propose_rollback(workspace, experiment)
        if token is not None:
            check_token(proposal, token)
        made = standing_promotion(workspace, experiment)
        commit = None if made is None else _landed(workspace, experiment, made)
        undone = wanted.model_copy(update={"reverts": commit, "merged": proposal.merged})
        if commit is not None:
            try:
                undone = _undone(workspace, experiment, undone, expected_head=str(proposal.head))
            except ExperimentError as error:
                abandon(workspace, experiment.id, str(error))
                raise
        if has_lever(workspace, experiment):
            switch_off(workspace, experiment, reason=wanted.reason or "rolled back")
        record(workspace, experiment.id, undone)
    return undone


def _undone(workspace: Workspace, experiment: Experiment, wanted: RollBack, *, expected_head: str) -> RollBack:
    from experiment_tracker_tools.vcs import rollback
    from experiment_tracker_tools.vcs.exact import Order

    root, commit = _worktree(workspace), str(wanted.reverts)

    def announce(moves: "Moves") -> None:
        entry = wanted.model_copy(update={"commit": moves.new})
        workspace.ledger.append(experiment.id, intent_of(moves, root, entry=entry))

    message = rollback_message(experiment, wanted)
    order = Order(message.subject, message.body, message.trailers, reason=f"roll back {commit[:12]}", announce=announce)
    done = rollback.roll_back(
        root, order, promotion_commit=commit, paths=experiment.subject.files, expected_head=expected_head
    )
    return wanted.model_copy(update={"commit": done.commit})


def _landed(workspace: Workspace, experiment: Experiment, made: Promotion) -> str | None:
    """The commit in HEAD's history that is the promotion; None where it was handed out and has not come back."""
    if made.mode == "commit":
        return made.commit
    from experiment_tracker_tools.vcs.rollback import landed

    return landed(_worktree(workspace), experiment.id, made.commit, experiment.subject.files)


def _handed_out(made: Promotion) -> str:
    return f"branch {quoted(made.branch)}" if made.mode == "branch" else "a patch"


def _worktree(workspace: Workspace) -> Path:
    if workspace.worktree is None:
        raise GitRefused(f"{quoted(str(workspace.directory))} is not in a git repository. Nothing was changed.")
    return workspace.worktree
