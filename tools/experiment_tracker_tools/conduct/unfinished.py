"""What a process that died had begun in git: recorded before it happens, finished or undone by the next call."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_tracker_tools.core.errors import ExperimentError, GitRefused, StoreFailure
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.decision import Promotion, RollBack
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.intent import Abandoned, Intent, KeptEdit
from experiment_tracker_tools.domain.lifecycle import STEPS, State
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from experiment_tracker_tools.vcs.changes import Moves
    from experiment_tracker_tools.vcs.trees import Entry

_LOCK = "git.lock"


@contextmanager
def alone_with_git(workspace: Workspace) -> Generator[None]:
    """One promotion, roll-back or mending at a time in a project; whoever dies lets go.

    Raises:
        StoreFailure: naming the process that holds it for too long.
    """
    from experiment_tracker_tools.ledger.locking import DEADLINE_S, acquire
    from experiment_tracker_tools.vcs.command import lent

    workspace.make_ready()
    path = workspace.folder / _LOCK
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreFailure(f"Cannot open .experiments/{_LOCK}: {error.strerror}. Nothing was changed.") from error
    try:
        acquire(fd, time.monotonic() + DEADLINE_S, f".experiments/{_LOCK}", lambda: None)
        with lent(fd):
            yield
    finally:
        os.close(fd)


def intent_of(moves: "Moves", worktree: Path, *, entry: Promotion | RollBack) -> Intent:
    """What is recorded before anything moves."""
    return Intent(
        worktree=str(worktree),
        ref=moves.ref,
        old=moves.old,
        token=moves.token,
        kept={
            path: KeptEdit(
                staged=_line(kept.staged),
                staged_after=_line(kept.staged_after),
                tree=_line(kept.tree),
                tree_after=_line(kept.tree_after),
            )
            for path, kept in moves.kept.items()
        },
        promotion=entry if isinstance(entry, Promotion) else None,
        rollback=entry if isinstance(entry, RollBack) else None,
    )


def unfinished(workspace: Workspace, experiment_id: str) -> Intent | None:
    """What was begun and neither came to its entry nor was abandoned."""
    begun = workspace.ledger.latest(experiment_id, Intent)
    if begun is None:
        return None
    ends: tuple[type[Model], ...] = (Promotion, RollBack, Abandoned)
    ended = [entry.seq for kind in ends if (entry := workspace.ledger.latest(experiment_id, kind)) is not None]
    return begun.content if all(seq < begun.seq for seq in ended) else None


def settle(workspace: Workspace, experiment_id: str) -> str | None:
    """See that nothing of an experiment is left half done in git, before anything else is done to it.

    What the branch has moved for is finished, all else is undone.

    Returns:
        What was done, None where there was nothing to do.

    Raises:
        GitRefused, StoreFailure: if that cannot be done now, with what is left to do.
    """
    if unfinished(workspace, experiment_id) is None:
        return None
    with alone_with_git(workspace):
        return mend(workspace, experiment_id)


def mend(workspace: Workspace, experiment_id: str) -> str | None:
    """Finish or undo what is left half done, under the lock; tells what was done, None where there was nothing."""
    intent = unfinished(workspace, experiment_id)
    if intent is None:
        return None
    from experiment_tracker_tools.vcs import recovery

    top, experiment = _worktree_of(workspace, experiment_id, intent), workspace.ledger.experiment(experiment_id)
    moves = _moves(intent)
    try:
        if not recovery.is_made(top, moves):
            recovery.clear(top, moves, experiment.subject.files)
            workspace.ledger.append(experiment_id, Abandoned(reason="interrupted before anything moved"))
            return f"{what_of(intent)} of {experiment_id} was interrupted before anything moved; nothing is left of it"
        left = recovery.finish(top, moves, experiment.subject.files)
    except ExperimentError as error:
        raise GitRefused(
            f"{what_of(intent)} of {experiment_id} was interrupted and cannot be finished now: {error} "
            "Then call again, or: experiment-tracker doctor --mend."
        ) from error
    record(workspace, experiment_id, _entry(intent))
    own = f"; left as you changed them since: {', '.join(quoted(path) for path in left[:5])}" if left else ""
    return f"{what_of(intent)} of {experiment_id} was interrupted and is finished now{own}"


def record(workspace: Workspace, experiment_id: str, entry: Promotion | RollBack) -> None:
    """Record what was done, with the step that it causes if nobody took it meanwhile."""
    now, door = workspace.clock(), workspace.door
    target: State = "completed" if isinstance(entry, Promotion) else "rolled_back"
    if isinstance(entry, Promotion):
        reason = f"promoted {entry.variant} by {entry.commit[:12]}"
    else:
        reason = entry.reason or "rolled back"

    def step(current: Experiment) -> Experiment:
        if target not in STEPS[current.state]:
            return current
        return current.advanced(target, at=now, by=door, reason=reason)

    workspace.ledger.append(experiment_id, entry, step=step)


def abandon(workspace: Workspace, experiment_id: str, reason: str) -> None:
    """Record that nothing came of it, unless git says otherwise; then it is left to the next call."""
    from experiment_tracker_tools.vcs import recovery

    intent = unfinished(workspace, experiment_id)
    if intent is not None and not recovery.is_made(_worktree_of(workspace, experiment_id, intent), _moves(intent)):
        workspace.ledger.append(experiment_id, Abandoned(reason=reason[:500]))


def what_of(intent: Intent) -> str:
    """What it was to be, in words."""
    return "The promotion" if intent.promotion is not None else "The roll-back"


def _worktree_of(workspace: Workspace, experiment_id: str, intent: Intent) -> Path:
    # The journal may come from another machine: nothing is written at a place that only it names.
    if workspace.worktree is None or str(workspace.worktree) != intent.worktree:
        raise GitRefused(
            f"{what_of(intent)} of {experiment_id} was interrupted in the work tree {quoted(intent.worktree)}. "
            "Call again there, or there: experiment-tracker doctor --mend."
        )
    return workspace.worktree


def _entry(intent: Intent) -> Promotion | RollBack:
    entry = intent.promotion or intent.rollback
    assert entry is not None
    return entry


def _moves(intent: Intent) -> "Moves":
    from experiment_tracker_tools.vcs.changes import Kept, Moves

    kept = {
        path: Kept(_split(e.staged), _split(e.staged_after), _split(e.tree), _split(e.tree_after))
        for path, e in intent.kept.items()
    }
    return Moves(intent.ref, intent.old, str(_entry(intent).commit), intent.token, kept)


def _line(entry: "Entry | None") -> str | None:
    return None if entry is None else f"{entry.mode} {entry.blob}"


def _split(line: str | None) -> "Entry | None":
    from experiment_tracker_tools.vcs.trees import Entry

    return None if line is None else Entry(*line.split(" ", 1))
