"""What looking costs in planned units, and what it saves on average.

References:
    Jennison & Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials, section 2.3.
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.stats.boundaries import Boundary
from experiment_tracker_tools.stats.checks import Sides, between, checked_sides
from experiment_tracker_tools.stats.operating import characteristics, drift_for_power
from experiment_tracker_tools.stats.power_means import SampleSize, whole_above
from experiment_tracker_tools.stats.tails import z_quantile


class Inflation(NamedTuple):
    """A sequential design beside the fixed one of the same error rate and power.

    Attributes:
        planned: planned information, 1 or a little more.
        expected: mean information at the end under the planned effect, mostly below 1.
        expected_null: mean information at the end under no effect.
        drift: expected z at the end of the sequential design under the planned effect.
    """

    planned: float
    expected: float
    expected_null: float
    drift: float


def inflation(boundary: Boundary, *, alpha: float = 0.05, power: float = 0.8, sides: Sides = 2) -> Inflation:
    """How many times the information of a fixed test a sequential one plans for, and how much it uses.

    Args:
        boundary: the design, its last look at information 1.
        alpha: error rate of the design, of both sides together, in (0, 1).
        power: wanted, in (alpha, 1).
        sides: 2 or 1.

    Raises:
        InvalidInput: for a number outside its range.

    >>> from experiment_tracker_tools.stats.boundaries import boundaries
    >>> found = inflation(boundaries([0.25, 0.5, 0.75, 1.0]))
    >>> round(found.planned, 4), round(found.expected, 4)
    (1.0196, 0.8387)
    """
    from scipy.special import ndtri

    between("power", power, between("alpha", alpha, 0, 1), 1)
    fixed = float(ndtri(power)) + z_quantile(alpha, sides=checked_sides(sides))
    drift = drift_for_power(boundary, power=power)
    ratio = (drift / fixed) ** 2
    expected, expected_null = (characteristics(boundary, drift=d).expected_information for d in (drift, 0.0))
    return Inflation(boundary.times[-1] * ratio, expected * ratio, expected_null * ratio, drift)


def inflated(fixed: SampleSize, *, planned: float) -> SampleSize:
    """The units of a sequential design that has the power of a fixed one.

    Args:
        fixed: units of the fixed design.
        planned: `Inflation.planned`, 1 or more.

    Raises:
        InvalidInput: for an inflation below 1 or infinite.

    >>> inflated(SampleSize(64, 64, 0.8), planned=1.021)[:2]
    (66, 66)
    """
    between("planned inflation", planned, 1 - 1e-9, math.inf)
    return SampleSize(whole_above(fixed.n_control * planned), whole_above(fixed.n_treatment * planned), fixed.power)
