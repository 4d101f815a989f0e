"""Commands measured by us, real ones, the hostile ones too."""

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiment_tracker_tools.conduct.runs.measuring import NOT_STARTED, Interrupted, Job, Measured, Measurer
from experiment_tracker_tools.core.errors import InvalidInput


@pytest.fixture(scope="module")
def measurer() -> Iterator[Measurer]:
    with Measurer() as running:
        yield running


def ran(measurer: Measurer, *command: str, timeout_s: float = 30.0, output: bool = True) -> Measured:
    return measurer.measure(Job(command, Path("/tmp"), timeout_s, output))


def sh(measurer: Measurer, script: str, *, timeout_s: float = 30.0) -> Measured:
    return ran(measurer, "/bin/sh", "-c", script, timeout_s=timeout_s)


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def dies(pid: int) -> bool:
    """Whether a process that was killed is gone; the kernel takes its own time to see to it."""
    deadline = time.monotonic() + 30
    while is_alive(pid) and time.monotonic() < deadline:
        os.sched_yield()
    return not is_alive(pid)


def test_output_status_and_folder_are_the_commands_own(measurer: Measurer, tmp_path: Path) -> None:
    found = measurer.measure(job("pwd; echo bad >&2; exit 3", tmp_path))
    assert (found.out, found.err, found.status, found.timed_out) == (f"{tmp_path}\n", "bad\n", 3, False)


def test_cpu_time_and_memory_are_those_of_the_command_and_not_ours(measurer: Measurer) -> None:
    big = ran(measurer, sys.executable, "-c", "x = b'a' * 300_000_000; sum(range(3_000_000))")
    small = ran(measurer, "true")
    assert big.user_s + big.system_s > 0.05
    assert big.wall_s >= 0.9 * (big.user_s + big.system_s) / (os.cpu_count() or 1)
    assert 300_000_000 <= (big.peak_bytes or 0) <= 400_000_000
    assert small.peak_bytes is None


def test_a_hundred_megabytes_of_output_are_counted_and_one_is_kept(measurer: Measurer) -> None:
    found = sh(measurer, "head -c 100000000 /dev/zero | tr '\\0' x; printf end")
    assert found.out_bytes == 100_000_003
    assert len(found.out) == 1 << 20
    assert found.out.endswith("xend")


def test_errors_are_kept_to_their_end_too(measurer: Measurer) -> None:
    found = sh(measurer, "head -c 1000000 /dev/zero | tr '\\0' e >&2; printf last >&2")
    assert len(found.err) == 2048
    assert found.err.endswith("elast")


def test_output_that_nobody_reads_is_not_read(measurer: Measurer) -> None:
    found = ran(measurer, "/bin/sh", "-c", "echo hello", output=False)
    assert (found.out, found.out_bytes) == ("", 0)


def test_a_signal_is_told_as_such(measurer: Measurer) -> None:
    assert sh(measurer, "kill -SEGV $$").status == -signal.SIGSEGV


def test_after_its_time_a_command_and_its_children_are_gone(measurer: Measurer, tmp_path: Path) -> None:
    script = f"sleep 60 & echo $! > {tmp_path}/child; sleep 60"
    found = sh(measurer, script, timeout_s=0.5)
    assert found.timed_out
    assert found.status == -signal.SIGTERM
    assert dies(int((tmp_path / "child").read_text()))


def test_a_command_that_ignores_sigterm_is_killed(measurer: Measurer) -> None:
    found = sh(measurer, "trap '' TERM; while :; do sleep 60; done", timeout_s=0.5)
    assert (found.timed_out, found.status) == (True, -signal.SIGKILL)


def test_a_child_that_outlives_the_command_does_not_hold_the_trial_up(measurer: Measurer, tmp_path: Path) -> None:
    found = sh(measurer, f"sleep 60 & echo $! > {tmp_path}/child; echo done")
    assert (found.out, found.status, found.timed_out) == ("done\n", 0, False)
    assert dies(int((tmp_path / "child").read_text()))


