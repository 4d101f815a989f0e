"""What a measured command leaves in a session of its own, with real processes that fork twice."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiment_tracker_tools.conduct.runs import measuring_process
from experiment_tracker_tools.conduct.runs.measuring import Interrupted, Job, Measured, Measurer

# Forks twice, each time into a session of its own; the last one tells its number and sleeps, whatever it is told.
ESCAPES = """
import os, signal, sys, time
for _ in range(2):
    if os.fork():
        os._exit(0)
    os.setsid()
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(os.getpid()))
os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(60)
"""
NOT_ADOPTING = "_PR_SET_CHILD_SUBREAPER = 36", "_PR_SET_CHILD_SUBREAPER = -1"


class Escape:
    """A script that moves a process out of its group, and what became of it."""

    def __init__(self, folder: Path, then: str = "") -> None:
        (folder / "escape.py").write_text(ESCAPES)
        self.told = folder / "pid"
        waits = f"until [ -f {self.told} ]; do sleep 0.01; done"
        self.script = f"{sys.executable} {folder}/escape.py {self.told}; {waits}; {then}"

    def job(self, *, timeout_s: float = 30.0, lasting: bool = False) -> Job:
        return Job(["/bin/sh", "-c", self.script], Path("/tmp"), timeout_s, output=False, lasting=lasting)

    @property
    def pid(self) -> int:
        deadline = time.monotonic() + 30
        while not self.told.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return int(self.told.read_text())

    def is_alive(self) -> bool:
        """Whether it goes on: it was seen to be gone by whoever adopted it, or it stays."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return False
        return state not in "ZX"


@pytest.fixture
def measurer() -> Iterator[Measurer]:
    with Measurer() as running:
        yield running


@pytest.fixture(params=["adopts", "control"])
def adopting(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the measuring process adopts; one that does not runs the same program but for that."""
    if request.param == "control":
        program = Path(measuring_process.__file__).read_text()
        assert NOT_ADOPTING[0] in program
        (tmp_path / "program.py").write_text(program.replace(*NOT_ADOPTING))
        monkeypatch.setattr(measuring_process, "__file__", str(tmp_path / "program.py"))
    return bool(request.param == "adopts")


def measured(escape: Escape, measurer: Measurer, *, timeout_s: float = 30.0, lasting: bool = False) -> Measured:
    try:
        return measurer.measure(escape.job(timeout_s=timeout_s, lasting=lasting))
    finally:
        assert escape.pid


@pytest.mark.parametrize(
    ("then", "status"), [("true", 0), ("exit 3", 3), ("sleep 60", -15)], ids=["ended", "failed", "ran out of time"]
)
def test_what_went_into_a_session_of_its_own_is_gone_after_the_trial(
    adopting: bool, tmp_path: Path, then: str, status: int
) -> None:
    escape = Escape(tmp_path, then)
    with Measurer() as measurer:
        found = measured(escape, measurer, timeout_s=1.0 if status < 0 else 30.0)
        assert (found.status, found.timed_out) == (status, status < 0)
        survived = escape.is_alive()
    assert survived is not adopting
    if survived:
        os.kill(escape.pid, 9)


def test_it_is_gone_too_when_the_run_is_stopped(adopting: bool, tmp_path: Path) -> None:
    escape = Escape(tmp_path, "sleep 60")
    with Measurer() as measurer:

        def measure() -> None:
            with pytest.raises(Interrupted):
                measurer.measure(escape.job())

        thread = threading.Thread(target=measure)
        thread.start()
        assert escape.is_alive()
        measurer.stop()
        thread.join(30)
        assert not thread.is_alive()
    survived = escape.is_alive()
    assert survived is not adopting
    if survived:
        os.kill(escape.pid, 9)


def test_what_setup_starts_outlives_it_and_the_trials_and_nothing_that_a_failed_setup_starts_does(
    measurer: Measurer, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("server", "trial", "failed")]
    for folder in folders:
        folder.mkdir()
    server, trial, failed = (
        Escape(folder, then) for folder, then in zip(folders, ("true", "true", "false"), strict=True)
    )
    measured(server, measurer, lasting=True)
    measured(trial, measurer)
    measured(failed, measurer, lasting=True)
    assert [each.is_alive() for each in (server, trial, failed)] == [True, False, False]
    os.kill(server.pid, 9)


def test_many_that_fork_on_are_all_ended_and_the_next_command_runs(measurer: Measurer, tmp_path: Path) -> None:
    script = (
        f"for i in 1 2 3 4 5; do setsid sh -c 'sleep 60 & setsid sleep 60 & echo $! >> {tmp_path}/pids; wait' & done"
    )
    waits = f"until [ $(wc -l < {tmp_path}/pids) = 5 ]; do sleep 0.01; done"
    measurer.measure(Job(["/bin/sh", "-c", f"{script}; {waits}"], tmp_path, 30.0, output=False))
    assert not [pid for pid in (tmp_path / "pids").read_text().split() if Path(f"/proc/{pid}").exists()]
    assert measurer.measure(Job(["/bin/echo", "next"], tmp_path, 30.0, output=True)).out == "next\n"


def test_nobody_is_signalled_who_is_not_a_child_of_the_measuring_process(measurer: Measurer, tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as other:
        measured(Escape(tmp_path), measurer)
        assert other.poll() is None
        assert measuring_process.is_child(other.pid)
        assert not measuring_process.is_child(os.getppid())
        assert not measuring_process.is_child(1)
        other.kill()
