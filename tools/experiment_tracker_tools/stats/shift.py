"""Order statistics of all differences between two samples, without forming them all when they are many.

References:
    Johnson & Mizoguchi (1978), Selecting the Kth element in X + Y, SIAM J. Computing 7, 147-153 (the counting idea).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_FORMED = 1_000_000


def nth_difference(control: "NDArray[np.float64]", treatment: "NDArray[np.float64]", rank: int) -> float:
    """The difference treatment - control that has `rank` smaller or equal ones before it.

    Args:
        control: finite numbers, shape (n,), n above 0.
        treatment: finite numbers, shape (m,), m above 0.
        rank: 0 for the smallest to n * m - 1 for the largest.

    >>> import numpy as np
    >>> nth_difference(np.array([1.0, 2.0]), np.array([4.0, 8.0]), 1)
    3.0
    """
    import numpy as np

    if control.size * treatment.size <= _MOST_FORMED:
        differences = np.subtract.outer(treatment, control).ravel()
        return float(np.partition(differences, rank)[rank])
    first, second = np.sort(control), np.sort(treatment)
    low = float(second[0] - first[-1])
    high = float(second[-1] - first[0])
    while low < (middle := low + (high - low) / 2) < high:
        if int(np.searchsorted(second, first + middle, side="right").sum()) > rank:
            high = middle
        else:
            low = middle
        if high - low <= 1e-15 * max(abs(low), abs(high)):
            break
    return _nearest(first, second, high)


def _nearest(first: "NDArray[np.float64]", second: "NDArray[np.float64]", value: float) -> float:
    """The difference that occurs closest to a value."""
    import numpy as np

    after = np.searchsorted(second, first + value)
    candidates = [second[np.clip(after + step, 0, second.size - 1)] - first for step in (-1, 0)]
    differences = np.concatenate(candidates)
    return float(differences[np.abs(differences - value).argmin()])