def test_what_cannot_start_is_told_and_the_next_command_runs(measurer: Measurer) -> None:
    missing = ran(measurer, "/no/such/program")
    assert missing.status == NOT_STARTED
    assert "No such file" in missing.err
    gone = measurer.measure(job("true", Path("/no/such/folder")))
    assert gone.status == NOT_STARTED
    assert sh(measurer, "echo ok").out == "ok\n"


def test_bytes_that_are_no_text_and_escape_sequences_come_as_text(measurer: Measurer) -> None:
    assert sh(measurer, "printf '\\377\\033[2J'").out == "\ufffd\x1b[2J"


def test_the_environment_passes_through_as_it_is(measurer: Measurer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_VARIABLE_OF_OURS", "seen")
    with Measurer() as later:
        assert sh(later, "echo $A_VARIABLE_OF_OURS").out == "seen\n"


def test_leaving_ends_what_runs(tmp_path: Path) -> None:
    told: list[type[BaseException]] = []
    running = Measurer()

    def measure() -> None:
        try:
            sh(running, f"echo $$ > {tmp_path}/pid; sleep 60")
        except BaseException as error:
            told.append(type(error))

    thread = threading.Thread(target=measure)
    thread.start()
    deadline = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert time.monotonic() < deadline
    pid = int((tmp_path / "pid").read_text())
    assert is_alive(pid)
    assert running._process.stdin is not None
    running._process.stdin.close()
    thread.join(30)
    assert told == [Interrupted]
    assert dies(pid)
    running._process.wait(30)
    assert running._process.stdout is not None
    running._process.stdout.close()


def job(script: str, folder: Path = Path("/tmp")) -> Job:
    return Job(["/bin/sh", "-c", script], folder, timeout_s=30, output=True)


def test_many_are_run_in_order_until_their_time_is_over(measurer: Measurer) -> None:
    jobs = [job(f"echo {number}") for number in range(3)]
    assert [found.out for found in measurer.measure_all(jobs, until=math.inf)] == ["0\n", "1\n", "2\n"]
    assert [found.out for found in measurer.measure_all(jobs, until=0.0)] == ["0\n"]


def test_a_folder_that_goes_away_ends_them_before_the_one_that_would_run_there(
    measurer: Measurer, tmp_path: Path
) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    jobs = [job('rm -rf "$PWD"', folder), job("echo here", folder), job("echo there")]
    assert [found.status for found in measurer.measure_all(jobs, until=math.inf)] == [0]
    assert [found.status for found in measurer.measure_all(jobs[1:], until=math.inf)] == [NOT_STARTED, 0]


def test_much_output_ends_them_early_and_loses_none(measurer: Measurer) -> None:
    jobs = [job("head -c 900000 /dev/zero | tr '\\0' x") for _ in range(4)]
    found = list(measurer.measure_all(jobs, until=math.inf))
    assert [each.out_bytes for each in found] == [900_000] * len(found)
    assert len(found) == 2


def test_what_ended_before_a_stop_is_told(tmp_path: Path) -> None:
    found: list[str] = []
    jobs = [job("echo one"), job(f"touch {tmp_path}/begun; sleep 60"), job("echo three")]
    with Measurer() as running:

        def measure() -> None:
            with pytest.raises(Interrupted):
                found.extend(each.out for each in running.measure_all(jobs, until=math.inf))

        thread = threading.Thread(target=measure)
        thread.start()
        deadline = time.monotonic() + 30
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < deadline
        running.stop()
        thread.join(30)
        assert not thread.is_alive()
        with pytest.raises(Interrupted):
            running.measure(job("true", tmp_path))
    assert found == ["one\n"]


def test_pinned_commands_see_only_their_cpus() -> None:
    cpu = min(os.sched_getaffinity(0))
    with Measurer([cpu]) as pinned:
        told = ran(pinned, sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))")
    assert told.out == f"[{cpu}]\n"
    with pytest.raises(InvalidInput, match="cpus = \\[4096\\]"):
        Measurer([4096])
