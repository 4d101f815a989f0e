"""Large-sample tests of two proportions; their intervals are in proportion_intervals.py, exact tests in exact.py.

A sample is a pair (successes, n). The effect is treatment's rate minus control's.

References:
    Miettinen & Nurminen (1985), Statistics in Medicine 4, 213-226. Agresti (2013), Categorical Data Analysis, 3.2.
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.counts import Pair, why_empty
from experiment_tracker_tools.stats.proportion_intervals import (
    DifferenceInterval,
    miettinen_nurminen,
    newcombe,
    wald,
)
from experiment_tracker_tools.stats.score import score_at_difference
from experiment_tracker_tools.stats.tails import two_sided_z, upper_chi_square


class ProportionTest(NamedTuple):
    """A z test of a difference of proportions, and an interval.

    Attributes:
        effect: treatment's rate minus control's, -1 to 1; None when a sample is empty.
        ci_low: lower end of the two-sided 1 - alpha interval of the effect.
        ci_high: its upper end.
        z: the statistic.
        p_value: two-sided, 0 to 1; 0.0 only below the smallest float.
        log10_p: decimal logarithm of the p-value.
        reason: why there is no p-value; None when there is one.
    """

    effect: float | None
    ci_low: float | None
    ci_high: float | None
    z: float | None
    p_value: float | None
    log10_p: float | None
    reason: str | None = None


class TableTest(NamedTuple):
    """A chi-square-type test of a 2 x 2 table.

    Attributes:
        statistic: Pearson's chi-square, or G; None when a margin of the table is empty.
        p_value: probability of a statistic at least this large when the rates are equal.
        log10_p: decimal logarithm of the p-value.
        reason: why there is no p-value; None when there is one.
    """

    statistic: float | None
    p_value: float | None
    log10_p: float | None
    reason: str | None = None


def score_test(control: Pair, treatment: Pair, *, difference: float = 0.0, alpha: float = 0.05) -> ProportionTest:
    """The score test of H0: rates differ by `difference`, with the Miettinen-Nurminen interval, its inversion.

    Args:
        control: successes and n.
        treatment: successes and n.
        difference: the difference under H0, -1 to 1 exclusive.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, difference outside (-1, 1) or alpha outside (0, 1).

    References:
        Miettinen & Nurminen (1985), equations (8) and (9), with the factor N / (N - 1).

    >>> result = score_test((12, 100), (25, 100))
    >>> f"{result.effect:.2f} [{result.ci_low:.3f}, {result.ci_high:.3f}], p = {result.p_value:.4f}"
    '0.13 [0.023, 0.238], p = 0.0182'
    """
    between("difference", difference, -1, 1)
    interval = miettinen_nurminen(control, treatment, alpha=alpha)
    if interval.reason:
        return _without_test(interval, interval.reason)
    z = score_at_difference(control, treatment, difference)
    if difference == 0 and (reason := _why_untestable(control, treatment)):
        return _without_test(interval, reason)
    return _with_test(interval, z)


def pooled_z(control: Pair, treatment: Pair, *, alpha: float = 0.05) -> ProportionTest:
    """The z test with the pooled rate (the square root of the uncorrected chi-square), with Newcombe's interval.

    Args:
        control: successes and n.
        treatment: successes and n.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Agresti (2013), 3.2; interval of Newcombe (1998), method 10.

    >>> round(pooled_z((12, 100), (25, 100)).p_value, 4)
    0.0179
    """
    interval = newcombe(control, treatment, alpha=alpha)
    if reason := interval.reason or _why_untestable(control, treatment):
        return _without_test(interval, reason)
    return _with_test(interval, score_at_difference(control, treatment, 0.0, inflated=False))


def unpooled_z(control: Pair, treatment: Pair, *, alpha: float = 0.05) -> ProportionTest:
    """The z test with each sample's own variance, with the Wald interval, its inversion; too liberal when n is small.

    Args:
        control: successes and n.
        treatment: successes and n.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Agresti (2013), 3.1.1.

    >>> round(unpooled_z((12, 100), (25, 100)).p_value, 4)
    0.0163
    """
    interval = wald(control, treatment, alpha=alpha)
    if interval.reason or interval.effect is None:
        return _without_test(interval, interval.reason)
    (x0, n0), (x1, n1) = control, treatment
    se = math.sqrt(x0 * (n0 - x0) / n0**3 + x1 * (n1 - x1) / n1**3)
    return _with_test(interval, interval.effect / se)


def chi_square(control: Pair, treatment: Pair, *, continuity: bool = False) -> TableTest:
    """Pearson's chi-square test of equal rates.

    Args:
        control: successes and n.
        treatment: successes and n.
        continuity: whether Yates' correction is made (conservative).

    Raises:
        InvalidInput: for counts out of range.

    References:
        Pearson (1900); Yates (1934), J. Royal Statistical Society Suppl. 1, 217-235.

    >>> round(chi_square((12, 100), (25, 100), continuity=True).p_value, 4)
    0.0289
    """
    if reason := _why_untestable(control, treatment):
        return TableTest(None, None, None, reason)
    return _table(math.fsum(_pearson(o, e, continuity=continuity) for o, e in _cells(control, treatment)))


def g_test(control: Pair, treatment: Pair) -> TableTest:
    """The likelihood-ratio (G) test of equal rates.

    Args:
        control: successes and n.
        treatment: successes and n.

    Raises:
        InvalidInput: for counts out of range.

    References:
        Wilks (1938), Annals of Mathematical Statistics 9, 60-62; Agresti (2013), 3.2.1.

    >>> round(g_test((12, 100), (25, 100)).p_value, 4)
    0.0169
    """
    if reason := _why_untestable(control, treatment):
        return TableTest(None, None, None, reason)
    g = 2 * math.fsum(o * math.log(o / e) for o, e in _cells(control, treatment) if o)
    return _table(max(g, 0.0))


def _cells(control: Pair, treatment: Pair) -> list[tuple[int, float]]:
    """Observed and expected counts of the four cells."""
    (x0, n0), (x1, n1) = control, treatment
    total, successes = n0 + n1, x0 + x1
    return [
        (cell, n * margin / total)
        for x, n in (control, treatment)
        for cell, margin in ((x, successes), (n - x, total - successes))
    ]


def _pearson(observed: int, expected: float, *, continuity: bool) -> float:
    gap = abs(observed - expected)
    return (gap - min(0.5, gap) if continuity else gap) ** 2 / expected


def _table(statistic: float) -> TableTest:
    return TableTest(statistic, *upper_chi_square(statistic, 1))


def _why_untestable(control: Pair, treatment: Pair) -> str | None:
    if reason := why_empty(control, treatment):
        return reason
    (x0, n0), (x1, n1) = control, treatment
    if x0 + x1 == 0:
        return "No unit succeeded in either variant: there is nothing to compare."
    if x0 + x1 == n0 + n1:
        return "Every unit succeeded in both variants: there is nothing to compare."
    return None


def _with_test(interval: DifferenceInterval, z: float) -> ProportionTest:
    return ProportionTest(*interval[:3], z, *two_sided_z(z))


def _without_test(interval: DifferenceInterval, reason: str | None) -> ProportionTest:
    return ProportionTest(*interval[:3], None, None, None, reason)
