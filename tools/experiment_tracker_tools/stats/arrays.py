"""Columns of numbers refused in one voice: the shape, what is wrong, the mend."""

from typing import TYPE_CHECKING

from experiment_tracker_tools.core.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def column(name: str, values: "ArrayLike", *, rows: int | None = None) -> "NDArray[np.float64]":
    """Give back one finite number a row, shape (n,).

    Raises:
        InvalidInput: for another shape, no rows, NaN, infinity, what is not a number, or a length other than `rows`.

    >>> column("outcome", [1, 2])
    array([1., 2.])
    """
    import numpy as np

    array = _numbers(name, values)
    if array.ndim != 1:
        raise InvalidInput(f"{name} has shape {array.shape}, not one dimension. Give a flat list of numbers.")
    if rows is not None and array.size != rows:
        raise InvalidInput(f"{name} has {array.size} values for {rows} rows. Give one for every row, in their order.")
    return np.ascontiguousarray(array)


def columns(name: str, values: "ArrayLike", *, rows: int) -> "NDArray[np.float64]":
    """Give back a table of finite numbers, shape (rows, k); a flat list is one column.

    Raises:
        InvalidInput: for another shape, NaN, infinity or another number of rows.

    >>> columns("covariates", [1, 2], rows=2).shape
    (2, 1)
    """
    array = _numbers(name, values)
    table = array[:, None] if array.ndim == 1 else array
    if table.ndim != 2 or table.shape[0] != rows:
        raise InvalidInput(f"{name} has shape {array.shape} for {rows} rows. Give one row for every outcome.")
    return table


def treated_column(values: "ArrayLike", *, rows: int) -> "NDArray[np.float64]":
    """Give back 1.0 for treatment and 0.0 for control, one a row.

    Raises:
        InvalidInput: for other values, another length, or if one of the two variants has no row.

    >>> treated_column([False, True], rows=2)
    array([0., 1.])
    """
    treated = column("treated", values, rows=rows)
    odd = treated[(treated != 0) & (treated != 1)]
    if odd.size:
        raise InvalidInput(f"treated has the value {odd[0]:g}. Give 1 for treatment and 0 for control.")
    if treated.min() == treated.max():
        raise InvalidInput(f"treated is {treated[0]:g} in every row. Give rows of both variants.")
    return treated


def _numbers(name: str, values: "ArrayLike") -> "NDArray[np.float64]":
    import numpy as np

    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} is not a table of numbers ({error}). Give numbers only.") from error
    if array.size == 0:
        raise InvalidInput(f"{name} is empty. Give one row or more.")
    if not np.isfinite(array).all():
        wrong = int(np.count_nonzero(~np.isfinite(array)))
        raise InvalidInput(f"{name} has {wrong} NaN or infinite values. Leave missing values out and count them.")
    return array
