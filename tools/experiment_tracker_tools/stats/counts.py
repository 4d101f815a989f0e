"""Successes among units: a pair (successes, n) a variant, or counts that grow from look to look."""

from typing import TYPE_CHECKING

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import vector
from experiment_tracker_tools.stats.checks import count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

Pair = tuple[int, int]


def checked_pair(name: str, successes: float, n: float) -> Pair:
    """Give back successes and n as whole numbers with 0 <= successes <= n.

    Raises:
        InvalidInput: if they are not.

    >>> checked_pair("control", 3, 10)
    (3, 10)
    """
    pair = count(f"successes of {name}", successes), count(f"n of {name}", n)
    if pair[0] > pair[1]:
        raise InvalidInput(
            f"successes = {pair[0]} of {name} exceed n = {pair[1]}. Give the successes among the n units, "
            "at most one a unit."
        )
    return pair


def why_empty(control: Pair, treatment: Pair) -> str | None:
    """Which of two checked pairs has no unit; None if both have some.

    Raises:
        InvalidInput: as `checked_pair`.

    >>> why_empty((0, 0), (3, 10))
    'The control is empty.'
    """
    for name, pair in (("control", control), ("treatment", treatment)):
        if checked_pair(name, *pair)[1] == 0:
            return f"The {name} is empty."
    return None


def rate_difference(control: Pair, treatment: Pair) -> float:
    """Treatment's rate minus control's, by one division of whole numbers: nothing cancels.

    >>> rate_difference((3, 10), (7, 10))
    0.4
    """
    (x0, n0), (x1, n1) = control, treatment
    return (x1 * n0 - x0 * n1) / (n0 * n1)


def whole_counts(name: str, values: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Give back an array whose values are all whole numbers of 0 or more.

    Raises:
        InvalidInput: if one is not.

    >>> import numpy as np
    >>> whole_counts("counts", np.array([3.0, 0.0]))
    array([3., 0.])
    """
    wrong = values[(values < 0) | (values % 1 != 0)]
    if wrong.size:
        raise InvalidInput(f"{name} = {wrong[0]:.6g} is negative or fractional. Give whole numbers of 0 or more.")
    return values


def growing(name: str, counts: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Give back counts that never fall from one row to the next.

    Raises:
        InvalidInput: if one does.

    >>> import numpy as np
    >>> growing("events", np.array([1.0, 1.0, 4.0]))
    array([1., 1., 4.])
    """
    import numpy as np

    falls = np.argwhere(np.diff(counts, axis=0) < 0)
    if falls.size:
        raise InvalidInput(f"{name} fall from one look to the next, at {falls[0][0] + 1}. Give counts since the start.")
    return counts


def pairs_of_looks(
    names: tuple[str, str], successes: "ArrayLike", n: "ArrayLike"
) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """Give back successes and n of one look or block each, whole numbers with 0 <= successes <= n, shape (looks,).

    Raises:
        InvalidInput: for other shapes, no look, what is not a count, or successes above n.

    >>> pairs_of_looks(("events", "n"), [1, 2], [10, 20])
    (array([1., 2.]), array([10., 20.]))
    """
    x, total = (whole_counts(name, vector(name, each)) for name, each in zip(names, (successes, n), strict=True))
    if x.size == 0 or x.size != total.size:
        raise InvalidInput(f"{x.size} {names[0]} do not fit {total.size} {names[1]}. Give one of each a look.")
    if (x > total).any():
        look = int((x > total).argmax())
        raise InvalidInput(f"{names[0]} = {x[look]:.6g} exceed {names[1]} = {total[look]:.6g}. Give {names[0]} <= n.")
    return x, total
