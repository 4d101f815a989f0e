"""A run's own folder in the store: a lock that its process holds, its state as others may read it, its work trees."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from experiment_tracker_tools.conduct.runs.environment import environment, load_note
from experiment_tracker_tools.core.errors import Conflict, NotFound
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import Opened, RunSpec, RunState
from experiment_tracker_tools.ledger.disk import private_folder, replace_file
from experiment_tracker_tools.workspace import Workspace

_STATE, _LOCK = "state.json", "lock"


class RunFolder:
    """The folder of one run; held by the process that runs it, and gone with `remove`.

    Args:
        workspace: whose store it is in.
        run: the run's id.
    """

    def __init__(self, workspace: Workspace, run: str) -> None:
        self.workspace, self.run = workspace, run
        self.path = _runs(workspace) / run
        self._lock: int | None = None

    def hold(self) -> None:
        """Take the folder for this process.

        Raises:
            Conflict: if another process holds it.
        """
        private_folder(self.path)
        if not self._locked():
            raise Conflict(f"{self.run} goes on in another process. Nothing was started.")

    def begun(self, experiment: Experiment, spec: RunSpec) -> RunState:
        """How the run stands when it begins, in this process."""
        return RunState(
            run=self.run,
            experiment=experiment.id,
            pid=os.getpid(),
            spec=spec,
            started=self.workspace.clock(),
            environment=environment(),
            notes=tuple(note for note in [load_note()] if note),
        )

    def save(self, state: RunState) -> None:
        """Let others see how the run stands."""
        replace_file(self.path / _STATE, [state.model_dump_json().encode()], durable=False)

    def state(self) -> RunState | None:
        """How the run stands; None before it has said so."""
        with suppress(OSError, ValidationError):
            return RunState.model_validate_json((self.path / _STATE).read_bytes())
        return None

    def goes_on(self) -> bool:
        """Whether a process holds the folder."""
        mine = self._lock
        if mine is not None:
            return True
        if free := self.path.is_dir() and self._locked():
            self.let_go()
        return self.path.is_dir() and not free

    def tree(self, variant: str) -> Path:
        """Where the work tree of a variant stands."""
        return self.path / variant

    def trees(self) -> list[Path]:
        """The work trees that stand here."""
        return [each for each in self.path.iterdir() if each.is_dir()] if self.path.is_dir() else []

    def take_trees_away(self) -> None:
        """Remove the work trees."""
        if self.workspace.worktree is None:
            return
        from experiment_tracker_tools.vcs import worktrees

        for folder in self.trees():
            worktrees.remove(self.workspace.worktree, folder)

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        self.take_trees_away()
        shutil.rmtree(self.path, ignore_errors=True)
        self.let_go()

    def let_go(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _locked(self) -> bool:
        if self._lock is not None:
            return True
        descriptor = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock = descriptor
        return True


def new_run_id() -> str:
    """An id that no other run has."""
    return f"run-{secrets.token_hex(4)}"


def runs_of(workspace: Workspace, experiment_id: str | None = None) -> Iterator[tuple[RunFolder, RunState]]:
    """The runs that have a folder: those that go on, and those that were cut off."""
    for path in sorted(_runs(workspace).glob("run-*")):
        folder = RunFolder(workspace, path.name)
        state = folder.state()
        if state is not None and experiment_id in {None, state.experiment}:
            yield folder, state


def left_over(workspace: Workspace) -> list[RunFolder]:
    """Folders of runs that were killed: with work trees that nobody uses, or without a word how they stood."""
    folders = [RunFolder(workspace, path.name) for path in sorted(_runs(workspace).glob("run-*"))]
    return [each for each in folders if not each.goes_on() and (each.trees() or each.state() is None)]


def clear_left_over(workspace: Workspace) -> list[str]:
    """Clear up behind runs that were killed, and tell what was done; units without outcome wait for the next run."""
    told: list[str] = []
    for folder in left_over(workspace):
        with suppress(Conflict):
            folder.hold()
            state = folder.state()
            if state is None:
                folder.remove()
            else:
                folder.take_trees_away()
                if state.ended is None:
                    folder.save(_cut_off(workspace, state))
                folder.let_go()
            told.append(f"the work trees of {folder.run}, which was killed, are gone")
    return told


def in_words(folder: RunFolder, state: RunState) -> str:
    """A run in a line, for status."""
    done = sum(tally.trials for tally in state.tallies.values())
    failed = sum(tally.failures for tally in state.tallies.values())
    told = f"{done} trials, {failed} failed"
    if folder.goes_on():
        return f"{state.run} goes on: {told}"
    return f"{state.run} stopped: {told}; run_trials goes on where it stopped"


def found_run(workspace: Workspace, experiment: Experiment, run: str) -> RunState:
    """A run that goes on, or that the ledger remembers.

    Raises:
        NotFound: if there is neither.
    """
    state = RunFolder(workspace, run).state()
    if state is not None and state.experiment == experiment.id:
        return state
    for entry in reversed(workspace.ledger.entries(experiment.id, RunState)):
        if entry.content.run == run:
            return entry.content
    raise NotFound(f"{experiment.id} has no run {quoted(run)}. Start one with run_trials, or see status.")


def inherited(workspace: Workspace, experiment: Experiment) -> list[Opened]:
    """Units that runs before this one assigned and did not record; what is left of those runs is cleared away."""
    left: list[Opened] = []
    for folder, _ in list(runs_of(workspace, experiment.id)):
        if folder.goes_on():
            continue
        with suppress(Conflict):
            folder.hold()
            # It may have written once more between our two looks.
            state = folder.state()
            if state is not None:
                left += state.opened
                if state.ended is None:
                    _cut_off(workspace, state)
            folder.remove()
    return _unrecorded(workspace, experiment, left)


def _cut_off(workspace: Workspace, state: RunState) -> RunState:
    cut = state.model_copy(update={"ended": workspace.clock(), "ended_why": "cut off: its process was gone"})
    workspace.ledger.append(state.experiment, cut)
    return cut


def _unrecorded(workspace: Workspace, experiment: Experiment, left: list[Opened]) -> list[Opened]:
    if not left:
        return []
    done = {entry.content.key for entry in workspace.ledger.journal(experiment.id).trials}
    kept = [each.model_copy(update={"units": tuple(u for u in each.units if u not in done)}) for each in left]
    return [each for each in kept if each.units]


def _runs(workspace: Workspace) -> Path:
    return workspace.folder / "cache" / "runs"
