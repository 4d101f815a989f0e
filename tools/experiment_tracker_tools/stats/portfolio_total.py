"""What the picked ones of several experiments come to together, with what the picking itself added taken out.

References:
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 5.4 (flat prior on the mean and on tau).
"""

from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import column
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.meta_analysis import checked_estimates

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_STEPS, _GRID, _WIDEST = 161, 4001, 6.0


class Total(NamedTuple):
    """A weighted sum of true effects.

    Attributes:
        naive: of the estimates as they are, in the estimates' unit times the weights'.
        shrunk: posterior mean; ci_low, ci_high: ends of its 1 - alpha credible interval.
    """

    naive: float
    shrunk: float
    ci_low: float
    ci_high: float


def shrunk_total(estimates: "ArrayLike", ses: "ArrayLike", weights: "ArrayLike", *, alpha: float = 0.05) -> Total:
    """The posterior of a weighted sum of true effects under the normal-normal model, tau averaged over its posterior.

    Args:
        estimates: independent effects, winners and losers alike, shape (k,), k of 3 or more.
        ses: their standard errors, above 0, shape (k,).
        weights: what each true effect counts in the sum; 0 for what was not picked, shape (k,).
        alpha: 1 - credibility of the interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for fewer than three estimates (tau has no posterior then), unequal lengths, a standard error not
            above 0.

    References:
        Gelman et al. (2013), equations 5.17, 5.20 and 5.21; quantiles of the mixture over a grid of tau.

    >>> result = shrunk_total([3.0, 0.2, -0.4, 0.1, 0.3], [1.0] * 5, [1, 0, 0, 0, 0])
    >>> f"{result.naive:g} measured, {result.shrunk:.2f} ({result.ci_low:.2f} to {result.ci_high:.2f})"
    '3 measured, 1.91 (0.11 to 4.06)'
    """
    import numpy as np
    from scipy.special import ndtr

    y, v = checked_estimates(estimates, ses)
    w = column("weights", weights)
    if y.size < 3 or w.size != y.size:
        raise InvalidInput(f"{y.size} estimates with {w.size} weights. Give three or more, and a weight for each.")
    between("alpha", alpha, 0, 1)
    taus = np.linspace(0, 4 * max(float(y.std(ddof=1)), float(np.median(v)) ** 0.5), _STEPS)
    precision = 1 / (v + np.square(taus)[:, None])
    all_of = precision.sum(axis=1)
    mean = precision @ y / all_of
    log_p = (
        np.log(precision).sum(axis=1) - (precision * np.square(y - mean[:, None])).sum(axis=1) - np.log(all_of)
    ) / 2
    share = np.exp(log_p - log_p.max())
    share[[0, -1]] /= 2  # trapezium rule
    share /= share.sum()
    kept = np.square(taus)[:, None] * precision
    totals = (mean[:, None] + kept * (y - mean[:, None])) @ w
    sds = np.sqrt((kept * v) @ np.square(w) + np.square((1 - kept) @ w) / all_of)
    if not w.any():
        return Total(0.0, 0.0, 0.0, 0.0)
    least, most = float((totals - _WIDEST * sds).min()), float((totals + _WIDEST * sds).max())
    grid: Floats = np.linspace(least, most, _GRID)
    below = share @ np.asarray(ndtr((grid - totals[:, None]) / sds[:, None]), np.float64)
    low, high = (float(np.interp(part, below, grid)) for part in (alpha / 2, 1 - alpha / 2))
    return Total(float(w @ y), float(share @ totals), low, high)
