"""Sufficient statistics: what a test needs to know of a sample, mergeable without loss.

Means and variances are kept as (n, mean, M2), M2 the sum of squared deviations from the mean, and merged by the
pairwise update; never as sums of squares, which cancel.

References:
    Chan, Golub & LeVeque (1983), The American Statistician 37(3), 242-247. Welford (1962), Technometrics 4(3).
"""

import functools
import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import vector
from experiment_tracker_tools.stats.checks import at_least, count, finite
from experiment_tracker_tools.stats.counts import checked_pair, whole_counts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike


_EPSILON = 2.0**-52
_UNDERFLOW = 1e-300


class Moments(NamedTuple):
    """The sufficient statistics of one sample of a real-valued metric.

    Attributes:
        n: number of units, 0 or more.
        mean: arithmetic mean, in the metric's unit (0.0 when n = 0).
        m2: sum of squared deviations from the mean, in the metric's unit squared.
    """

    n: int
    mean: float
    m2: float

    @property
    def variance(self) -> float | None:
        """Sample variance with n - 1; None below two units."""
        return self.m2 / (self.n - 1) if self.n >= 2 else None

    @property
    def sd(self) -> float | None:
        """Sample standard deviation with n - 1; None below two units."""
        return None if self.variance is None else self.variance**0.5


