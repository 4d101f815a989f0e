"""Means that a few extreme units cannot move: Yuen's trimmed test, and winsorising at a pooled limit.

References:
    Yuen (1974), Biometrika 61, 165-170. Wilcox (2017), Introduction to Robust Estimation, 5.3.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import vector
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.samples import moments
from experiment_tracker_tools.stats.t_tests import TTest, satterthwaite, t_test, untestable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class Winsorised(NamedTuple):
    """Samples whose extreme values were set to common limits.

    Attributes:
        samples: one array each, in the order given.
        low: the smallest value that was let be, in the metric's unit.
        high: the largest.
        changed: number of values set to a limit, over all samples.
    """

    samples: "tuple[NDArray[np.float64], ...]"
    low: float
    high: float
    changed: int


def yuen(control: "ArrayLike", treatment: "ArrayLike", *, trim: float = 0.2, alpha: float = 0.05) -> TTest:
    """Yuen's test and interval of the difference of trimmed means.

    Args:
        control: finite numbers, shape (n,).
        treatment: finite numbers, shape (m,).
        trim: fraction cut from each end of each sample, 0 to 0.5 exclusive.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for other shapes, NaN or infinity, trim or alpha out of range.

    References:
        Yuen (1974), Biometrika 61, 165-170.

    >>> result = yuen([1.0, 2.0, 3.0, 4.0, 90.0], [3.0, 4.0, 5.0, 6.0, 7.0])
    >>> result.effect
    2.0
    """
    between("alpha", alpha, 0, 1)
    if trim != 0:
        between("trim", trim, 0, 0.5)
    parts = [_trimmed(vector(name, values), trim) for name, values in (("control", control), ("treatment", treatment))]
    (mean0, variance0, kept0), (mean1, variance1, kept1) = parts
    if kept0 < 1 or kept1 < 1:
        return untestable(None, "A variant is empty.")
    if min(kept0, kept1) < 2:
        return untestable(mean1 - mean0, "The test needs 2 or more units left in each variant after trimming.")
    total, df = satterthwaite((variance0, kept0 - 1), (variance1, kept1 - 1))
    if total == 0:
        return untestable(mean1 - mean0, "What is left after trimming is constant: there is no variation.")
    return t_test(mean1 - mean0, math.sqrt(total), df, alpha=alpha)


def _trimmed(sample: "NDArray[np.float64]", trim: float) -> tuple[float, float, int]:
    """The trimmed mean, the squared standard error of it, and how many values were kept."""
    import numpy as np

    cut = int(trim * sample.size)
    kept = sample.size - 2 * cut
    if kept < 1:
        return math.nan, math.nan, 0
    ordered = np.sort(sample)
    inner = ordered[cut : sample.size - cut]
    if kept < 2:
        return float(inner[0]), math.nan, 1
    winsorised = moments(np.clip(sample, inner[0], inner[-1]))
    return moments(inner).mean, winsorised.m2 / (kept * (kept - 1)), kept


def winsorise(samples: "Sequence[ArrayLike]", *, lower: float = 0.0, upper: float = 0.999) -> Winsorised:
    """Set the values beyond two quantiles of all samples together to those quantiles.

    The limits are pooled so that the comparison stays fair under no effect; name them in the plan.

    Args:
        samples: one flat list of finite numbers a variant.
        lower: quantile of the lower limit, 0 (none) to below `upper`.
        upper: quantile of the upper limit, above `lower` to 1 (none).

    Raises:
        InvalidInput: for other shapes, NaN or infinity, no values, or quantiles out of order.

    References:
        Dixon (1960), Annals of Mathematical Statistics 31, 385-391.

    >>> winsorise([[1.0, 2.0, 3.0], [2.0, 3.0, 99.0]], upper=0.8).high
    3.0
    """
    import numpy as np

    if not 0 <= lower < upper <= 1:
        raise InvalidInput(f"lower = {lower!r} and upper = {upper!r} are not 0 <= lower < upper <= 1. Mend the limits.")
    arrays = [vector("a sample", values) for values in samples]
    if not sum(array.size for array in arrays):
        raise InvalidInput("There are no values to winsorise. Give one non-empty sample at least.")
    low, high = (float(limit) for limit in np.quantile(np.concatenate(arrays), (lower, upper)))
    capped = tuple(np.clip(array, low, high) for array in arrays)
    changed = sum(int(np.count_nonzero(new != old)) for new, old in zip(capped, arrays, strict=True))
    return Winsorised(capped, low, high, changed)
