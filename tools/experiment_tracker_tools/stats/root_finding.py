"""One root of a monotone function of one number, bracketed first and never lost after."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def root(function: "Callable[[float], float]", low: float, high: float, *, tolerance: float = 1e-12) -> float:
    """The place between `low` and `high` where a function with opposite signs at both ends is zero.

    Args:
        function: continuous; its values at `low` and `high` have opposite signs, or one is zero.
        low: one end of the bracket.
        high: the other end.
        tolerance: of the place, relative to its size (absolute below 1).

    Raises:
        ArithmeticError: if both ends have the same sign, or a value is NaN: a bug of the caller.

    References:
        Chandrupatla (1997), Advances in Engineering Software 28(3), 145-149.

    >>> round(root(lambda x: x * x - 2, 0, 2), 9)
    1.414213562
    """
    a, b = high, low
    fa, fb = function(a), function(b)
    if not fa * fb <= 0:
        raise ArithmeticError(f"No sign change between {low!r} ({fb!r}) and {high!r} ({fa!r}).")
    fraction, nearest = 0.5, a
    for _ in range(200):
        x = a + fraction * (b - a)
        fx = function(x)
        c, fc, b, fb = (a, fa, b, fb) if fx * fa > 0 else (b, fb, a, fa)
        a, fa = x, fx
        nearest, residual = (a, fa) if abs(fa) < abs(fb) else (b, fb)
        if residual == 0 or abs(b - a) <= 2 * tolerance * max(1.0, abs(nearest)):
            break
        slack = tolerance * max(1.0, abs(nearest)) / abs(b - a)
        xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
        fraction = 0.5
        if phi**2 < xi and (1 - phi) ** 2 < 1 - xi:
            fraction = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        fraction = min(max(fraction, slack), 1 - slack)
    return nearest


def upper_end(function: "Callable[[float], float]", start: float) -> float:
    """The first of start, 2 start, 4 start, ... where an increasing function is no longer negative.

    Raises:
        ArithmeticError: if it is still negative beyond 1e300.

    >>> upper_end(lambda x: x - 5, 1)
    8
    """
    end = start
    while function(end) < 0:
        end *= 2
        if not math.isfinite(end) or end > 1e300:
            raise ArithmeticError(f"No end of the bracket above {start!r}.")
    return end
