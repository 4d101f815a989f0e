"""Every question of ledger_faults_*.py in turn: `python -m benchmarks.ledger_faults`, hours unless --short."""

import subprocess
import sys

QUESTIONS = ("kills", "bytes", "processes", "places", "syscalls", "successions", "strace")

if __name__ == "__main__":
    commands = [[sys.executable, "-m", f"benchmarks.ledger_faults_{name}", *sys.argv[1:]] for name in QUESTIONS]
    sys.exit(max(subprocess.run(command, check=False).returncode for command in commands))