def moments(values: "ArrayLike") -> Moments:
    """Reduce a one-dimensional sample to its moments.

    Args:
        values: finite numbers, shape (n,); may be empty.

    Raises:
        InvalidInput: for another shape, NaN or infinity.

    >>> moments([1.0, 2.0, 3.0])
    Moments(n=3, mean=2.0, m2=2.0)
    """
    import numpy as np

    sample = vector("values", values)
    if sample.size == 0:
        return Moments(0, 0.0, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        centred = sample - sample[0]
        step = centred.mean()
        centred -= step
        result = Moments(int(sample.size), float(sample[0] + step), float(centred @ centred))
    return checked_moments("the sample", result)


def checked_moments(name: str, sample: Moments) -> Moments:
    """Give back moments that a sample can have.

    Raises:
        InvalidInput: for a negative or fractional n, a mean that is not finite, a negative or infinite m2.

    >>> checked_moments("control", Moments(2, 1.0, 0.5))
    Moments(n=2, mean=1.0, m2=0.5)
    """
    n, mean, m2 = sample
    if not (0 <= n < math.inf and n == int(n)):
        raise InvalidInput(f"n = {n!r} of {name} is not a count. Give a whole number of 0 or more.")
    if not (math.isfinite(mean) and 0 <= m2 < math.inf):
        raise InvalidInput(
            f"mean = {mean!r} and m2 = {m2!r} of {name} are not finite with m2 of 0 or more. "
            "Leave missing values out; give huge values in a larger unit."
        )
    return sample


def moments_from_sd(n: int, mean: float, sd: float) -> Moments:
    """The moments of a sample that was reported as n, mean and standard deviation (with n - 1).

    Raises:
        InvalidInput: if n is not a count, sd is negative or a number is not finite.

    >>> moments_from_sd(7, 45.2, 8.3).sd
    8.3
    """
    return Moments(count("n", n), finite("mean", mean), at_least("sd", sd, 0) ** 2 * max(n - 1, 0))


def moments_from_sums(n: int, total: float, total_of_squares: float) -> Moments:
    """The moments of a sample that was reported as n, sum and sum of squares.

    Args:
        n: number of units, 1 or more.
        total: sum of the values.
        total_of_squares: sum of the squared values, at least total² / n.

    Raises:
        InvalidInput: if no sample has these sums.

    >>> moments_from_sums(3, 6.0, 14.0)
    Moments(n=3, mean=2.0, m2=2.0)
    """
    if count("n", n) == 0:
        raise InvalidInput("n = 0 has no mean. Leave the empty sample out.")
    mean = finite("sum", total) / n
    m2 = finite("sum of squares", total_of_squares) - total * mean
    if m2 < -1e-9 * max(total_of_squares, 1.0):
        raise InvalidInput(
            f"sum_of_squares = {total_of_squares!r} is below sum² / n = {total * mean!r}, which no sample has. "
            "Check that it is the sum of the squared values."
        )
    return Moments(int(n), mean, m2 if m2 > 4 * _EPSILON * total_of_squares else 0.0)


def merge(first: Moments, second: Moments) -> Moments:
    """The moments of two samples laid together.

    >>> merge(moments([1.0, 2.0]), moments([3.0])) == moments([1.0, 2.0, 3.0])
    True
    """
    n = first.n + second.n
    if n == 0:
        return first
    step = second.mean - first.mean
    mean = first.mean + step * second.n / n
    return Moments(n, mean, first.m2 + second.m2 + step * step * first.n * second.n / n)


def merge_all(samples: "Iterable[Moments]") -> Moments:
    """The moments of any number of samples laid together; of none, the empty sample.

    >>> merge_all(moments([value]) for value in (1.0, 2.0, 3.0))
    Moments(n=3, mean=2.0, m2=2.0)
    """
    return functools.reduce(merge, samples, Moments(0, 0.0, 0.0))


def moments_from_counts(successes: int, n: int) -> Moments:
    """The moments of a sample of zeros and ones.

    Args:
        successes: number of ones, 0 to n.
        n: number of units.

    Raises:
        InvalidInput: if these are not counts, or successes exceed n.

    >>> moments_from_counts(3, 12)
    Moments(n=12, mean=0.25, m2=2.25)
    """
    x, units = checked_pair("the sample", successes, n)
    return Moments(units, x / units, x * (units - x) / units) if units else Moments(0, 0.0, 0.0)


def moments_from_frequencies(values: "ArrayLike", counts: "ArrayLike") -> Moments:
    """The moments of a sample that was reported as distinct values and how many units had each.

    Args:
        values: finite numbers, shape (k,).
        counts: units of each value, whole numbers of 0 or more, shape (k,).

    Raises:
        InvalidInput: for other shapes, unequal lengths, values that are not finite, counts that are none.

    >>> moments_from_frequencies([0, 1, 2], [1, 1, 1])
    Moments(n=3, mean=1.0, m2=2.0)
    """
    value, weight = vector("values", values), whole_counts("counts", vector("counts", counts))
    if value.size != weight.size:
        raise InvalidInput(f"There are {value.size} values and {weight.size} counts. Give a count for each value.")
    n = float(weight.sum())
    if n == 0:
        return Moments(0, 0.0, 0.0)
    mean = float(value @ weight) / n
    return checked_moments("the sample", Moments(int(n), mean, float((value - mean) ** 2 @ weight)))


def moments_of_logs(values: "ArrayLike") -> Moments:
    """The moments of the natural logs of a sample, for ratios of geometric means.

    Args:
        values: finite numbers above 0, shape (n,); may be empty.

    Raises:
        InvalidInput: for another shape, NaN, infinity, zero or a negative value.

    >>> moments_of_logs([1.0, 1.0])
    Moments(n=2, mean=0.0, m2=0.0)
    """
    import numpy as np

    sample = vector("values", values)
    if sample.size and sample.min() <= 0:
        raise InvalidInput(
            f"The value {float(sample.min())!r} has no logarithm. Use the difference of means for metrics with zeros."
        )
    return moments(np.log(sample))


class BivariateMoments(NamedTuple):
    """The sufficient statistics of two metrics measured on the same units.

    Attributes:
        n: number of units, 0 or more.
        mean_y: mean of the first metric (the outcome, or a ratio's numerator).
        mean_x: mean of the second (a covariate, or a ratio's denominator).
        m2_y: sum of squared deviations of y.
        m2_x: sum of squared deviations of x.
        c_yx: sum of products of the deviations of y and x.
    """

    n: int
    mean_y: float
    mean_x: float
    m2_y: float
    m2_x: float
    c_yx: float

    @property
    def y(self) -> Moments:
        """The moments of the first metric alone."""
        return Moments(self.n, self.mean_y, self.m2_y)

    @property
    def x(self) -> Moments:
        """The moments of the second metric alone."""
        return Moments(self.n, self.mean_x, self.m2_x)


def bivariate_moments(y: "ArrayLike", x: "ArrayLike") -> BivariateMoments:
    """Reduce two metrics of the same units to their joint moments.

    Args:
        y: finite numbers, shape (n,): the outcome, or a ratio's numerator.
        x: finite numbers, shape (n,), in the same order of units.

    Raises:
        InvalidInput: for other shapes, unequal lengths, NaN or infinity.

    >>> bivariate_moments([1.0, 3.0], [2.0, 4.0])
    BivariateMoments(n=2, mean_y=2.0, mean_x=3.0, m2_y=2.0, m2_x=2.0, c_yx=2.0)
    """
    first, second = vector("y", y), vector("x", x)
    if first.size != second.size:
        raise InvalidInput(f"y has {first.size} values and x has {second.size}. Give one of each for every unit.")
    of_y, of_x = moments(first), moments(second)
    cross = float((first - of_y.mean) @ (second - of_x.mean))
    return BivariateMoments(of_y.n, of_y.mean, of_x.mean, of_y.m2, of_x.m2, cross)


def checked_bivariate(name: str, sample: BivariateMoments) -> BivariateMoments:
    """Give back joint moments that a sample can have.

    Raises:
        InvalidInput: as `checked_moments`, or for a covariance above what the variances allow.

    >>> checked_bivariate("control", BivariateMoments(2, 1.0, 1.0, 2.0, 2.0, 2.0)).n
    2
    """
    checked_moments(f"y of {name}", sample.y)
    checked_moments(f"x of {name}", sample.x)
    limit = math.sqrt(sample.m2_y + _UNDERFLOW) * math.sqrt(sample.m2_x + _UNDERFLOW)
    if not abs(sample.c_yx) <= limit * (1 + 1e-6):
        raise InvalidInput(
            f"c_yx = {sample.c_yx!r} of {name} is outside ±{limit:.6g}, the most that m2_y and m2_x allow. "
            "Check that it is the sum of products of deviations."
        )
    return sample


def merge_bivariate(first: BivariateMoments, second: BivariateMoments) -> BivariateMoments:
    """The joint moments of two samples laid together.

    >>> one, two = bivariate_moments([1.0], [2.0]), bivariate_moments([3.0], [4.0])
    >>> merge_bivariate(one, two) == bivariate_moments([1.0, 3.0], [2.0, 4.0])
    True
    """
    of_y, of_x = merge(first.y, second.y), merge(first.x, second.x)
    cross = first.c_yx + second.c_yx
    if of_y.n:
        apart = (second.mean_y - first.mean_y) * (second.mean_x - first.mean_x)
        cross += apart * first.n * second.n / of_y.n
    return BivariateMoments(of_y.n, of_y.mean, of_x.mean, of_y.m2, of_x.m2, cross)
