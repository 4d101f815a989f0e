"""We may open many files; what we start may open as many as without us."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import resource, sys; sys.path[:0] = {path!r}
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 400))
from pathlib import Path
from experiment_tracker_tools.conduct.runs.measuring import Job, Measurer
from experiment_tracker_tools.core import limits
from experiment_tracker_tools.vcs.command import run
limits.allow_many_files()
{control}
folder = Path({folder!r})
asked = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
with Measurer() as measurer:
    measured = measurer.measure(Job([sys.executable, "-c", asked], folder, 60.0, output=True))
# Git may have begun its hook before the limit is set for it; of twenty one waits long enough.
below_git = min(int(run(folder, "-c", "alias.asked=!ulimit -n", "asked")) for _ in range(20))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0], int(measured.out), below_git)
"""


@pytest.mark.parametrize(
    ("control", "told"), [("", "400 200 200"), ("limits._GIVEN = (400, 400)", "400 400 400")], ids=["kept", "control"]
)
def test_what_we_start_may_open_as_many_files_as_without_us(tmp_path: Path, control: str, told: str) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    program = PROGRAM.format(path=sys.path, control=control, folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == told, done.stderr[-600:]
