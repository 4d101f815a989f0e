"""The calibration table: what the statistics promise, measured by simulation, with the naive rule beside it.

Run `python -m benchmarks.calibration` (minutes), `--quick` for a tenth of the experiments. Seeded: every run prints the
same table. The exit status is 1 if a target is missed by more than two Monte Carlo errors.
"""

from benchmarks import calibration_errors, calibration_estimates, calibration_harm, calibration_power
from benchmarks.table import Families, run

FAMILIES: Families = {
    "errors": calibration_errors.rows,
    "harm": calibration_harm.rows,
    "power": calibration_power.rows,
    "estimates": calibration_estimates.rows,
}

if __name__ == "__main__":
    run(FAMILIES, __doc__)
