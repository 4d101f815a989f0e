"""Calls of verbs in processes of their own that all start at the same word."""

import json
import subprocess
import sys
from pathlib import Path

_ROOTS = [str(Path(__file__).parents[2] / name) for name in ("server", "tools")]
_MONITOR = "monitor_experiments(workspace, apply=True)"
_CALL = f"""
import sys
sys.path[:0] = {_ROOTS}
from datetime import datetime, UTC
from pathlib import Path
from experiment_tracker_tools.decide import decide
from experiment_tracker_tools.lifecycle import transition_experiment
from experiment_tracker_tools.monitor import monitor_experiments
from experiment_tracker_tools.workspace import Workspace
workspace = Workspace(Path(sys.argv[1]), door="monitor", clock=lambda: datetime(2026, 11, 20, 12, tzinfo=UTC))
print("ready", flush=True)
sys.stdin.readline()
print({{call}}.model_dump_json())
"""


def at_once(root: Path, count: int, *, call: str = _MONITOR) -> list[dict[str, object]]:
    """What so many equal calls at once answer."""
    code = _CALL.replace("{call}", call)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told: list[dict[str, object]] = []
    for process in started:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        told.append(json.loads(out))
    return told
