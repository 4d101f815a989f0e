"""The short forms of benchmarks/ledger_faults*.py: real processes, real kills, and a control that must fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.ledger_faults import QUESTIONS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_acknowledged_is_lost_and_all_damage_is_found(question: str) -> None:
    command = [sys.executable, "-m", f"benchmarks.ledger_faults_{question}", "--short"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("server", "tools", "."))}
    answer = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert answer.stdout.startswith("ok")
