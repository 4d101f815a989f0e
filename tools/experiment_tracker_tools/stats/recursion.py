"""A standardised Brownian path observed at some times: the chance that it leaves a corridor, look by look.

The paths still running after a look are kept as a sub-density of the score b = z sqrt(t), sampled at Gauss-Legendre
nodes in panels as fine as the steps to the next look. They reach 1e-14 where the Simpson grid of Jennison & Turnbull,
with more nodes, reaches 1e-7: between two boundaries the integrand is analytic.

References:
    Armitage, McPherson & Rowe (1969), Journal of the Royal Statistical Society A 132(2), 235-244.
    Jennison & Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials, chapter 19.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.quadrature import even_panels

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]

FARTHEST = 10.0  # standard errors: the normal tail beyond is below 1e-23, and below 1e-9 after a tilt by 4
PANEL = 7.0  # width of a panel in standard deviations of the narrower neighbouring step


class Paths(NamedTuple):
    """The paths still running after a look.

    Attributes:
        time: information fraction of that look, 0 before the first.
        score: places b = z sqrt(time), shape (m,).
        mass: probability at these places, shape (m,); adds up to the probability of still running.
    """

    time: float
    score: "Vector"
    mass: "Vector"


class Crossing(NamedTuple):
    """Probabilities of leaving a corridor for the first time, look by look.

    Attributes:
        above: through the upper boundary, one for each look.
        below: through the lower boundary, one for each look.
    """

    above: tuple[float, ...]
    below: tuple[float, ...]


def start() -> Paths:
    """Every path, before the first look.

    >>> start().time
    0.0
    """
    import numpy as np

    return Paths(0.0, np.zeros(1), np.ones(1))


def beyond(paths: Paths, time: float, z: float, *, drift: float = 0.0) -> float:
    """The probability of still running and then being above `z` at the next look.

    Args:
        paths: still running after the look before.
        time: of the next look, later than that.
        z: standardised statistic.
        drift: expected z at time 1.

    >>> round(beyond(start(), 0.5, 1.96), 4)
    0.025
    """
    from scipy.special import ndtr

    return float(paths.mass @ ndtr(_excess(paths, time, z, drift)))


def below(paths: Paths, time: float, z: float, *, drift: float = 0.0) -> float:
    """The probability of still running and then being below `z` at the next look; see `beyond`.

    >>> round(below(start(), 0.5, -1.96), 4)
    0.025
    """
    from scipy.special import ndtr

    return float(paths.mass @ ndtr(-_excess(paths, time, z, drift)))


def advance(
    paths: Paths, time: float, lower: float, upper: float, *, next_time: float | None, drift: float = 0.0
) -> Paths:
    """The paths that stay between two boundaries at the next look.

    Args:
        paths: still running after the look before.
        time: of the next look.
        lower: z at or below which a path stops; may be -inf.
        upper: z at or above which a path stops; may be inf.
        next_time: of the look after that, None if there is none: how fine the nodes must be.
        drift: expected z at time 1.

    >>> round(float(advance(start(), 0.5, -1.96, 1.96, next_time=1.0).mass.sum()), 4)
    0.95
    """
    import numpy as np

    root, step = math.sqrt(time), time - paths.time
    finest = min(step, math.inf if next_time is None else next_time - time)
    low = max(lower, drift * root - FARTHEST) * root
    high = min(upper, drift * root + FARTHEST) * root
    score, weights = even_panels(low, high, width=PANEL * math.sqrt(finest))
    away = (score[:, None] - paths.score[None, :] - drift * step) / math.sqrt(step)
    density = np.exp(-0.5 * away * away) @ paths.mass
    return Paths(time, score, weights * density / math.sqrt(2 * math.pi * step))


def tilted(paths: Paths, *, drift: float, to: float) -> Paths:
    """The same paths under another drift: inside a corridor the likelihood ratio depends on the last score alone.

    Args:
        paths: still running under `drift`.
        drift: under which they were computed.
        to: the drift wanted; for 1e-9, within 4 / sqrt(time) of `drift`.

    References:
        Emerson & Fleming (1990), Biometrika 77(4), 875-892, equation 2.

    >>> paths = advance(start(), 0.5, -2, 2, next_time=1.0)
    >>> round(float(tilted(paths, drift=0, to=1).mass.sum()), 6)
    0.898582
    """
    import numpy as np

    ratio = np.exp((to - drift) * paths.score - 0.5 * (to * to - drift * drift) * paths.time)
    return Paths(paths.time, paths.score, paths.mass * ratio)


def crossing(
    times: "Sequence[float]", lower: "Sequence[float]", upper: "Sequence[float]", *, drift: float = 0.0
) -> Crossing:
    """The probabilities of leaving a corridor at each look.

    Args:
        times: information fractions of the looks, increasing, above 0.
        lower: boundary on z at each look, -inf for none.
        upper: boundary on z at each look, inf for none.
        drift: expected z at time 1.

    >>> result = crossing([0.5, 1.0], [-2.178, -2.178], [2.178, 2.178])
    >>> round(sum(result.above) + sum(result.below), 3)
    0.05
    """
    paths, upwards, downwards = start(), list[float](), list[float]()
    for look, time in enumerate(times):
        upwards.append(beyond(paths, time, upper[look], drift=drift))
        downwards.append(below(paths, time, lower[look], drift=drift))
        if look + 1 < len(times):
            paths = advance(paths, time, lower[look], upper[look], next_time=times[look + 1], drift=drift)
    return Crossing(tuple(upwards), tuple(downwards))


def _excess(paths: Paths, time: float, z: float, drift: float) -> "Vector":
    step = time - paths.time
    return (paths.score + drift * step - z * math.sqrt(time)) / math.sqrt(step)
