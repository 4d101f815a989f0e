"""Flags: what the scan finds in a labelled sample, files a second beside reading them, what one edit costs.

Ratios are measured in one run: the scan against reading the same bytes, the hook against a bare interpreter.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.flags_accuracy import accuracy
from benchmarks.flags_edits import outcome

from experiment_tracker_tools.flags.files import texts
from experiment_tracker_tools.flags.gate import may_hold_flags
from experiment_tracker_tools.flags.project import cache_of, cached, scanned
from experiment_tracker_tools.flags.vocabulary import Vocabulary
from experiment_tracker_tools.flags.workers import facts_of_all

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 7
ROOT = Path(__file__).parents[1]
HALVES = (
    "seen",
    "held",
    "fresh",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "matrix",
)
EDIT = """
import sys, time
begun = time.process_time()
sys.path.insert(0, {tools!r})
from experiment_tracker_tools.flags.edit import Edit, note_on
from experiment_tracker_tools.flags.remembered import Remembered
before = "def f(x):\\n    return x + compute(x, 'a text') # why\\n" * 1000
after = before + {added!r}
begun_edit = time.process_time()
note = note_on(Edit("app.py", before, after), Remembered(), lambda keys: {{}})
done = time.process_time()
print(1e3 * (done - begun), 1e3 * (done - begun_edit), note is not None)
"""


def best(work: Callable[[], object]) -> float:
    """The least seconds of some rounds."""
    taken: list[float] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def speed() -> None:
    """Scan our own sources against reading them."""
    paths = [
        str(path.relative_to(ROOT)) for folder in ("tools", "server", "tests") for path in (ROOT / folder).rglob("*.py")
    ]
    read = best(lambda: list(texts(ROOT, paths)))
    first = best(lambda: scanned(texts(ROOT, paths)))
    known = cached(cache_of(scanned(texts(ROOT, paths))))
    again = best(lambda: scanned(texts(ROOT, paths), known=known))
    print(f"{len(paths)} files: {len(paths) / first:.0f} a second, {first / read:.1f} times the reading of them")
    print(f"scanned again: {len(paths) / again:.0f} a second, {again / read:.1f} times the reading")


def parallel() -> None:
    """The first pass over a large tree, by one process and by one a core."""
    shown = [
        (path, text) for path, text in texts(ROOT, sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("t*/**/*.py")))
    ]
    large = [(f"{copy}/{path}", text) for copy in range(4) for path, text in shown if may_hold_flags(text)]
    cores = len(os.sched_getaffinity(0))
    one = best(lambda: facts_of_all(large, Vocabulary(), processes=1))
    many = best(lambda: facts_of_all(large, Vocabulary(), processes=cores))
    print(
        f"{len(large)} files that speak of flags: {len(large) / one:.0f} a second by one process, "
        f"{len(large) / many:.0f} by {cores}"
    )


def hook() -> None:
    """One edit of a 2,000-line file in a new process, beside a bare interpreter."""
    bare = best(lambda: subprocess.run([sys.executable, "-IS", "-c", "pass"], check=True))
    for told, added in (("no flag", "print(1)\n"), ("a new flag", "if flag_enabled('new-ui', user):\n    pass\n")):
        code = EDIT.format(tools=str(ROOT / "tools"), added=added)
        rows = [
            subprocess.run(
                [sys.executable, "-IS", "-c", code], check=True, capture_output=True, text=True
            ).stdout.split()
            for _ in range(ROUNDS)
        ]
        whole, edit = (statistics.median(float(row[at]) for row in rows) for at in (0, 1))
        print(
            f"edit with {told}: {edit:.1f} ms, {whole:.1f} ms with imports ({whole / 1e3 / bare:.1f} bare interpreters)"
        )


def main() -> None:
    """Print accuracy, speed and the hook's cost."""
    print("sample (own snippets in public shapes; target: precision .98, recall at points of use .95):")
    for half in HALVES:
        print(f"  {half}: {accuracy(half, told=False)}")
    for way in ("hook", "range"):
        print(f"  edits, {way}: {outcome(way)}")
    speed()
    parallel()
    hook()


if __name__ == "__main__":
    main()
