"""Intervals of one proportion.

References:
    Brown, Cai & DasGupta (2001), Interval estimation for a binomial proportion, Statistical Science 16, 101-133.
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.counts import checked_pair
from experiment_tracker_tools.stats.tails import z_quantile


class ProportionInterval(NamedTuple):
    """One proportion and its interval, all fractions 0 to 1.

    Attributes:
        estimate: successes / n; None when n = 0.
        ci_low: lower end of the two-sided 1 - alpha interval; None when n = 0.
        ci_high: its upper end.
        reason: why there is no interval; None when there is one.
    """

    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    reason: str | None = None


_EMPTY = ProportionInterval(None, None, None, "n = 0: there is no unit to estimate from.")


def wilson(successes: int, n: int, *, alpha: float = 0.05) -> ProportionInterval:
    """Wilson's score interval, the default for a single proportion.

    Args:
        successes: units with the event, 0 to n.
        n: number of units.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Wilson (1927), J. American Statistical Association 22, 209-212.

    >>> result = wilson(0, 10)
    >>> (result.ci_low, round(result.ci_high, 4))
    (0.0, 0.2775)
    """
    between("alpha", alpha, 0, 1)
    x, n = checked_pair("the sample", successes, n)
    if n == 0:
        return _EMPTY
    return ProportionInterval(x / n, *wilson_limits(x, n, z_quantile(alpha)))


def wilson_limits(x: int, n: int, z: float) -> tuple[float, float]:
    """Wilson's limits at a critical value, without checks.

    >>> wilson_limits(10, 10, 1.96)[1]
    1.0
    """
    squared = z * z
    middle = x + squared / 2
    root = z * math.sqrt(x * (n - x) / n + squared / 4)
    low = x * x / n / (middle + root) if x else 0.0
    failures = n - x
    high = 1 - failures * failures / n / (n - middle + squared + root) if failures else 1.0
    return low, high


def clopper_pearson(successes: int, n: int, *, alpha: float = 0.05) -> ProportionInterval:
    """The exact interval: it covers with at least 1 - alpha at every true proportion.

    Args:
        successes: units with the event, 0 to n.
        n: number of units.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Clopper & Pearson (1934), Biometrika 26, 404-413.

    >>> round(clopper_pearson(0, 10).ci_high, 4)
    0.3085
    """
    return _beta_interval(successes, n, alpha, shift=0.0)


def jeffreys(successes: int, n: int, *, alpha: float = 0.05) -> ProportionInterval:
    """The equal-tailed interval of the beta posterior under Jeffreys' prior, closed at 0 and n successes.

    Args:
        successes: units with the event, 0 to n.
        n: number of units.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Brown, Cai & DasGupta (2001), section 3.1.3.

    >>> round(jeffreys(0, 10).ci_high, 4)
    0.2172
    """
    return _beta_interval(successes, n, alpha, shift=0.5)


def _beta_interval(successes: int, n: int, alpha: float, *, shift: float) -> ProportionInterval:
    from scipy.special import betaincinv

    between("alpha", alpha, 0, 1)
    x, n = checked_pair("the sample", successes, n)
    if n == 0:
        return _EMPTY
    failures = n - x
    rest = 1 - shift if shift else 1.0
    low = float(betaincinv(x + shift, failures + rest, alpha / 2)) if x else 0.0
    high = 1 - float(betaincinv(failures + shift, x + rest, alpha / 2)) if failures else 1.0
    return ProportionInterval(x / n, low, high)
