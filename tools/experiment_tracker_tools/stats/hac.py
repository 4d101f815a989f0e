"""Effects over consecutive time blocks whose errors are related: Newey-West standard errors.

Rows are in the order of time and equally spaced. For planned switchbacks the randomisation test of `switchback` is
the first choice; this is its fallback when there are many blocks.

References:
    Newey & West (1987), Econometrica 55, 703-708; (1994), Rev. Econ. Stud. 61, 631-653 (number of lags).
"""

from typing import TYPE_CHECKING

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import column, columns, treated_column
from experiment_tracker_tools.stats.checks import at_least, count
from experiment_tracker_tools.stats.least_squares import coefficient_test, fit, influence
from experiment_tracker_tools.stats.t_tests import TTest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def time_block_effect(
    outcome: "ArrayLike",
    treated: "ArrayLike",
    *,
    covariates: "ArrayLike | None" = None,
    lags: int | None = None,
    alpha: float = 0.05,
) -> TTest:
    """The difference of means, treatment minus control, over time blocks with autocorrelated errors.

    Args:
        outcome: one value a block, in the order of time, shape (n,).
        treated: 1 where the treatment was served, 0 where the control, shape (n,).
        covariates: columns to adjust for (hour, weekday), shape (n, k).
        lags: over how many blocks errors may be related, 0 to n - 1; by default `default_lags(n)`.
        alpha: 1 - confidence of the interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for other shapes, a variant without rows, lags out of range.

    References:
        Newey & West (1987), Bartlett weights, times n / (n - p); t with n - p degrees of freedom.

    >>> result = time_block_effect([1.0, 3.0, 2.0, 4.0, 1.5, 3.5, 2.5, 4.0], [0, 1, 0, 1, 0, 1, 0, 1], lags=1)
    >>> f"{result.effect:.3f} (se {result.se:.4f})"
    '1.875 (se 0.3423)'
    """
    import numpy as np

    y = column("outcome", outcome)
    parts = [np.ones((y.size, 1)), treated_column(treated, rows=y.size)[:, None]]
    if covariates is not None:
        parts.append(columns("covariates", covariates, rows=y.size))
    reach = default_lags(y.size) if lags is None else count("lags", lags)
    if reach >= y.size:
        raise InvalidInput(f"lags = {reach} reach past the {y.size} blocks. Give {y.size - 1} or fewer.")
    fitted = fit(y, np.column_stack(parts))
    scores = influence(fitted, 1) * fitted.residuals
    variance = float(scores @ scores)
    for lag in range(1, reach + 1):
        variance += 2 * (1 - lag / (reach + 1)) * float(scores[lag:] @ scores[:-lag])
    df = y.size - fitted.coefficients.size
    return coefficient_test(float(fitted.coefficients[1]), variance * y.size / df, df, alpha=alpha)


def default_lags(blocks: int) -> int:
    """The usual number of lags for a number of blocks: 4 (n / 100)^(2/9), rounded down, below n.

    Raises:
        InvalidInput: for less than one block.

    >>> default_lags(100)
    4
    """
    at_least("blocks", blocks, 1)
    return min(int(4 * (blocks / 100) ** (2 / 9)), blocks - 1)
