"""Ordinary least squares with what its robust standard errors need, and the t test of one coefficient."""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import column, columns
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.t_tests import TTest, t_test, untestable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


class Fit(NamedTuple):
    """A least-squares fit of n rows on p columns.

    Attributes:
        coefficients: shape (p,).
        residuals: shape (n,).
        basis: orthonormal columns that span the design, shape (n, p).
        loading: coefficients = loading @ basis' @ outcome, shape (p, p).
    """

    coefficients: "Floats"
    residuals: "Floats"
    basis: "Floats"
    loading: "Floats"


def fit(outcome: "ArrayLike", design: "ArrayLike") -> Fit:
    """Least squares by the QR decomposition.

    Args:
        outcome: finite numbers, shape (n,).
        design: finite numbers, an intercept included where one is wanted, shape (n, p), n above p.

    Raises:
        InvalidInput: for other shapes, too few rows, or columns that are combinations of each other.

    >>> fit([1.0, 2.0, 4.0], [[1, 0], [1, 0], [1, 1]]).coefficients.round(9)
    array([1.5, 2.5])
    """
    import numpy as np

    y = column("outcome", outcome)
    x = columns("design", design, rows=y.size)
    if y.size <= x.shape[1]:
        raise InvalidInput(f"{y.size} rows cannot carry {x.shape[1]} coefficients. Give more rows or fewer covariates.")
    scale = np.abs(x).max(axis=0)
    if (scale == 0).any():
        raise InvalidInput(f"Column {int(np.argmin(scale))} of the design is 0 in every row. Leave it out.")
    basis, triangle = np.linalg.qr(x / scale)
    size = np.abs(np.diag(triangle))
    if (size <= 1e-10 * np.linalg.norm(triangle, axis=0)).any():
        raise InvalidInput(
            f"Column {int(np.argmin(size))} of the design is a combination of the columns before it "
            "(a constant covariate repeats the intercept). Leave it out."
        )
    loading = np.linalg.inv(triangle) / scale[:, None]
    projected = basis.T @ y
    residuals = y - basis @ projected
    if np.linalg.norm(residuals) <= 1e-13 * np.linalg.norm(y):
        residuals = np.zeros_like(y)
    return Fit(loading @ projected, residuals, basis, loading)


def leverages(fitted: Fit) -> "Floats":
    """How much each row pulls its own fitted value, 0 to 1, shape (n,).

    >>> leverages(fit([1.0, 2.0, 4.0], [1.0, 1.0, 1.0])).round(4)
    array([0.3333, 0.3333, 0.3333])
    """
    import numpy as np

    return np.asarray(np.square(fitted.basis).sum(axis=1), dtype=np.float64)


def influence(fitted: Fit, place: int) -> "Floats":
    """The weight of each row in the coefficient at `place`, shape (n,).

    >>> influence(fit([1.0, 2.0, 4.0], [[1, 0], [1, 0], [1, 1]]), 1).round(4) + 0.0
    array([-0.5, -0.5,  1. ])
    """
    import numpy as np

    return np.asarray(fitted.basis @ fitted.loading[place], dtype=np.float64)


def coefficient_test(effect: float, variance: float, df: float, *, alpha: float) -> TTest:
    """The t test of an estimate against 0; without a test where the variance is 0.

    Raises:
        InvalidInput: for alpha outside (0, 1).

    >>> round(coefficient_test(2.0, 1.0, 10.0, alpha=0.05).p_value, 4)
    0.0734
    """
    between("alpha", alpha, 0, 1)
    if not variance > 0:
        return untestable(effect, "The residuals are all 0: there is no variation to test against.")
    return t_test(effect, math.sqrt(variance), df, alpha=alpha)
