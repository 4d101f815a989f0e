"""Quantiles of one sample and their difference between two, without a density estimate.

References:
    Maritz & Jarrett (1978), J. American Statistical Association 73, 194-196. Hahn & Meeker (1991), Statistical
    Intervals, 5.2.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.arrays import vector
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.tails import two_sided_z, z_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class QuantileInterval(NamedTuple):
    """A quantile and its distribution-free interval.

    Attributes:
        estimate: the sample quantile (linear interpolation), in the metric's unit; None when the sample is empty.
        ci_low: lower end of the two-sided interval, an order statistic; None when n is too small for one.
        ci_high: its upper end.
        confidence: probability that the interval covers, at least 1 - alpha; None without an interval.
        reason: why there is no interval; None when there is one.
    """

    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    confidence: float | None
    reason: str | None = None


class QuantileTest(NamedTuple):
    """A difference of two quantiles.

    Attributes:
        effect: treatment's quantile minus control's, in the metric's unit; None when a variant is empty.
        ci_low: lower end of the two-sided 1 - alpha interval.
        ci_high: its upper end.
        z: effect / se.
        p_value: two-sided, 0 to 1.
        log10_p: decimal logarithm of the p-value.
        se: standard error of the effect.
        reason: why there is no p-value; None when there is one.
    """

    effect: float | None
    ci_low: float | None
    ci_high: float | None
    z: float | None
    p_value: float | None
    log10_p: float | None
    se: float | None
    reason: str | None = None


def quantile_interval(values: "ArrayLike", q: float, *, alpha: float = 0.05) -> QuantileInterval:
    """The distribution-free interval of a quantile, between two order statistics.

    Args:
        values: finite numbers, shape (n,).
        q: the quantile, 0 to 1 exclusive; 0.5 is the median.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for another shape, NaN or infinity, q or alpha outside (0, 1).

    References:
        Hahn & Meeker (1991), 5.2: each tail of the binomial at most alpha / 2.

    >>> result = quantile_interval(range(1, 11), 0.5)
    >>> (result.ci_low, result.ci_high, round(result.confidence, 4))
    (2.0, 9.0, 0.9785)
    """
    import numpy as np

    between("q", q, 0, 1)
    between("alpha", alpha, 0, 1)
    sample = np.sort(vector("values", values))
    n = int(sample.size)
    if n == 0:
        return QuantileInterval(None, None, None, None, "The sample is empty.")
    estimate = float(np.quantile(sample, q))
    below, above = _outside(n, q, alpha / 2), _outside(n, 1 - q, alpha / 2)
    if below < 1 or above < 1:
        reason = f"n = {n} is too small for an interval of confidence {1 - alpha:g} at the quantile {q:g}."
        return QuantileInterval(estimate, None, None, None, reason)
    confidence = 1 - _binomial_cdf(below - 1, n, q) - _binomial_cdf(above - 1, n, 1 - q)
    return QuantileInterval(estimate, float(sample[below - 1]), float(sample[n - above]), confidence)


def quantile_difference(control: "ArrayLike", treatment: "ArrayLike", q: float, *, alpha: float = 0.05) -> QuantileTest:
    """The difference of a quantile between two samples, with the standard error of the exact bootstrap.

    Args:
        control: finite numbers, shape (n,), 10 / min(q, 1 - q) or more for the normal interval to be fair.
        treatment: finite numbers, shape (m,), likewise.
        q: the quantile, 0 to 1 exclusive.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for other shapes, NaN or infinity, q or alpha outside (0, 1).

    References:
        Maritz & Jarrett (1978): the bootstrap variance of an order statistic in closed form.

    >>> result = quantile_difference(range(100), range(10, 110), 0.5)
    >>> (result.effect, round(result.se, 2))
    (10.0, 7.01)
    """
    import numpy as np

    between("q", q, 0, 1)
    between("alpha", alpha, 0, 1)
    first, second = np.sort(vector("control", control)), np.sort(vector("treatment", treatment))
    if not (first.size and second.size):
        return QuantileTest(None, None, None, None, None, None, None, "A variant is empty.")
    effect = float(np.quantile(second, q) - np.quantile(first, q))
    if min(first.size, second.size) < 2:
        reason = "The test needs 2 or more units in each variant."
        return QuantileTest(effect, None, None, None, None, None, None, reason)
    se = math.hypot(maritz_jarrett(first, q), maritz_jarrett(second, q))
    if se == 0:
        reason = "Both samples are constant around the quantile: there is no variation to test against."
        return QuantileTest(effect, None, None, None, None, None, None, reason)
    margin = z_quantile(alpha) * se
    return QuantileTest(effect, effect - margin, effect + margin, effect / se, *two_sided_z(effect / se), se)


def maritz_jarrett(ordered: "NDArray[np.float64]", q: float) -> float:
    """The standard error of a sample quantile; exactly the bootstrap's where the quantile is an order statistic.

    Args:
        ordered: finite numbers in rising order, shape (n,), n above 0.
        q: the quantile, 0 to 1 exclusive.

    References:
        Maritz & Jarrett (1978), section 2.

    >>> import numpy as np
    >>> round(maritz_jarrett(np.arange(1.0, 12.0), 0.5), 4)
    1.5525
    """
    import numpy as np
    from scipy.special import betainc

    n = ordered.size
    a, b = (n - 1) * q + 1, (n - 1) * (1 - q) + 1
    reach = 12 * math.sqrt(n * q * (1 - q)) + 30  # the weights beyond are below 1e-30
    first, last = max(int(n * q - reach), 0), min(int(n * q + reach), n)
    weights = np.diff(betainc(a, b, np.arange(first, last + 1) / n))
    near = ordered[first:last]
    centred = near - near[len(near) // 2]
    mean = float(weights @ centred)
    return math.sqrt(max(float(weights @ (centred - mean) ** 2), 0.0))


def _binomial_cdf(k: int, n: int, p: float) -> float:
    from scipy.special import bdtr

    return float(bdtr(k, n, p)) if k >= 0 else 0.0


def _outside(n: int, q: float, level: float) -> int:
    """The most order statistics that may lie outside on one side: the largest k with P(Bin(n, q) < k) <= level."""
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _binomial_cdf(middle - 1, n, q) <= level else (low, middle - 1)
    return low
