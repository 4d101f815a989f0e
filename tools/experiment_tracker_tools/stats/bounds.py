"""Time-uniform bounds for bounded and sub-exponential sums: empirical Bernstein, gamma-exponential, stitching.

A boundary u(v) is crossed by the sum S at intrinsic time v with probability at most alpha over all time.

References:
    Howard, Ramdas, McAuliffe & Sekhon (2021), Ann. Statist. 49(2), 1055-1080. Waudby-Smith & Ramdas (2024),
    JRSS B 86(1), 1-27 (arXiv 2010.09686).
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import vector
from experiment_tracker_tools.stats.checks import at_least, between, finite
from experiment_tracker_tools.stats.normal_mixture import tuned_ratio
from experiment_tracker_tools.stats.roots import bracketed_root

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class Bounds(NamedTuple):
    """An estimate with the ends of its confidence sequence after the last unit.

    Attributes:
        estimate: mean (or share, or difference) so far; None without units.
        ci_low: lower end, in the metric's unit.
        ci_high: upper end, in the metric's unit.
    """

    estimate: float | None
    ci_low: float
    ci_high: float


def scaled(values: "ArrayLike", low: float, high: float) -> "NDArray[np.float64]":
    """Values of a bounded metric, moved to [0, 1].

    Raises:
        InvalidInput: for a wrong shape, values outside [low, high], or limits in the wrong order.

    >>> scaled([0, 5, 10], 0, 10).tolist()
    [0.0, 0.5, 1.0]
    """
    if finite("high", high) <= finite("low", low):
        raise InvalidInput(f"low = {low!r} is not below high = {high!r}. Give the metric's smallest and largest value.")
    sample = vector("values", values)
    outside = sample[(sample < low) | (sample > high)]
    if outside.size:
        raise InvalidInput(f"The value {outside[0]:.6g} is outside [{low:g}, {high:g}]. Give bounds that always hold.")
    return (sample - low) / (high - low)


def predictable_bets(sample: "NDArray[np.float64]", *, alpha: float) -> "NDArray[np.float64]":
    """Bet sizes for values in [0, 1], each computed from the values before it only.

    References:
        Waudby-Smith & Ramdas (2024), theorem 2, two-sided: sqrt(2 ln(2 / alpha) / (s²_{t-1} t ln(1 + t))).

    >>> import numpy as np
    >>> predictable_bets(np.array([0.5, 0.5]), alpha=0.05).round(4).tolist()
    [6.525, 5.1829]
    """
    import numpy as np

    t = np.arange(1, sample.size + 1)
    means = (0.5 + np.cumsum(sample)) / (t + 1)
    variances = (0.25 + np.cumsum((sample - means) ** 2)) / (t + 1)
    earlier = np.concatenate([[0.25], variances[:-1]])[: sample.size]
    return np.asarray(np.sqrt(2 * math.log(2 / alpha) / (earlier * t * np.log1p(t))), dtype=np.float64)


def empirical_bernstein(values: "ArrayLike", *, low: float, high: float, alpha: float = 0.05) -> Bounds:
    """Predictable empirical Bernstein confidence sequence of a bounded mean, after the last value.

    The cheap closed form; `betting.betting_interval` is tighter. Ends of earlier looks are intersected.

    Args:
        values: in the order of arrival, shape (n,).
        low: smallest possible value of the metric.
        high: largest possible value of the metric.
        alpha: error over the whole life, in (0, 1).

    Raises:
        InvalidInput: if a value is outside [low, high] or alpha outside (0, 1).

    References:
        Waudby-Smith & Ramdas (2024), theorem 2.

    >>> result = empirical_bernstein([0.0, 1.0] * 200, low=0, high=1)
    >>> round(result.ci_low, 3), round(result.ci_high, 3)
    (0.406, 0.591)
    """
    import numpy as np

    between("alpha", alpha, 0, 1)
    sample = scaled(values, low, high)
    if sample.size == 0:
        return Bounds(None, low, high)
    t = np.arange(1, sample.size + 1)
    bets = np.minimum(predictable_bets(sample, alpha=alpha), 0.5)
    before = np.concatenate([[0.5], ((0.5 + np.cumsum(sample)) / (t + 1))[:-1]])
    paid = np.cumsum((sample - before) ** 2 * (-np.log1p(-bets) - bets))
    centre = np.cumsum(bets * sample) / np.cumsum(bets)
    half_width = (math.log(2 / alpha) + paid) / np.cumsum(bets)
    ci_low = max(float(np.max(centre - half_width)), 0.0)
    ci_high = min(float(np.min(centre + half_width)), 1.0)
    width = high - low
    return Bounds(low + width * float(sample.mean()), low + width * ci_low, low + width * ci_high)


def gamma_exponential_log_e(s: float, v: float, *, rho: float, c: float) -> float:
    """Natural logarithm of the gamma-exponential mixture, an e-process for sub-exponential sums.

    Args:
        s: sum of the centred values; large means evidence against H0: mean <= 0.
        v: intrinsic time, 0 or more (for bounded data the sum of squared prediction errors).
        rho: tuning, positive: planned v over `tuned_ratio` (one-sided).
        c: scale, positive: the largest step (high - low for bounded data).

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Howard et al. (2021), proposition 8.

    >>> rho = 100 / tuned_ratio(0.05, alternative="greater")
    >>> round(gamma_exponential_log_e(10, 100, rho=rho, c=2), 5)
    -0.24902
    """
    from scipy.special import gammainc, gammaln, hyp1f1

    tuning = between("rho", rho, 0, math.inf) / between("c", c, 0, math.inf) ** 2
    shape = (at_least("v", v, 0) + rho) / c**2
    gain = (c * finite("s", s) + v) / c**2
    rate = gain + tuning
    norm = tuning * math.log(tuning) - float(gammaln(tuning)) - math.log(float(gammainc(tuning, tuning)))
    below = float(gammainc(shape, rate)) if rate > 0 else 0.0
    if below > 1e-280:
        integral = float(gammaln(shape)) + math.log(below) - shape * math.log(rate)
    else:
        integral = math.log(float(hyp1f1(1.0, shape + 1, rate))) - rate - math.log(shape)
    return norm + integral + gain


def gamma_exponential_bound(v: float, *, alpha: float, planned_v: float, c: float) -> float:
    """Boundary of the gamma-exponential mixture for a sub-exponential sum, one-sided.

    Args:
        v: intrinsic time so far, 0 or more.
        alpha: crossing probability over all time, in (0, 0.5).
        planned_v: intrinsic time at which the boundary shall be tightest, positive.
        c: scale, positive.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Howard et al. (2021), proposition 8 and section 3.5.

    >>> round(gamma_exponential_bound(100, alpha=0.05, planned_v=100, c=2), 4)
    33.0202
    """
    rho = between("planned_v", planned_v, 0, math.inf) / tuned_ratio(alpha, alternative="greater")

    def above(s: float) -> float:
        return gamma_exponential_log_e(s, v, rho=rho, c=c) + math.log(alpha)

    high = math.sqrt(at_least("v", v, 0) + rho) + c
    while above(high) < 0:
        high *= 2
    return bracketed_root(above, 0.0, high, tolerance=1e-13)


def gamma_exponential_sequence(
    values: "ArrayLike", *, low: float, high: float, planned_v: float, alpha: float = 0.05
) -> Bounds:
    """Empirical Bernstein confidence sequence of a bounded mean by the gamma-exponential mixture.

    Unlike `empirical_bernstein` it weighs all values alike and can be tuned to a planned sample.

    Args:
        values: in the order of arrival, shape (n,).
        low: smallest possible value of the metric.
        high: largest possible value of the metric.
        planned_v: planned n times the planned variance, in the metric's unit squared.
        alpha: error over the whole life, in (0, 1).

    Raises:
        InvalidInput: if a value is outside [low, high] or a number out of range.

    References:
        Howard et al. (2021), theorem 4, with the mean of the earlier values as prediction.

    >>> result = gamma_exponential_sequence([0.0, 1.0] * 200, low=0, high=1, planned_v=100)
    >>> round(result.ci_low, 3), round(result.ci_high, 3)
    (0.416, 0.584)
    """
    import numpy as np

    between("alpha", alpha, 0, 1)
    sample = scaled(values, low, high)
    if sample.size == 0:
        return Bounds(None, low, high)
    width = high - low
    t = np.arange(1, sample.size + 1)
    before = np.concatenate([[0.5], ((0.5 + np.cumsum(sample)) / (t + 1))[:-1]])
    v = float(np.sum((sample - before) ** 2))
    half_width = gamma_exponential_bound(v, alpha=alpha / 2, planned_v=planned_v / width**2, c=1.0) / sample.size
    mean = float(sample.mean())
    return Bounds(low + width * mean, low + width * max(mean - half_width, 0), low + width * min(mean + half_width, 1))


def stitching_bound(v: float, *, alpha: float, v_min: float, c: float = 0.0, s: float = 1.4, eta: float = 2.0) -> float:
    """Polynomial stitching boundary: closed form, of the law of the iterated logarithm's rate, one-sided.

    Args:
        v: intrinsic time so far, 0 or more.
        alpha: crossing probability over all time, in (0, 1).
        v_min: intrinsic time from which the boundary grows, positive; nothing is won before it.
        c: scale of a sub-gamma process; 0 for sub-Gaussian, negative where steps are bounded below only.
        s: exponent of the error's spread over epochs, above 1.
        eta: ratio of neighbouring epochs, above 1.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Howard et al. (2021), theorem 1 and the example after it.

    >>> round(stitching_bound(100, alpha=0.05, v_min=10, c=3), 4)
    64.4875
    """
    from scipy.special import zeta

    between("s", s, 1, math.inf)
    between("eta", eta, 1, math.inf)
    time = max(at_least("v", v, 0), between("v_min", v_min, 0, math.inf))
    epoch = s * math.log(math.log(eta * time / v_min)) + math.log(float(zeta(s)) / math.log(eta) ** s)
    ell = epoch - math.log(between("alpha", alpha, 0, 1))
    spread = (eta**0.25 + eta**-0.25) / math.sqrt(2)
    drift = (math.sqrt(eta) + 1) / 2 * finite("c", c) * ell
    return math.sqrt(spread**2 * time * ell + drift**2) + drift
