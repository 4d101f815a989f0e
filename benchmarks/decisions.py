"""False and true decisions of whole plans, looked at after every trial, beside naive rules; simulated and seeded.

Run `python -m benchmarks.decisions` (minutes), `--quick` for a tenth of the experiments. A seeded sample goes through
design, record, analyze and decide as an agent calls them; the bulk through the same decision function on arrays. The
exit status is 1 if a target is missed by more than two Monte Carlo errors.
"""

from benchmarks import (
    decisions_always,
    decisions_bulk,
    decisions_design,
    decisions_exact,
    decisions_phases,
    decisions_small,
    decisions_strata,
    decisions_verbs,
)
from benchmarks.table import Families, run

FAMILIES: Families = {
    "always": decisions_always.rows,
    "bulk": decisions_bulk.rows,
    "design": decisions_design.rows,
    "exact": decisions_exact.rows,
    "phases": decisions_phases.rows,
    "small": decisions_small.rows,
    "strata": decisions_strata.rows,
    "verbs": decisions_verbs.rows,
}

if __name__ == "__main__":
    run(FAMILIES, __doc__)
