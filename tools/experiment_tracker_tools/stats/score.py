"""The score statistic of two proportions: maximum likelihood under a fixed difference or ratio.

In all of it p0 and p1 are the rates of control and treatment, pairs are (successes, n).

References:
    Miettinen & Nurminen (1985), Statistics in Medicine 4, 213-226, appendix. Farrington & Manning (1990),
    Statistics in Medicine 9, 1447-1454.
"""

import math
from typing import TYPE_CHECKING

from experiment_tracker_tools.stats.counts import Pair, rate_difference
from experiment_tracker_tools.stats.roots import bracketed_root

if TYPE_CHECKING:
    from collections.abc import Callable


def rates_at_difference(control: Pair, treatment: Pair, difference: float) -> tuple[float, float]:
    """The most likely (p0, p1) among those with p1 - p0 = difference.

    Args:
        control: successes and n, n above 0.
        treatment: likewise.
        difference: -1 to 1.

    >>> [round(rate, 6) for rate in rates_at_difference((3, 10), (7, 10), 0.0)]
    [0.5, 0.5]
    """
    (x0, n0), (x1, n1) = control, treatment
    if 2 * (x0 + x1) > n0 + n1:  # the cubic keeps its digits where the root is near 0
        p0, p1 = rates_at_difference((n0 - x0, n0), (n1 - x1, n1), -difference)
        return 1 - p0, 1 - p1
    total = n0 + n1
    l2 = ((n1 + 2 * n0) * difference - total - x0 - x1) / total
    l1 = ((n0 * difference - total - 2 * x0) * difference + x0 + x1) / total
    l0 = x0 * difference * (1 - difference) / total
    p0 = _polished(_middle_root(l2, l1, l0), l2, l1, l0)
    p0 = min(max(p0, 0.0, -difference), 1.0, 1 - difference)
    return p0, min(max(p0 + difference, 0.0), 1.0)


def _middle_root(l2: float, l1: float, l0: float) -> float:
    shift = l2 / 3
    q = shift**3 - l1 * shift / 2 + l0 / 2
    p = math.copysign(math.sqrt(max(shift * shift - l1 / 3, 0.0)), q)
    if p == 0:
        return -shift
    angle = (math.pi + math.acos(min(max(q / p**3, -1.0), 1.0))) / 3
    return 2 * p * math.cos(angle) - shift


def _polished(root: float, l2: float, l1: float, l0: float) -> float:
    for _ in range(2):
        slope = (3 * root + 2 * l2) * root + l1
        if slope == 0:
            return root
        root -= (((root + l2) * root + l1) * root + l0) / slope
    return root


def rates_at_ratio(control: Pair, treatment: Pair, ratio: float) -> tuple[float, float]:
    """The most likely (p0, p1) among those with p1 / p0 = ratio.

    Args:
        control: successes and n, n above 0.
        treatment: likewise.
        ratio: above 0.

    >>> [round(rate, 6) for rate in rates_at_ratio((3, 10), (7, 10), 1.0)]
    [0.5, 0.5]
    """
    (x0, n0), (x1, n1) = control, treatment
    b = x1 + ratio * x0 + n0 + n1 * ratio
    c = x0 + x1
    p0 = 2 * c / (b + math.sqrt(max(b * b - 4 * ratio * (n0 + n1) * c, 0.0)))
    p0 = min(max(p0, 0.0), 1.0, 1 / ratio)
    return p0, min(p0 * ratio, 1.0)


def score_at_difference(control: Pair, treatment: Pair, difference: float, *, inflated: bool = True) -> float:
    """The score statistic of H0: p1 - p0 = difference; infinite where H0 allows no variation.

    Args:
        control: successes and n, n above 0.
        treatment: likewise.
        difference: -1 to 1.
        inflated: whether the variance carries the factor N / (N - 1) (Miettinen-Nurminen) or not (Farrington-Manning).

    >>> round(score_at_difference((3, 10), (7, 10), 0.0, inflated=False), 6)
    1.788854
    """
    (x0, n0), (x1, n1) = control, treatment
    if 2 * (x0 + x1) > n0 + n1:  # so that 1 - rate keeps its digits too
        return -score_at_difference((n0 - x0, n0), (n1 - x1, n1), -difference, inflated=inflated)
    p0, p1 = rates_at_difference(control, treatment, difference)
    variance = p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1
    return _standardised(rate_difference(control, treatment) - difference, variance, n0 + n1, inflated=inflated)


def score_at_ratio(control: Pair, treatment: Pair, ratio: float, *, inflated: bool = True) -> float:
    """The score statistic of H0: p1 / p0 = ratio; infinite where H0 allows no variation.

    Args:
        control: successes and n, n above 0.
        treatment: likewise.
        ratio: above 0.
        inflated: as in `score_at_difference`.

    >>> round(score_at_ratio((3, 10), (7, 10), 1.0, inflated=False), 6)
    1.788854
    """
    (x0, n0), (x1, n1) = control, treatment
    p0, p1 = rates_at_ratio(control, treatment, ratio)
    variance = ratio * ratio * p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1
    return _standardised(x1 / n1 - ratio * x0 / n0, variance, n0 + n1, inflated=inflated)


def _standardised(gap: float, variance: float, total: int, *, inflated: bool) -> float:
    if inflated and total > 1:
        variance *= total / (total - 1)
    if variance <= 0:
        return math.copysign(math.inf, gap) if gap else 0.0
    return gap / math.sqrt(variance)


def crossing(score: "Callable[[float], float]", level: float, low: float, high: float) -> float:
    """Where a falling score statistic meets a level; the nearer end where it does not reach it.

    >>> round(crossing(lambda x: -x, -0.5, -1, 1), 12)
    0.5
    """
    if score(low) <= level:
        return low
    if score(high) >= level:
        return high
    return bracketed_root(lambda x: score(x) - level, low, high)
