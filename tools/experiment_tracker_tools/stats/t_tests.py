"""The t test that every method ends in: an effect, its standard error, its degrees of freedom.

References:
    Satterthwaite (1946), Biometrics Bulletin 2(6), 110-114.
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.stats.tails import t_quantile, two_sided_t


class TTest(NamedTuple):
    """A t test of an effect, and its interval.

    Attributes:
        effect: treatment minus control (or a coefficient), in the metric's unit; None when a sample is empty.
        ci_low: lower end of the two-sided 1 - alpha interval of the effect, in the metric's unit.
        ci_high: its upper end.
        t: effect / se.
        df: degrees of freedom.
        p_value: two-sided, 0 to 1; 0.0 only below the smallest float.
        log10_p: decimal logarithm of the p-value.
        se: standard error of the effect, in the metric's unit.
        reason: why there is no p-value; None when there is one.
    """

    effect: float | None
    ci_low: float | None
    ci_high: float | None
    t: float | None
    df: float | None
    p_value: float | None
    log10_p: float | None
    se: float | None
    reason: str | None = None


def t_test(effect: float, se: float, df: float, *, alpha: float) -> TTest:
    """The t test of an estimate that has a standard error above 0 and degrees of freedom.

    >>> round(t_test(17.8, 3.682, 12, alpha=0.05).ci_low, 2)
    9.78
    """
    if math.isinf(effect / se):
        return untestable(
            effect, "The standard error is too small for floating point: give the metric in a larger unit."
        )
    p_value, log10_p = two_sided_t(effect / se, df)
    margin = t_quantile(df, alpha) * se
    return TTest(effect, effect - margin, effect + margin, effect / se, df, p_value, log10_p, se)


def untestable(effect: float | None, reason: str) -> TTest:
    """The result that has an estimate at most, and says why it has no test.

    >>> untestable(None, "The treatment is empty.").p_value is None
    True
    """
    return TTest(effect, None, None, None, None, None, None, None, reason)


def satterthwaite(*parts: tuple[float, float]) -> tuple[float, float]:
    """The variance of a sum of independent parts and its degrees of freedom; (0.0, 1.0) if nothing varies.

    Args:
        parts: variance and degrees of freedom of each.

    >>> satterthwaite((1.0, 9.0), (1.0, 9.0))
    (2.0, 18.0)
    """
    total = sum(variance for variance, _ in parts)
    if total == 0:
        return 0.0, 1.0
    return total, 1 / sum((variance / total) ** 2 / df for variance, df in parts)
