"""Tail probabilities that stay right where they are tiny: p-values by the small tail, log10 p past the smallest float.

References:
    Lentz's method for continued fractions: Press et al. (2007), Numerical Recipes, 5.2, 6.2 and 6.4.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.checks import Sides

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRUSTED = 1e-280
_TINY = 1e-300
_HUGE = 1e150


class Tail(NamedTuple):
    """A tail probability.

    Attributes:
        p_value: the probability, 0 to 1; 0.0 only where it is below the smallest float.
        log10_p: its decimal logarithm, finite where `p_value` has become 0.0.
    """

    p_value: float
    log10_p: float


def _lentz(first: float, terms: "Iterator[tuple[float, float]]") -> float:
    """The continued fraction first + a1 / (b1 + a2 / (b2 + ...)) from its (a, b) pairs."""
    value = first or _TINY
    c, d = value, 0.0
    for a, b in terms:
        d = b + a * d
        c = b + a / c
        d = 1.0 / (d or _TINY)
        c = c or _TINY
        value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return value


def _log_t_tail(t: float, df: float) -> float:
    """Natural log of P(|T| > t), by the continued fraction of the incomplete beta function."""
    from scipy.special import betaln

    a, b = df / 2, 0.5
    odds = df / t / t
    x = odds / (1 + odds)
    log_x = -math.log1p(t * t / df) if t < _HUGE else math.log(df) - 2 * math.log(t)

    def terms() -> "Iterator[tuple[float, float]]":
        yield 1.0, 1.0
        for m in range(100_000):
            if m:
                yield m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)), 1.0
            yield -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)), 1.0

    front = a * log_x - b * math.log1p(odds) - math.log(a) - float(betaln(a, b))
    return front + math.log(_lentz(0.0, terms()))


def _log_chi_square_tail(chi_square: float, df: float) -> float:
    """Natural log of P(X > chi_square), by the continued fraction of the upper incomplete gamma function."""
    a, x = df / 2, chi_square / 2

    def terms() -> "Iterator[tuple[float, float]]":
        yield 1.0, x + 1 - a
        for m in range(1, 100_000):
            yield -m * (m - a), x + 2 * m + 1 - a

    return a * math.log(x) - x - math.lgamma(a) + math.log(_lentz(0.0, terms()))


def two_sided_t(t: float, df: float) -> Tail:
    """P(|T| >= |t|) for Student's t.

    Args:
        t: the statistic, finite.
        df: degrees of freedom, above 0, not necessarily whole.

    >>> two_sided_t(-4.834, 12).p_value  # doctest: +ELLIPSIS
    0.00040...
    """
    from scipy.special import stdtr

    p = min(2.0 * float(stdtr(df, -abs(t))), 1.0)
    if p > _TRUSTED:
        return Tail(p, math.log10(p))
    return _from_log(_log_t_tail(abs(t), df))


def two_sided_z(z: float) -> Tail:
    """P(|Z| >= |z|) for the standard normal.

    >>> two_sided_z(40.0).log10_p  # doctest: +ELLIPSIS
    -349.1...
    """
    from scipy.special import log_ndtr

    return _from_log(min(float(log_ndtr(-abs(z))) + math.log(2), 0.0))


def upper_z(z: float) -> Tail:
    """P(Z >= z) for the standard normal.

    >>> upper_z(0.0).p_value
    0.5
    """
    from scipy.special import log_ndtr, ndtr

    p = float(ndtr(-z))
    return Tail(p, math.log10(p)) if p > _TRUSTED else _from_log(float(log_ndtr(-z)))


def upper_t(t: float, df: float) -> Tail:
    """P(T >= t) for Student's t.

    >>> upper_t(0.0, 5).p_value
    0.5
    """
    from scipy.special import stdtr

    p = float(stdtr(df, -t))
    return Tail(p, math.log10(p)) if p > _TRUSTED else _from_log(_log_t_tail(abs(t), df) - math.log(2))


def upper_chi_square(chi_square: float, df: float) -> Tail:
    """P(X >= chi_square) for the chi-square distribution.

    >>> round(upper_chi_square(3.841458820694124, 1).p_value, 12)
    0.05
    """
    from scipy.special import chdtrc

    p = float(chdtrc(df, chi_square))
    if p > _TRUSTED:
        return Tail(p, math.log10(p))
    return _from_log(_log_chi_square_tail(chi_square, df))


def t_quantile(df: float, alpha: float, *, sides: Sides = 2) -> float:
    """The critical value of a two-sided or one-sided test: P(|T| > it) = alpha, or P(T > it) = alpha.

    >>> round(t_quantile(12, 0.05), 6)
    2.178813
    """
    from scipy.special import stdtrit

    return -float(stdtrit(df, alpha / sides))


def z_quantile(alpha: float, *, sides: Sides = 2) -> float:
    """The critical value of a two-sided or one-sided test: P(|Z| > it) = alpha, or P(Z > it) = alpha.

    >>> round(z_quantile(0.05), 6)
    1.959964
    """
    from scipy.special import ndtri

    return -float(ndtri(alpha / sides))


def _from_log(log_p: float) -> Tail:
    return Tail(math.exp(log_p), log_p / math.log(10))
