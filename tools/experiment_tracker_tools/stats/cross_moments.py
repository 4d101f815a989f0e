"""Sufficient statistics of an outcome together with its covariates: mergeable, without sums of squares.

References:
    Chan, Golub & LeVeque (1983), The American Statistician 37(3), 242-247, for products as for squares.
"""

from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import column, columns
from experiment_tracker_tools.stats.checks import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class CrossMoments(NamedTuple):
    """The sufficient statistics of one sample of an outcome and k covariates of the same units.

    Attributes:
        n: number of units, 1 or more.
        means: mean of the outcome, then of each covariate, length k + 1.
        products: sums of products of the deviations from the means, in that order, (k + 1) rows of k + 1, symmetric.
    """

    n: int
    means: tuple[float, ...]
    products: tuple[tuple[float, ...], ...]


def cross_moments(outcome: "ArrayLike", covariates: "ArrayLike") -> CrossMoments:
    """Reduce the rows of one variant to their cross moments.

    Args:
        outcome: finite numbers, shape (n,).
        covariates: finite numbers known before the treatment, shape (n, k), or (n,) for one.

    Raises:
        InvalidInput: for other shapes, no rows, NaN or infinity.

    >>> cross_moments([1.0, 3.0], [2.0, 4.0])
    CrossMoments(n=2, means=(2.0, 3.0), products=((2.0, 2.0), (2.0, 2.0)))
    """
    import numpy as np

    y = column("outcome", outcome)
    table = np.column_stack([y, columns("covariates", covariates, rows=y.size)])
    base = table[0]
    means = base + (table - base).mean(axis=0)
    centred = table - means
    return _packed(y.size, means, centred.T @ centred)


def merge_cross_moments(first: CrossMoments, second: CrossMoments) -> CrossMoments:
    """The cross moments of two samples laid together.

    Raises:
        InvalidInput: if they do not have the same number of covariates.

    >>> whole = cross_moments([1.0, 3.0], [2.0, 4.0])
    >>> merge_cross_moments(cross_moments([1.0], [2.0]), cross_moments([3.0], [4.0])) == whole
    True
    """
    import numpy as np

    (one, one_products), (two, two_products) = unpacked(first), unpacked(second)
    if one.size != two.size:
        raise InvalidInput(
            f"The samples have {one.size - 1} and {two.size - 1} covariates. Merge samples with the same covariates."
        )
    n, step = first.n + second.n, two - one
    between = np.outer(step, step) * (first.n * second.n / n)
    return _packed(n, one + step * (second.n / n), one_products + two_products + between)


def unpacked(sample: CrossMoments) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """The means, shape (k + 1,), and the products, shape (k + 1, k + 1), as arrays.

    Raises:
        InvalidInput: for an n below 1, no covariates, shapes that do not fit, or sums that are not finite.

    >>> unpacked(CrossMoments(2, (2.0, 3.0), ((2.0, 2.0), (2.0, 2.0))))[0]
    array([2., 3.])
    """
    if count("n", sample.n) == 0:
        raise InvalidInput("n = 0 has no means. Leave the empty sample out.")
    means = column("means", sample.means)
    products = columns("products", sample.products, rows=means.size)
    if means.size < 2 or products.shape[1] != means.size:
        raise InvalidInput(
            f"{means.size} means do not fit products of shape {products.shape}. "
            "Give the outcome first, then one covariate or more, and the square table of their products."
        )
    return means, products


def _packed(n: int, means: "NDArray[np.float64]", products: "NDArray[np.float64]") -> CrossMoments:
    return CrossMoments(n, tuple(map(float, means)), tuple(tuple(map(float, row)) for row in products))
