"""The short forms of benchmarks/git_faults_*.py: real repositories, real kills, and a control that must fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("question", ["states", "kills", "races"])
def test_nothing_is_lost_or_left_half_done(question: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.git_faults_{question}", "--short"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("server", "tools", "."))}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "control" in done.stdout
