"""Every question of ledger_faults_*.py in turn, in the long form (about half an hour) unless --short is given."""

import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    codes = [
        subprocess.run(
            [sys.executable, Path(__file__).with_name(f"ledger_faults_{name}.py"), *sys.argv[1:]], check=False
        )
        for name in ("kills", "bytes", "processes", "syscalls")
    ]
    sys.exit(max(code.returncode for code in codes))
