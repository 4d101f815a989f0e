"""Every question of git_faults_*.py in turn: `python -m benchmarks.git_faults`, half an hour unless --short."""

import subprocess
import sys

QUESTIONS = ("states", "kills", "races", "cost")

if __name__ == "__main__":
    worst = 0
    for name in QUESTIONS:
        print(f"-- {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.git_faults_{name}", *sys.argv[1:]]
        worst = max(worst, subprocess.run(command, check=False).returncode)
    sys.exit(worst)
