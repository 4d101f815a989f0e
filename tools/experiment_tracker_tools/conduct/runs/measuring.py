"""Commands measured by us: wall and CPU time, peak memory, how they ended, and a bounded end of what they said."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from experiment_tracker_tools.conduct.runs import measuring_process
from experiment_tracker_tools.core.errors import InvalidInput, StoreFailure
from experiment_tracker_tools.core.limits import keep_given_limit
from experiment_tracker_tools.core.text import quoted

NOT_STARTED = 127
_GONE = "The measuring process is gone; the trials that it ran are not recorded. Run again."


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


class Job(NamedTuple):
    """A command to be run.

    Attributes:
        argv: program and arguments; no shell.
        cwd: folder where it runs.
        timeout_s: its process group is ended after it, first by SIGTERM, a second later by SIGKILL.
        output: whether standard output is read; it goes to /dev/null otherwise.
        lasting: whether what it moves into a session of its own outlives its success, as a server that setup starts;
            else all that it began is killed at its end.
    """

    argv: Sequence[str]
    cwd: Path
    timeout_s: float
    output: bool
    lasting: bool = False


class Interrupted(Exception):
    """The run was told to stop while a command ran; the command was killed and nothing of it was measured."""


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
        keep_given_limit(self._process.pid)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._writing = self._stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._process.wait()
        self._stdout.close()

    def stop(self) -> None:
        """Have the command that runs killed, and no other started; a signal handler may call it."""
        self._stopped = True
        if not self._writing:
            self._stdin.close()

    def measure(self, job: Job) -> Measured:
        """Run one command; as `measure_all`."""
        [found] = self.measure_all([job], until=0.0)
        return found

    def measure_all(self, jobs: Sequence[Job], *, until: float) -> Iterator[Measured]:
        """Run commands one after the other; what they gave is told once they have ended.

        Args:
            jobs: the first one is run in any case.
            until: on the monotonic clock; none but the first is started after it, nor one whose folder is gone by then.

        Raises:
            Interrupted: behind those that ended, if it was stopped.
            StoreFailure: if the measuring process has died.
        """
        orders = [{**job._asdict(), "argv": list(job.argv), "cwd": str(job.cwd)} for job in jobs]
        self._write(json.dumps({"jobs": orders, "until": until}).encode() + b"\n")
        # All of it is read first, so that nobody else works while a command is measured.
        lines = list(iter(self._line, b"\n"))
        for job, line in zip(jobs, lines, strict=False):
            yield _understood(job, json.loads(line))

    def _write(self, line: bytes) -> None:
        self._writing = True
        try:
            if not self._stopped:
                self._stdin.write(line)
                self._stdin.flush()
        except BrokenPipeError as error:
            raise StoreFailure(_GONE) from error
        finally:
            self._writing = False
        if self._stopped:
            self._stdin.close()
            raise Interrupted

    def _line(self) -> bytes:
        line = self._stdout.readline()
        if not line.endswith(b"\n"):
            raise Interrupted if self._stopped else StoreFailure(_GONE)
        return line


def _understood(job: Job, found: dict[str, Any]) -> Measured:
    if "error" in found:
        told = f"{quoted(job.argv[0])}: {found['error']}"
        return Measured(0.0, 0.0, 0.0, None, NOT_STARTED, timed_out=False, out="", out_bytes=0, err=told)
    if found.pop("stopped"):
        raise Interrupted
    return Measured(**found)
