"""False and true decisions of whole plans, looked at after every trial, beside naive rules; simulated and seeded.

Run `python -m benchmarks.decisions` (minutes), `--quick` for a tenth of the experiments. A seeded sample goes through
design, record, analyze and decide as an agent calls them; the bulk through the same decision function on arrays. The
exit status is 1 if a target is missed by more than two Monte Carlo errors.
"""

import argparse
import sys
from time import perf_counter

from benchmarks import decisions_bulk, decisions_small, decisions_verbs
from benchmarks.calibration import line

FAMILIES = {"bulk": decisions_bulk.rows, "small": decisions_small.rows, "verbs": decisions_verbs.rows}


def main() -> int:
    """Print the table; the number of families and experiments is chosen on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="a tenth of the experiments")
    parser.add_argument("families", nargs="*", choices=[*FAMILIES, []], help="which parts; all if none is named")
    chosen = parser.parse_args()
    print(f"{'quantity':<74} {'target':>13} {'ours':>8} {'± MC':>7} {'naive':>7}  met")
    missed = 0
    for family in chosen.families or FAMILIES:
        start = perf_counter()
        for row in FAMILIES[family](0.1 if chosen.quick else 1.0):
            naive = "" if row.naive is None else f"{row.naive:.4f}"
            print(f"{row.quantity:<74} {row.target:>13} {row.ours:>8.4f} {row.error:>7.4f} {naive:>7}  {line(row)}")
            missed += not row.met
        print(f"# {family}: {perf_counter() - start:.0f} s", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
