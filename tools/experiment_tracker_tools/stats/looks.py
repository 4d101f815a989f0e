"""One look at a running experiment, and its statistic on the scale of the boundaries.

References:
    Jennison & Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials, section 4.4:
    a t statistic is monitored by the normal deviate of the same p-value.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import between, finite

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_MANY = 1_000
_FAR = 36.0
"""Beyond it a deviate's p-value is below 1e-283."""


class Look(NamedTuple):
    """What the data said when the information first reached a point of the plan's grid.

    Attributes:
        information: fraction of the planned information that was there, above 0.
        estimate: effect, treatment minus control.
        se: its standard error, above 0.
        df: degrees of freedom of se; inf for a normal statistic.
    """

    information: float
    estimate: float
    se: float
    df: float = math.inf


def checked_look(look: Look) -> Look:
    """Give back a look that has a statistic.

    Raises:
        InvalidInput: if a number is out of range.

    >>> checked_look(Look(0.5, 1.0, 0.4)).df
    inf
    """
    between("information", look.information, 0, math.inf)
    finite("estimate", look.estimate)
    between("se", look.se, 0, math.inf)
    if not look.df > 0:
        raise InvalidInput(f"df = {look.df!r} is not above 0. Give the degrees of freedom, inf for a normal statistic.")
    return look


def z_from_t(t: "ArrayLike", df: "ArrayLike") -> "NDArray[np.float64]":
    """The normal deviates with the p-values of t statistics.

    Args:
        t: t statistics, any shape.
        df: degrees of freedom, above 0, may be inf; broadcast against t.

    References:
        Wallace (1959), Annals of Mathematical Statistics 30(4), 1121-1130, for p-values below 1e-290. Hill (1970),
        Communications of the ACM 13(10), algorithm 395, from 1,000 degrees of freedom on: faster than by the p-value,
        and within a part of 1e-13 up to a deviate of 9, of 2e-11 up to one of 30.

    >>> float(z_from_t(2.228139, 10).round(5))
    1.95996
    """
    import numpy as np

    given = np.asarray(t, dtype=float)
    size, freedom = np.broadcast_arrays(np.abs(given), np.asarray(df, dtype=float))
    z = np.array(size)
    few, many = freedom < _MANY, (freedom >= _MANY) & np.isfinite(freedom)
    z[few] = _by_p_value(size[few], freedom[few])
    z[many] = _expanded(size[many], freedom[many])
    deviates: NDArray[np.float64] = np.copysign(z, given)
    return deviates


def _by_p_value(t: "NDArray[np.float64]", df: "NDArray[np.float64]") -> "NDArray[np.float64]":
    import numpy as np
    from scipy.special import ndtri, stdtr

    p = stdtr(df, -t)
    return np.asarray(np.where(p > 1e-290, -ndtri(np.maximum(p, 1e-290)), _wallace(t, df)))


def _expanded(t: "NDArray[np.float64]", df: "NDArray[np.float64]") -> "NDArray[np.float64]":
    import numpy as np

    a = df - 0.5
    b = 48 * a * a
    squared = np.minimum(a * np.log1p(t * t / df), _FAR**2)
    more = ((4 * squared + 33) * squared + 240) * squared + 855
    z = np.sqrt(squared) * (1 + (squared + 3) / b - more / (10 * b * (b + 0.8 * squared * squared + 100)))
    return np.asarray(np.where(squared < _FAR**2, z, _wallace(t, df)))


def _wallace(t: "NDArray[np.float64]", df: "NDArray[np.float64]") -> "NDArray[np.float64]":
    import numpy as np

    return np.asarray(np.sqrt(df * np.log1p(t * t / df)) * (8 * df + 1) / (8 * df + 3))


def t_from_z(z: float, df: float) -> float:
    """The t statistic with the p-value of a normal deviate: a boundary on z, on the scale of the data.

    >>> round(t_from_z(1.959964, 10), 5)
    2.22814
    """
    from scipy.special import ndtr, stdtrit

    if math.isinf(df) or math.isinf(z):
        return z
    return math.copysign(-float(stdtrit(df, float(ndtr(-abs(z))))), z)


def look_positions(information: Sequence[float], grid: Sequence[float], *, nearest: float = 1e-4) -> tuple[int, ...]:
    """Where in ordered data the looks of a plan fall: at the first unit that reaches each point of the grid.

    The answer for a longer record begins with the answer for a shorter one, whoever asks and whenever.

    Args:
        information: fraction of the planned information after each unit, never going down.
        grid: the plan's points, increasing, the last one 1.
        nearest: a look closer than this to the one before it is left out.

    Raises:
        InvalidInput: if the information goes down.

    >>> look_positions([0.1, 0.3, 0.6, 0.6, 0.9], [0.25, 0.5, 0.55, 1.0])
    (1, 2)
    """
    positions, point, last = list[int](), 0, 0.0
    for position, reached in enumerate(information):
        if position and reached < information[position - 1]:
            raise InvalidInput(
                f"The information goes down to {reached!r} at unit {position}. Give it in recorded order."
            )
        if point == len(grid) or reached < grid[point]:
            continue
        while point < len(grid) and grid[point] <= reached:
            point += 1
        if reached - last >= nearest:
            positions.append(position)
            last = reached
    return tuple(positions)
