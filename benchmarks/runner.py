"""What a measured trial costs beside hyperfine on `true`, and whether runs find a known difference and none in an A/A.

Both run in turn in one go, without a shell. `told` is the time that each reports for `true`: all of it is starting and
ending a process, so that it holds what measuring adds to every result. `cost` is the whole time of a run divided by its
trials: for ours from the first assignment to the end, with the journal's syncs, and looks. `cpu` is what a run takes of
the CPUs in all, by trial, which other work on the machine changes least. Targets: each at most 2 times hyperfine's.

The bare cost of `true` is what starting it and waiting for it takes in a loop that does nothing else. What is above it,
is the overhead by trial beyond the command itself; it is printed for both. Hyperfine is a small compiled program that
keeps its results in memory; ours assigns, measures, looks, and brings every trial to the disk.
`make bench-deps` installs hyperfine.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.support.project import Hand, Project, repository
from tests.support.runs import SCRIPT, comparing, ran

from experiment_tracker_tools.workspace import Workspace

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 7
TRIALS = 500
REPEATS = int(sys.argv[2]) if len(sys.argv) > 2 else 10
TARGET = 2.0


class RealTime(Project):
    """A project whose entries carry the time of day."""

    def workspace(self, door: str = "test") -> Workspace:
        return Workspace(self.root, door=door)


class Costs(NamedTuple):
    """Seconds by trial: the time told, and what the whole run took of the clock and of the CPUs."""

    told: float
    cost: float
    cpu: float


def used() -> float:
    """CPU seconds of this process and of all that it has waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def project(scratch: Path) -> Project:
    """A new one for every run, because two experiments on the same file do not run at once."""
    return RealTime(repository(Path(tempfile.mkdtemp(dir=scratch))).root, Hand())


def of_hyperfine(scratch: Path) -> Costs:
    """What hyperfine tells for `true`, and takes."""
    told = scratch / "told.json"
    command = ["hyperfine", "-N", "-w", "2", "-r", str(2 * TRIALS), "--export-json", str(told), "true"]
    begun, before = time.perf_counter(), used()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    taken, cpu = time.perf_counter() - begun, used() - before
    runs = 2 * TRIALS + 2
    return Costs(json.loads(told.read_text())["results"][0]["median"], taken / runs, cpu / runs)


def bare() -> Costs:
    """What `true` costs a loop that only starts it and waits for it."""
    program = shutil.which("true")
    assert program is not None
    begun, before = time.perf_counter(), used()
    for _ in range(TRIALS):
        os.waitpid(os.posix_spawn(program, ["true"], os.environ), 0)
    taken, cpu = (time.perf_counter() - begun) / TRIALS, (used() - before) / TRIALS
    return Costs(taken, taken, cpu)


def of_ours(where: Project) -> Costs:
    """The same of a run of ours."""
    experiment = comparing(where, "", "", sample_size=TRIALS, plan={"method": "fixed"})
    before = used()
    state = ran(where, experiment, ("true",), warmup=1)
    cpu = used() - before
    assert state.ended is not None
    journal = where.workspace().ledger.journal(experiment)
    times = [float(str(entry.content.metrics["time"])) for entry in journal.trials]
    assert len(times) == 2 * TRIALS
    taken = (state.ended - journal.exposures[0].at).total_seconds()
    return Costs(statistics.median(times), taken / len(times), cpu / len(times))


def found(where: Project, treatment: str) -> str:
    """The last look of a run whose control sleeps 60 ms."""
    experiment = comparing(where, "sleep 0.06\n", treatment, sample_size=12)
    return ran(where, experiment, ("sh", SCRIPT)).look.partition(":")[0]


def main() -> None:
    """Measure both, and print the ratios of the medians over the rounds, and of the best."""
    if shutil.which("hyperfine") is None:
        raise SystemExit("hyperfine is missing: run 'make bench-deps' (Debian, as root).")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rounds = [(of_hyperfine(folder), of_ours(project(folder)), bare()) for _ in range(ROUNDS)]
        print(f"`true`, ours / hyperfine, {ROUNDS} rounds of {2 * TRIALS} trials each, in turn; target <= {TARGET}:")
        for place, name in enumerate(Costs._fields):
            theirs, own, least = ([each[place] for each in found] for found in zip(*rounds, strict=True))
            middle = statistics.median(own) / statistics.median(theirs)
            print(f"  {name}: {middle:.2f} (medians), {min(own) / min(theirs):.2f} (best of each)")
            above = [1e3 * (statistics.median(each) - statistics.median(least)) for each in (own, theirs)]
            told = f"{1e3 * statistics.median(least):.3f} ms; above it ours {above[0]:.3f}, hyperfine {above[1]:.3f} ms"
            print(f"    `true` itself {told}")
        different = [found(project(folder), "sleep 0.03\n") for _ in range(REPEATS)]
        same = [found(project(folder), "sleep 0.06\n") for _ in range(REPEATS)]
    print(f"60 ms against 30 ms, 12 a variant: {different.count('SHIP')} of {REPEATS} runs find it; target {REPEATS}")
    print(f"the same script twice: {same.count('SHIP')} of {REPEATS} ship; target 0 (equal files never ship)")


if __name__ == "__main__":
    main()
