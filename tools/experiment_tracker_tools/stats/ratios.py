"""Ratio metrics: sum of y over sum of x per variant, with units as the independent observations.

References:
    Deng, Knoblich & Lu (2018), Applying the delta method in metric analytics, KDD, section 3.
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.lift import Estimate, Lift, lift_of_estimates
from experiment_tracker_tools.stats.samples import BivariateMoments, checked_bivariate
from experiment_tracker_tools.stats.t_tests import TTest, satterthwaite, t_test, untestable


class RatioDifference(NamedTuple):
    """Two ratio metrics compared.

    Attributes:
        control: sum of y over sum of x in the control; None when x sums to 0 or there are no units.
        treatment: the same of the treatment.
        test: t test and interval of treatment minus control.
        lift: their relative difference and its interval; None when there is no test.
        reason: why there is no test; None when there is one.
    """

    control: float | None
    treatment: float | None
    test: TTest
    lift: Lift | None
    reason: str | None = None


def ratio_estimate(sample: BivariateMoments) -> Estimate | None:
    """A ratio metric with its delta-method variance; None when x sums to 0 or there are fewer than 2 units.

    Raises:
        InvalidInput: for moments that no sample has.

    References:
        Deng, Knoblich & Lu (2018), equation (4).

    >>> from experiment_tracker_tools.stats.samples import bivariate_moments
    >>> ratio_estimate(bivariate_moments([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])).mean
    0.5
    """
    n, mean_y, mean_x, m2_y, m2_x, c_yx = checked_bivariate("the sample", sample)
    if n < 2 or mean_x == 0:
        return None
    ratio = mean_y / mean_x
    residual = max(m2_y - 2 * ratio * c_yx + ratio * ratio * m2_x, 0.0)
    return Estimate(ratio, residual / (n - 1) / n / mean_x**2, n - 1)


def ratio_difference(control: BivariateMoments, treatment: BivariateMoments, *, alpha: float = 0.05) -> RatioDifference:
    """The difference of two ratio metrics by the delta method, with its lift.

    Args:
        control: joint moments of y and x over the control's units, 2 or more, x of one sign.
        treatment: the same of the treatment.
        alpha: 1 - confidence of the two-sided intervals, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Deng, Knoblich & Lu (2018), section 3; degrees of freedom of Satterthwaite (1946).

    >>> from experiment_tracker_tools.stats.samples import bivariate_moments
    >>> control = bivariate_moments([1.0, 2.0, 2.0], [10.0, 20.0, 30.0])
    >>> treatment = bivariate_moments([3.0, 2.0, 5.0], [10.0, 20.0, 30.0])
    >>> result = ratio_difference(control, treatment)
    >>> f"{result.test.effect:.4f}, lift {result.lift.lift:.1f}"
    '0.0833, lift 1.0'
    """
    between("alpha", alpha, 0, 1)
    first, second = ratio_estimate(control), ratio_estimate(treatment)
    values = (_ratio(control), _ratio(treatment))
    if first is None or second is None:
        reason = "A ratio needs 2 or more units in each variant and a denominator that does not sum to 0."
        return RatioDifference(*values, untestable(None, reason), None, reason)
    lift = lift_of_estimates(first, second, alpha=alpha)
    total, df = satterthwaite((first.variance, first.df), (second.variance, second.df))
    if total == 0:
        reason = "Both ratios are constant over the units: there is no variation to test against."
        return RatioDifference(*values, untestable(second.mean - first.mean, reason), lift, reason)
    return RatioDifference(*values, t_test(second.mean - first.mean, math.sqrt(total), df, alpha=alpha), lift)


def _ratio(sample: BivariateMoments) -> float | None:
    return sample.mean_y / sample.mean_x if sample.n and sample.mean_x else None
