"""What a measured trial costs beside hyperfine on `true`, and whether runs find a known difference and none in an A/A.

Both run in turn in one go, without a shell. `told` is the time that each reports for `true`: all of it is starting and
ending a process, so that it holds what measuring adds to every result. `cost` is the whole time of a run divided by its
trials: for ours with assignment, the journal's syncs and looks. Targets: told and cost at most 2 times hyperfine's.
`make bench-deps` installs hyperfine.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.project import Hand, Project, repository
from tests.support.runs import SCRIPT, comparing, ran

from experiment_tracker_tools.workspace import Workspace

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 7
TRIALS = 100
REPEATS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
TARGET = 2.0


class RealTime(Project):
    """A project whose entries carry the time of day."""

    def workspace(self, door: str = "test") -> Workspace:
        return Workspace(self.root, door=door)


def of_hyperfine(scratch: Path) -> tuple[float, float]:
    """Median time that hyperfine tells for `true`, and the time of a whole run per trial."""
    told = scratch / "told.json"
    command = ["hyperfine", "-N", "-w", "2", "-r", str(2 * TRIALS), "--export-json", str(told), "true"]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    taken = time.perf_counter() - begun
    return json.loads(told.read_text())["results"][0]["median"], taken / (2 * TRIALS + 2)


def of_ours(project: Project) -> tuple[float, float]:
    """The same of a run of ours, from the first trial to the last."""
    experiment = comparing(project, "", "", sample_size=TRIALS, plan={"method": "fixed"})
    state = ran(project, experiment, ("true",), warmup=1)
    assert state.ended is not None
    trials = project.workspace().ledger.journal(experiment).trials
    times = [float(str(entry.content.metrics["time"])) for entry in trials]
    ends = [entry.at.timestamp() for entry in trials]
    exposures = project.workspace().ledger.journal(experiment).exposures
    return statistics.median(times), (max(ends) - exposures[0].at.timestamp()) / len(trials)


def found(project: Project, treatment: str) -> str:
    """The last look of a run whose control sleeps 60 ms."""
    experiment = comparing(project, "sleep 0.06\n", treatment, sample_size=12)
    return ran(project, experiment, ("sh", SCRIPT)).look.partition(":")[0]


def main() -> None:
    """Measure both, and print the ratios of the medians over the rounds, and of the best."""
    if shutil.which("hyperfine") is None:
        raise SystemExit("hyperfine is missing: run 'make bench-deps' (Debian, as root).")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        project = RealTime(repository(folder / "project").root, Hand())
        pairs = [(of_hyperfine(folder), of_ours(project)) for _ in range(ROUNDS)]
        print(f"`true`, ours / hyperfine, {ROUNDS} rounds of {2 * TRIALS} trials each, in turn; target <= {TARGET}:")
        for place, name in enumerate(("told", "cost")):
            theirs, own = [pair[0][place] for pair in pairs], [pair[1][place] for pair in pairs]
            middle = statistics.median(own) / statistics.median(theirs)
            print(f"  {name}: {middle:.2f} (medians), {min(own) / min(theirs):.2f} (best of each)")
        different = [found(project, "sleep 0.03\n") for _ in range(REPEATS)]
        same = [found(project, "sleep 0.06\n") for _ in range(REPEATS)]
    print(f"60 ms against 30 ms, 12 a variant: {different.count('SHIP')} of {REPEATS} runs find it; target {REPEATS}")
    print(f"the same script twice: {same.count('SHIP')} of {REPEATS} ship; target 0 (equal files never ship)")


if __name__ == "__main__":
    main()
