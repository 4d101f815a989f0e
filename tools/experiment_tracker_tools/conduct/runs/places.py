"""Where the variants of a run stand, and the words that are run there."""

import hashlib
import math
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from experiment_tracker_tools.conduct.runs.folder import RunFolder
from experiment_tracker_tools.conduct.runs.measuring import Job, Measured, Measurer
from experiment_tracker_tools.core.errors import GitRefused, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import TASK, VARIANT, Command, RunSpec

ASLEEP_S = 0.5
_SETUP_LIMIT_S = 3600.0
_HANDED_OVER = 64


class Places:
    """The folder of every variant: a work tree of its own where the subject is files, else where the caller works.

    Args:
        experiment: whose variants.
        spec: what is run.
        folder: where work trees go.
        measurer: runs the setup command.
    """

    def __init__(self, experiment: Experiment, spec: RunSpec, folder: RunFolder, measurer: Measurer) -> None:
        self._experiment, self._spec, self._folder, self._measurer = experiment, spec, folder, measurer
        self.made_anew: set[str] = set()

    def make(self, variants: tuple[str, ...]) -> None:
        """Make every work tree, and prepare it.

        Raises:
            GitRefused: if git does not allow it.
            InvalidInput: if the setup command fails.
        """
        for variant in variants:
            if self._experiment.capture is not None:
                self._check_out(variant)
            self._set_up(variant)

    def of(self, variant: str) -> Path:
        """Where a variant runs; a work tree that a command has removed is made anew."""
        if self._experiment.capture is None:
            return self._folder.workspace.directory
        tree = self._folder.tree(variant)
        if not tree.is_dir():
            self.made_anew.add(variant)
            self._check_out(variant)
            self._set_up(variant)
        return tree

    def measured(
        self, runs: Sequence[tuple[str, int | None]], *, output: bool, over: float = math.inf
    ) -> Iterator[Measured]:
        """Run the command under these variants and on these tasks, in this order.

        Commands are handed over many at once, as many as end in half a second: a process that is woken for each
        measures its own waking too.

        Args:
            runs: variant and number of the task.
            output: whether standard output is read.
            over: on the monotonic clock; none but the first is started after it.

        Raises:
            Interrupted: behind what was measured.
        """
        done = 0
        while done < len(runs) and not (done and time.monotonic() >= over):
            jobs = [
                Job(for_trial(self._spec, variant, task), self.of(variant), self._spec.timeout_s, output)
                for variant, task in runs[done : done + _HANDED_OVER]
            ]
            until = min(over, time.monotonic() + ASLEEP_S)
            for found in self._measurer.measure_all(jobs, until=until):
                done += 1
                yield found

    def _check_out(self, variant: str) -> None:
        from experiment_tracker_tools.vcs import worktrees

        root, capture = self._folder.workspace.worktree, self._experiment.capture
        assert capture is not None
        if root is None:
            raise GitRefused(f"{self._experiment.id} compares files in git, and this folder is not in its repository.")
        worktrees.add(root, self._folder.tree(variant), capture.variants[variant].commit)

    def _set_up(self, variant: str) -> None:
        if self._spec.setup is None:
            return
        command = words(self._spec.setup, {VARIANT: variant})
        done = self._measurer.measure(Job(command, self.of(variant), _SETUP_LIMIT_S, output=False, lasting=True))
        if done.status != 0 or done.timed_out:
            told = quoted(done.err.strip()[-200:], 200)
            raise InvalidInput(f"setup failed under {variant} (exit status {done.status}): {told}. No trial was run.")


def words(command: Command, replaced: Mapping[str, str]) -> list[str]:
    """What is started: words as they are, a text through /bin/sh; what is put in is quoted there.

    >>> words(("echo", "{task}"), {"{task}": "a b; rm"})
    ['echo', 'a b; rm']
    >>> words("echo {task}", {"{task}": "a b; rm"})
    ['/bin/sh', '-c', "echo 'a b; rm'"]
    """
    if isinstance(command, str):
        for name, value in replaced.items():
            command = command.replace(name, shlex.quote(value))
        return ["/bin/sh", "-c", command]
    filled = list(command)
    for name, value in replaced.items():
        filled = [word.replace(name, value) for word in filled]
    return filled


def for_trial(spec: RunSpec, variant: str, task: int | None) -> list[str]:
    """The words of one trial."""
    # The variant goes in first: a task is data, and may hold the text {variant}.
    replaced = {VARIANT: variant} if task is None else {VARIANT: variant, TASK: spec.tasks[task]}
    return words(spec.command, replaced)


def stratum_of(task: str) -> str:
    """The stratum of a task; the same in every run, whatever place the task has in the list."""
    return f"task-{hashlib.sha256(task.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def check_difference(experiment: Experiment, spec: RunSpec) -> None:
    """Let a run pass whose variants can differ.

    Raises:
        InvalidInput: if the same command would run in the same place under every variant.
    """
    whole = spec.command if isinstance(spec.command, str) else " ".join(spec.command)
    if experiment.capture is None and VARIANT not in whole:
        raise InvalidInput(
            f"The same command would run in the same folder under every variant: {experiment.id} has no files in git. "
            f"Put {VARIANT} into the command; it is replaced by {' or '.join(v.name for v in experiment.variants[:3])}."
        )
