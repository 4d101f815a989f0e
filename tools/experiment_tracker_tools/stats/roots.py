"""The root of a function that changes sign on an interval.

References:
    Chandrupatla (1997), Advances in Engineering Software 28, 145-149.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def bracketed_root(function: "Callable[[float], float]", low: float, high: float, *, tolerance: float = 1e-14) -> float:
    """Where a continuous function crosses zero between two points of opposite sign.

    Args:
        function: continuous on [low, high]; may be infinite at the ends.
        low: a point on one side of the root.
        high: a point on the other side.
        tolerance: width of the final bracket, absolute and relative.

    Raises:
        ValueError: if the function has the same sign at both ends.

    >>> round(bracketed_root(lambda x: x * x - 2, 0, 2), 12)
    1.414213562373
    """
    a, b = high, low
    f_a, f_b = function(a), function(b)
    if f_a == 0 or f_b == 0:
        return a if f_a == 0 else b
    if (f_a > 0) == (f_b > 0):
        raise ValueError(f"No change of sign between {low!r} and {high!r}.")
    step, best = 0.5, a
    for _ in range(200):
        x = a + step * (b - a)
        f_x = function(x)
        if (f_x > 0) == (f_a > 0):
            c, a, f_c, f_a = a, x, f_a, f_x
        else:
            c, b, a, f_c, f_b, f_a = b, a, x, f_b, f_a, f_x
        best = a if abs(f_a) < abs(f_b) else b
        share = (tolerance + tolerance * abs(best)) / abs(b - a)
        if f_x == 0 or share > 0.5:
            return best
        step = min(max(_step((a, b, c), (f_a, f_b, f_c)), share), 1 - share)
    return best


def _step(points: tuple[float, float, float], values: tuple[float, float, float]) -> float:
    """Inverse quadratic interpolation where it is safe, else the middle."""
    (a, b, c), (f_a, f_b, f_c) = points, values
    if not all(map(math.isfinite, values)) or f_c in (f_a, f_b):
        return 0.5
    xi, phi = (a - b) / (c - b), (f_a - f_b) / (f_c - f_b)
    if not (phi * phi < xi and (1 - phi) ** 2 < 1 - xi):
        return 0.5
    return f_a / (f_b - f_a) * f_c / (f_b - f_c) + (c - a) / (b - a) * f_a / (f_c - f_a) * f_b / (f_c - f_b)


def upper_end(function: "Callable[[float], float]", start: float) -> float:
    """The first of start, 2 start, 4 start, ... where an increasing function is no longer negative.

    Raises:
        ValueError: if it is still negative beyond 1e300.

    >>> upper_end(lambda x: x - 5, 1)
    8
    """
    end = start
    while function(end) < 0:
        end *= 2
        if not math.isfinite(end) or end > 1e300:
            raise ValueError(f"No end of the bracket above {start!r}.")
    return end
