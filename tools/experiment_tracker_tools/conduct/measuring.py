"""Commands measured by us: wall and CPU time, peak memory, how they ended, and a bounded end of what they said."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from experiment_tracker_tools.conduct import measuring_process
from experiment_tracker_tools.core.errors import InvalidInput, StoreFailure
from experiment_tracker_tools.core.text import quoted

NOT_STARTED = 127


class Measured(NamedTuple):
    """One run of a command.

    Attributes:
        wall_s, user_s, system_s: seconds from start to end, and on the CPU, of the command and what it waited for.
        peak_bytes: largest memory of one process; None where it stayed below what our own helper needs.
        status: exit status; the negative signal that ended it; 127 where it could not start.
        timed_out: it was ended after the time that it was given.
        out: the end of its standard output, at most 1 MiB; out_bytes is how long it was.
        err: the end of its standard error.
    """

    wall_s: float
    user_s: float
    system_s: float
    peak_bytes: int | None
    status: int
    timed_out: bool
    out: str
    out_bytes: int
    err: str


class Interrupted(Exception):
    """The run was told to stop while a command ran; the command was killed and nothing was measured."""


class Measurer:
    """A process that runs commands one after the other; leaving it kills the one that runs.

    Args:
        cpus: numbers of the CPUs that commands may use; all where left out.

    Raises:
        InvalidInput: for a CPU that this machine does not have, or a system that cannot measure.
    """

    def __init__(self, cpus: Sequence[int] | None = None) -> None:
        if not hasattr(os, "pidfd_open"):
            raise InvalidInput("run_trials needs Linux 5.4 or newer. Measure elsewhere and use record_trial.")
        usable = os.sched_getaffinity(0)
        if cpus and not set(cpus) <= usable:
            raise InvalidInput(f"cpus = {list(cpus)}: this process may use {sorted(usable)}. Name some of these.")
        pinned = [",".join(map(str, cpus))] if cpus else []
        # In a session of its own a Ctrl-C at the terminal reaches us, and only us.
        self._process = subprocess.Popen(
            [sys.executable, "-IS", str(Path(measuring_process.__file__)), *pinned],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def measure(self, command: Sequence[str], *, cwd: Path, timeout_s: float, output: bool) -> Measured:
        """Run a command in a folder.

        Args:
            command: program and arguments; no shell.
            cwd: where it runs.
            timeout_s: its process group is ended after it, first by SIGTERM, a second later by SIGKILL.
            output: whether standard output is read; it goes to /dev/null otherwise.

        Raises:
            StoreFailure: if the measuring process has died.
        """
        job = {"argv": list(command), "cwd": str(cwd), "timeout_s": timeout_s, "output": output}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(job).encode() + b"\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise StoreFailure("The measuring process is gone; the trial that ran is not recorded. Run again.")
        found = json.loads(line)
        if "error" in found:
            told = f"{quoted(command[0])}: {found['error']}"
            return Measured(0.0, 0.0, 0.0, None, NOT_STARTED, timed_out=False, out="", out_bytes=0, err=told)
        if found.pop("stopped"):
            raise Interrupted
        return Measured(**found)
