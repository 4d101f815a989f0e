"""A short form of the calibration table: seeded, a few seconds; `python -m benchmarks.calibration` is the long one."""

from collections.abc import Callable

import pytest
from benchmarks import calibration_errors as errors
from benchmarks import calibration_estimates as estimates
from benchmarks import calibration_harm as harm
from benchmarks import calibration_power as power
from benchmarks.calibration_row import Row, bernoulli, log_normal, normal

ROWS: dict[str, Callable[[], Row]] = {
    "randomisation, normal": lambda: errors.small_experiments(10, "normal", normal, 0.05),
    "randomisation, Bernoulli": lambda: errors.small_experiments(10, "Bernoulli", bernoulli, 0.05),
    "grid, normal": lambda: errors.large_experiments(50, "normal", normal, 0.2),
    "grid, log-normal": lambda: errors.large_experiments(100, "log-normal", log_normal, 0.2),
    "grid, Bernoulli": lambda: errors.large_experiments(200, "Bernoulli", bernoulli, 0.2),
    "call times": lambda: errors.adversarial_calls(0.1),
    "several metrics": lambda: errors.several_metrics(0.1),
    "rollback": lambda: harm.automatic_rollback(0.1),
    "worse ships": lambda: harm.worse_shipped(0.15, 0.1),
    "power": lambda: power.continuous(20, 1.055, 0.795, 0.2),
    "average n": lambda: power.average_n(1, 0.78, 0.2),
    "pairs": lambda: power.ten_pairs(0.05),
    "coverage": lambda: estimates.after_early_stops(1.0, 0.05),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_promise_is_kept_within_two_monte_carlo_errors(name: str) -> None:
    """Reference: the target of the design notes in each row."""
    row = ROWS[name]()
    assert row.met, row


@pytest.mark.parametrize("name", ["grid, normal", "several metrics", "rollback", "worse ships"])
def test_the_naive_rule_breaks_the_same_promise(name: str) -> None:
    row = ROWS[name]()
    assert row.naive is not None
    assert not row._replace(ours=row.naive).met
