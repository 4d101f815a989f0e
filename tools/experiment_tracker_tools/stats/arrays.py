"""Columns of numbers refused in one voice: the shape, what is wrong, the mend."""

from typing import TYPE_CHECKING

from experiment_tracker_tools.core.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


def numbers(name: str, values: "ArrayLike") -> "NDArray[np.float64]":
    """Give back real numbers as an array of any shape; they may be infinite or NaN.

    Raises:
        InvalidInput: for ragged lists, text, complex numbers or what else is not a real number.

    >>> numbers("gains", [[1, 2]])
    array([[1., 2.]])
    """
    import numpy as np

    try:
        given = np.asarray(values)
        array = given.astype(np.float64, copy=False) if given.dtype.kind in "biufO" else None
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{name} is not a list or table of numbers ({error}). Give numbers only.") from error
    if array is None:
        raise InvalidInput(f"{name} holds {given.dtype} values, not real numbers. Give numbers only.")
    return array


def finite_numbers(name: str, values: "ArrayLike") -> "NDArray[np.float64]":
    """Give back finite numbers as an array of any shape.

    Raises:
        InvalidInput: for NaN, infinity, and as `numbers`.

    >>> finite_numbers("counts", [[1, 2]])
    array([[1., 2.]])
    """
    import numpy as np

    array = numbers(name, values)
    if not np.isfinite(array).all():
        wrong = int(np.count_nonzero(~np.isfinite(array)))
        raise InvalidInput(f"{name} has {wrong} NaN or infinite values. Leave missing values out and count them.")
    return array


def vector(name: str, values: "ArrayLike") -> "NDArray[np.float64]":
    """Give back finite numbers as a one-dimensional array, which may be empty.

    Raises:
        InvalidInput: for another shape, NaN, infinity, or what is not a number.

    >>> vector("values", [1, 2])
    array([1., 2.])
    """
    array = finite_numbers(name, values)
    if array.ndim != 1:
        raise InvalidInput(f"{name} has shape {array.shape}, not one dimension. Give a flat list of numbers.")
    return array


def column(name: str, values: "ArrayLike", *, rows: int | None = None) -> "NDArray[np.float64]":
    """Give back one finite number a row, shape (n,).

    Raises:
        InvalidInput: for no rows, a length other than `rows`, and as `vector`.

    >>> column("outcome", [1, 2])
    array([1., 2.])
    """
    import numpy as np

    array = _not_empty(name, vector(name, values))
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
    array = _not_empty(name, finite_numbers(name, values))
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


def _not_empty(name: str, array: "NDArray[np.float64]") -> "NDArray[np.float64]":
    if array.size == 0:
        raise InvalidInput(f"{name} is empty. Give one row or more.")
    return array
