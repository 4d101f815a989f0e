"""The table that a benchmark prints: each row beside its target and the naive rule, and whether it is met."""

import argparse
import sys
from collections.abc import Callable, Mapping
from time import perf_counter

from benchmarks.calibration_row import Row

Families = Mapping[str, Callable[[float], list[Row]]]


def printed(families: Families, about: str) -> int:
    """Print the families that the command line names; gives 1 if a target is missed.

    Args:
        families: by name, what gives the rows at a scale of the full number of experiments.
        about: the benchmark's docstring.
    """
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the experiments")
    parser.add_argument("families", nargs="*", choices=[*families, []], help="which parts; all if none is named")
    chosen = parser.parse_args()
    print(f"{'quantity':<74} {'target':>13} {'ours':>8} {'± MC':>7} {'naive':>7}  met")
    missed = 0
    for family in chosen.families or families:
        start = perf_counter()
        for row in families[family](0.1 if chosen.quick else 1.0):
            print(_line(row), flush=True)
            missed += not row.met
        print(f"# {family}: {perf_counter() - start:.0f} s", flush=True)
    return 1 if missed else 0


def run(families: Families, about: str | None) -> None:
    """Print the table and leave with its exit status."""
    sys.exit(printed(families, about or ""))


def _line(row: Row) -> str:
    naive = "" if row.naive is None else f"{row.naive:.4f}"
    met = "yes" if row.met else "NO"
    return f"{row.quantity:<74} {row.target:>13} {row.ours:>8.4f} {row.error:>7.4f} {naive:>7}  {met}"
