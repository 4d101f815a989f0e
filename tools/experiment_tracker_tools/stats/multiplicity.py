"""Several p-values, one error rate: adjusted p-values in the order they came in.

Reject where the adjusted p-value is at most alpha. Holm is the default for the family-wise error, BH for the false
discovery rate. A p-value that is missing (None or NaN) was planned all the same: it counts as 1 and stays None.
"""

import math
from typing import TYPE_CHECKING, Literal

from experiment_tracker_tools.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Sorted = NDArray[np.float64]

Method = Literal["bonferroni", "sidak", "holm", "hochberg", "hommel", "bh", "by"]


def adjust_p_values(
    p_values: "Sequence[float | None]", *, method: Method = "holm", planned: int | None = None
) -> tuple[float | None, ...]:
    """Adjusted p-values, in input order, each at most 1.

    Args:
        p_values: 0 to 1, shape (m,); None or NaN for a planned test that has none.
        method: family-wise error: "bonferroni", "sidak" (independence or positive orthant dependence), "holm" (any
            dependence), "hochberg" and "hommel" (positive dependence). False discovery rate: "bh" (positive
            dependence), "by" (any dependence).
        planned: number of tests in the family when more were planned than are listed; the others count as p = 1.

    Raises:
        InvalidInput: for a p-value outside [0, 1], an unknown method, or fewer planned than listed.

    References:
        Holm (1979), Scand. J. Statist. 6, 65-70. Hochberg (1988), Biometrika 75, 800-802. Hommel (1988), Biometrika
        75, 383-386. Benjamini & Hochberg (1995), JRSS B 57, 289-300. Benjamini & Yekutieli (2001), Ann. Statist. 29.

    >>> adjust_p_values([0.01, 0.04, None, 0.03])
    (0.04, 0.09, None, 0.09)
    """
    import numpy as np

    if method not in _METHODS:
        raise InvalidInput(f"method = {method!r} is unknown. Give one of {', '.join(_METHODS)}.")
    known = [(place, p) for place, p in enumerate(map(_checked, p_values)) if p is not None]
    size = len(p_values) if planned is None else planned
    if size < len(p_values):
        raise InvalidInput(f"planned = {size} is below the {len(p_values)} p-values given. Count every planned test.")
    if not known:
        return (None,) * len(p_values)
    padded = np.ones(size)
    padded[: len(known)] = [p for _, p in known]
    order = np.argsort(padded, kind="stable")
    adjusted = np.empty(size)
    adjusted[order] = np.minimum(_METHODS[method](padded[order]), 1.0)
    result: list[float | None] = [None] * len(p_values)
    for index, (place, _) in enumerate(known):
        result[place] = float(adjusted[index])
    return tuple(result)


def _checked(p_value: float | None) -> float | None:
    if p_value is None or math.isnan(p_value):
        return None
    if not 0 <= p_value <= 1:
        raise InvalidInput(f"p = {p_value!r} is outside [0, 1]. Give p-values, or None where a planned test has none.")
    return p_value


def _bonferroni(p: "Sorted") -> "Sorted":
    return p * p.size


def _sidak(p: "Sorted") -> "Sorted":
    import numpy as np

    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(p.size * np.log1p(-p)), dtype=np.float64)


def _holm(p: "Sorted") -> "Sorted":
    import numpy as np

    return np.maximum.accumulate(p * np.arange(p.size, 0, -1))


def _step_up(scaled: "Sorted") -> "Sorted":
    import numpy as np

    return np.minimum.accumulate(scaled[::-1])[::-1]


def _hochberg(p: "Sorted") -> "Sorted":
    import numpy as np

    return _step_up(p * np.arange(p.size, 0, -1))


def _hommel(p: "Sorted") -> "Sorted":
    """The largest Simes p-value over every intersection that holds the hypothesis.

    Of the intersections of one size, the one with the largest other p-values decides.
    """
    import numpy as np

    m, adjusted = p.size, p.copy()
    for size in range(2, m + 1):
        others = float(np.min(size * p[m - size + 1 :] / np.arange(2, size + 1)))
        first = np.minimum(size * p[: m - size + 1], others)
        adjusted[: m - size + 1] = np.maximum(adjusted[: m - size + 1], first)
        adjusted[m - size + 1 :] = np.maximum(adjusted[m - size + 1 :], first[-1])
    return adjusted


def _bh(p: "Sorted") -> "Sorted":
    import numpy as np

    return _step_up(p * (p.size / np.arange(1, p.size + 1)))


def _by(p: "Sorted") -> "Sorted":
    return _bh(p) * math.fsum(1 / rank for rank in range(1, p.size + 1))


_METHODS: "dict[str, Callable[[Sorted], Sorted]]" = {
    "bonferroni": _bonferroni,
    "sidak": _sidak,
    "holm": _holm,
    "hochberg": _hochberg,
    "hommel": _hommel,
    "bh": _bh,
    "by": _by,
}
