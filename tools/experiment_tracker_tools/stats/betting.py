"""Hedged betting confidence sequence for means of bounded values, tighter than its closed-form rivals.

Two gamblers start with half of one unit each; one bets that the mean is above m, the other below. If m is the true
mean, neither can expect to grow. The sequence is every m at which neither has ever reached 1 / alpha.

References:
    Waudby-Smith & Ramdas (2024), JRSS B 86(1), 1-27 (arXiv 2010.09686), theorem 3.
"""

import math
from typing import TYPE_CHECKING

from experiment_tracker_tools.stats.beta_binomial import difference
from experiment_tracker_tools.stats.bounds import Bounds, predictable_bets, scaled
from experiment_tracker_tools.stats.checks import between

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

# No bet risks more than half of the capital, so no single value can ruin a gambler.
LARGEST_STAKE = 0.5


def betting_log_e(
    values: "ArrayLike", *, mean: float, low: float, high: float, alpha: float = 0.05
) -> "NDArray[np.float64]":
    """Natural logarithm of the hedged capital against H0: mean = `mean`, after each value.

    Args:
        values: in the order of arrival, shape (n,).
        mean: mean under the null hypothesis, strictly between low and high.
        low: smallest possible value of the metric.
        high: largest possible value of the metric.
        alpha: level that the bets are sized for, in (0, 1).

    Returns:
        The logarithm after each value, shape (n,).

    Raises:
        InvalidInput: if a value is outside [low, high] or a number out of range.

    References:
        Waudby-Smith & Ramdas (2024), theorem 3: the larger of both halves.

    >>> betting_log_e([1.0] * 8, mean=0.5, low=0, high=1).round(3).tolist()[-1] > 0
    True
    """
    import numpy as np

    sample = scaled(values, low, high)
    m = (between("mean", mean, low, high) - low) / (high - low)
    bets = predictable_bets(sample, alpha=between("alpha", alpha, 0, 1))
    return np.asarray(np.maximum(_capital(sample, bets, m), _capital(1 - sample, bets, 1 - m)) + math.log(0.5))


def _capital(sample: "NDArray[np.float64]", bets: "NDArray[np.float64]", m: float) -> "NDArray[np.float64]":
    """Logarithm of the capital of the gambler who bets on a mean above m."""
    import numpy as np

    return np.cumsum(np.log1p(np.minimum(bets, LARGEST_STAKE / m) * (sample - m)))


def betting_interval(values: "ArrayLike", *, low: float, high: float, alpha: float = 0.05) -> Bounds:
    """Hedged betting confidence sequence of a bounded mean after the last value, earlier looks intersected.

    Args:
        values: in the order of arrival, shape (n,).
        low: smallest possible value of the metric.
        high: largest possible value of the metric.
        alpha: error over the whole life, in (0, 1).

    Raises:
        InvalidInput: if a value is outside [low, high] or alpha outside (0, 1).

    References:
        Waudby-Smith & Ramdas (2024), theorem 3; the capital falls in m for the one gambler and rises for the other,
        so that each end is found by bisection instead of on a grid.

    >>> result = betting_interval([0.0, 1.0] * 200, low=0, high=1)
    >>> round(result.ci_low, 3), round(result.ci_high, 3)
    (0.405, 0.589)
    """
    sample = scaled(values, low, high)
    between("alpha", alpha, 0, 1)
    if sample.size == 0:
        return Bounds(None, low, high)
    bets = predictable_bets(sample, alpha=alpha)
    width = high - low
    ci_low = _lower_end(sample, bets, alpha)
    ci_high = 1 - _lower_end(1 - sample, bets, alpha)
    return Bounds(low + width * float(sample.mean()), low + width * ci_low, low + width * ci_high)


def _lower_end(sample: "NDArray[np.float64]", bets: "NDArray[np.float64]", alpha: float) -> float:
    """The largest mean that the gambler on higher means has refuted; rounded outwards by less than 1e-9."""
    threshold = math.log(2 / alpha)
    refuted, open_ = 0.0, 1.0
    while open_ - refuted > 1e-9:
        middle = (refuted + open_) / 2
        if float(_capital(sample, bets, middle).max()) >= threshold:
            refuted = middle
        else:
            open_ = middle
    return refuted


def betting_difference(
    control: "ArrayLike", treatment: "ArrayLike", *, low: float, high: float, alpha: float = 0.05
) -> Bounds:
    """Confidence sequence of a difference of bounded means, treatment minus control: two sequences at alpha / 2 each.

    Args:
        control: control's values in the order of arrival, shape (n_control,).
        treatment: treatment's values, shape (n_treatment,).
        low: smallest possible value of the metric.
        high: largest possible value of the metric.
        alpha: error over the whole life, in (0, 1).

    Raises:
        InvalidInput: if a value is outside [low, high] or alpha outside (0, 1).

    References:
        Waudby-Smith & Ramdas (2024), theorem 3, with a union bound.

    >>> betting_difference([0.0, 0.25] * 300, [0.75, 1.0] * 300, low=0, high=1).ci_low > 0.5
    True
    """
    return difference(
        betting_interval(control, low=low, high=high, alpha=alpha / 2),
        betting_interval(treatment, low=low, high=high, alpha=alpha / 2),
    )
