"""A run in a process of its own, which goes on when whoever started it has gone."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

from experiment_tracker_tools.conduct.runs.folder import RunFolder, new_run_id
from experiment_tracker_tools.conduct.runs.pilot import pilot
from experiment_tracker_tools.conduct.runs.running import check_runnable, run
from experiment_tracker_tools.core.errors import ExperimentError, StoreFailure
from experiment_tracker_tools.core.limits import keep_given_limit
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import RunSpec, RunState
from experiment_tracker_tools.ledger.disk import private_folder
from experiment_tracker_tools.workspace import Workspace

_LOG = "log"
_BEGIN_LIMIT_S = 60.0
_OURS: dict[str, "subprocess.Popen[bytes]"] = {}


def start(workspace: Workspace, experiment: Experiment, spec: RunSpec) -> str:
    """Start a run and give its id, once it has said how it stands, or has ended.

    Raises:
        ExperimentError: if the plan does not allow it, or the process does not come up.
    """
    workspace.check_on()
    if spec.pilot is None:
        check_runnable(workspace, experiment, spec)
    folder = RunFolder(workspace, new_run_id())
    private_folder(folder.path)
    with (folder.path / _LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__, experiment.id, folder.run, workspace.door],
            cwd=workspace.directory,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    keep_given_limit(process.pid)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(spec.model_dump_json().encode())
    _OURS[folder.run] = process
    deadline = time.monotonic() + _BEGIN_LIMIT_S
    while folder.state() is None and process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    return folder.run


def told_at_the_end(workspace: Workspace, run: str) -> str | None:
    """The last words of a run of ours that ended without being able to record them; None where there are none."""
    process = _OURS.get(run)
    folder = RunFolder(workspace, run)
    if process is None or not process.poll() or folder.state() is not None:
        return None
    with contextlib.suppress(OSError):
        lines = (folder.path / _LOG).read_text("utf-8", "replace").strip().splitlines()
        folder.remove()
        return quoted(lines[-1], 300) if lines else f"exit status {process.returncode}"
    return None


def interrupt(run: str) -> None:
    """End a run that this process started, as Ctrl-C would."""
    process = _OURS.get(run)
    if process is not None and process.poll() is None:
        process.terminate()


def main(experiment_id: str, run_id: str, door: str) -> int:
    """Run what standard input orders; gives the exit status."""
    workspace = Workspace(Path.cwd(), door=door)
    spec = RunSpec.model_validate_json(sys.stdin.buffer.read())
    sys.stdin.close()
    os.close(0)
    os.open(os.devnull, os.O_RDONLY)
    folder = RunFolder(workspace, run_id)

    def keep_quiet(_state: RunState) -> None:
        return

    try:
        experiment = workspace.ledger.experiment(experiment_id)
        (pilot if spec.pilot is not None else run)(workspace, experiment, spec, folder, keep_quiet)
    except ExperimentError as error:
        print(error)
        return 1
    finally:
        with contextlib.suppress(StoreFailure):
            workspace.ledger.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
