"""Sufficient statistics: what a test needs to know of a sample, mergeable without loss.

Means and variances are kept as (n, mean, M2), M2 the sum of squared deviations from the mean, and merged by the
pairwise update; never as sums of squares, which cancel.

References:
    Chan, Golub & LeVeque (1983), The American Statistician 37(3), 242-247. Welford (1962), Technometrics 4(3).
"""

from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import at_least, count, finite

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


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

    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1:
        raise InvalidInput(f"A sample of shape {sample.shape} is not one-dimensional. Give a flat list of numbers.")
    if not np.isfinite(sample).all():
        raise InvalidInput("The sample has NaN or infinite values. Leave missing values out and count them.")
    if sample.size == 0:
        return Moments(0, 0.0, 0.0)
    mean = float(sample.mean())
    return Moments(int(sample.size), mean, float(np.square(sample - mean).sum()))


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
    return Moments(int(n), mean, max(m2, 0.0))


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
