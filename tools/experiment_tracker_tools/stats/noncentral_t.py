"""The noncentral t distribution by quadrature, right also for noncentralities where other code gives up.

P(T <= t) = E[normal cdf(t S - noncentrality)], S² a chi-square over its degrees of freedom, integrated piece by piece
around the step of the normal.

References:
    Johnson, Kotz & Balakrishnan (1995), Continuous Univariate Distributions 2, chapter 31.
"""

import functools
import math

from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.quadrature import gauss_legendre

_NODES = 64
_REACH = 9.0


def noncentral_t_cdf(t: float, df: float, noncentrality: float) -> float:
    """P(T <= t) for the noncentral t distribution, to about 1e-12 absolute.

    Args:
        t: finite.
        df: degrees of freedom, 1 or more.
        noncentrality: finite.

    >>> round(noncentral_t_cdf(2.0, 10, 1.0), 8)
    0.80761156
    """
    return _cdf_and_density(t, df, noncentrality)[0]


def _cdf_and_density(t: float, df: float, noncentrality: float) -> tuple[float, float]:
    """The cumulative probability, and minus its derivative in the noncentrality."""
    import numpy as np
    from scipy.special import ndtr

    low, high, log_constant = _chi_range(df)
    cuts = {low, high}
    if t:
        cuts |= {cut for side in (-_REACH, 0.0, _REACH) if low < (cut := (noncentrality + side) / t - 1) < high}
    edges = np.array(sorted(cuts))
    nodes, weights = gauss_legendre(_NODES)
    half = (edges[1:] - edges[:-1])[:, None] / 2
    u = edges[:-1, None] + half * (nodes + 1)
    density = np.exp(log_constant - np.log1p(u) + df * (np.log1p(u) - u - u * u / 2)) * weights * half
    z = t - noncentrality + t * u
    return float((ndtr(z) * density).sum()), float((np.exp(-z * z / 2) * density).sum()) / math.sqrt(2 * math.pi)


@functools.lru_cache(maxsize=256)
def _chi_range(df: float) -> tuple[float, float, float]:
    """The range of u = S - 1 but for 1e-15 of its probability, and the log of the density's constant at u = 0."""
    from scipy.special import gammainccinv, gammaincinv, gammaln

    low = math.sqrt(float(gammaincinv(df / 2, 1e-15)) * 2 / df) - 1
    high = math.sqrt(float(gammainccinv(df / 2, 1e-15)) * 2 / df) - 1
    if df > 1e4:  # Stirling, where the large terms would cancel
        return low, high, 0.5 * math.log(df / math.pi) - 1 / (6 * df)
    return low, high, math.log(2) + df / 2 * math.log(df / 2) - float(gammaln(df / 2)) - df / 2


def noncentrality_limits(t: float, df: float, *, alpha: float = 0.05) -> tuple[float, float]:
    """The two-sided interval of the noncentrality for an observed t, by inversion.

    Args:
        t: the observed statistic, finite.
        df: degrees of freedom, 1 or more.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for alpha outside (0, 1).

    References:
        Steiger & Fouladi (1997), Noncentrality interval estimation and the evaluation of statistical models.

    >>> low, high = noncentrality_limits(0.0, 10)
    >>> (round(low, 4), round(high, 4))
    (-1.96, 1.96)
    """
    between("alpha", alpha, 0, 1)
    return _limit(t, df, 1 - alpha / 2), _limit(t, df, alpha / 2)


def _limit(t: float, df: float, level: float) -> float:
    """The noncentrality at which P(T <= t) = level: Newton's steps kept inside a bracket."""
    from scipy.special import ndtri

    z = float(ndtri(level))
    width = 9 + abs(t)
    low, high = t - width * (1 + abs(t)), t + width * (1 + abs(t))
    guess = t - z * math.sqrt(1 + t * t / (2 * df))
    for _ in range(100):
        probability, density = _cdf_and_density(t, df, guess)
        low, high = (guess, high) if probability > level else (low, guess)
        step = (probability - level) / density if density > 1e-12 else math.inf
        if abs(step) <= 1e-11 * max(1.0, abs(guess)):
            return guess + step
        guess = guess + step if low < guess + step < high else (low + high) / 2
    return guess
