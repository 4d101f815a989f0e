"""The plan-grid monitor: the first crossing on ordered data, whoever asks, whenever and however often.

The answer is a pure function of the plan and the ordered record. The looks are those of the plan, not the calls (see
`looks.look_positions`); a boundary depends on the looks before it alone; nothing after the first crossing is read.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import Boundary, boundaries
from experiment_tracker_tools.stats.checks import Sides
from experiment_tracker_tools.stats.looks import Look, checked_look, t_from_z, z_from_t
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, Spending

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class Plan(NamedTuple):
    """How a metric is monitored.

    Attributes:
        alpha: error rate over all looks, of both sides together, in (0, 1).
        sides: 2, or 1 (upper).
        spending: how fast the error rate is spent.
    """

    alpha: float = 0.05
    sides: Sides = 2
    spending: Spending = OBRIEN_FLEMING


class Seen(NamedTuple):
    """One look with its boundary.

    Attributes:
        information: fraction of the planned information.
        z: statistic as a normal deviate.
        boundary: |z| (one-sided: z) that stops; inf where nothing may be spent yet.
        p_value: nominal p-value of this look alone (two-sided if the plan is); not a reason to stop.
        ci_low: lower limit of the repeated interval, valid at every look at once; -inf without boundary.
        ci_high: its upper limit; inf for a one-sided plan.
    """

    information: float
    z: float
    boundary: float
    p_value: float
    ci_low: float
    ci_high: float


class Monitored(NamedTuple):
    """What the monitor has seen.

    Attributes:
        looks: up to the first crossing, or all there are.
        crossed: "above" or "below" at the last of these looks; None if no boundary is crossed.
        final: whether the last of these looks is the final one.
        boundary: the boundaries of these looks.
    """

    looks: tuple[Seen, ...]
    crossed: Literal["above", "below"] | None
    final: bool
    boundary: Boundary


def even_grid(looks: int, *, first: float = 0.0) -> tuple[float, ...]:
    """The plan grid of evenly spaced information fractions that ends at 1.

    Args:
        looks: 1 to 100 points over (0, 1].
        first: points below this fraction are left out.

    Raises:
        InvalidInput: for another number of looks.

    >>> even_grid(4, first=0.3)
    (0.5, 0.75, 1.0)
    """
    if not 1 <= looks <= 100:
        raise InvalidInput(f"looks = {looks!r} is outside 1 to 100. Give at most 100 points.")
    return tuple(look / looks for look in range(1, looks + 1) if look / looks >= first)


def monitor(looks: Sequence[Look], *, plan: Plan, closes: bool = False) -> Monitored:
    """The first crossing of a plan's boundary on ordered looks.

    Args:
        looks: at the plan's grid, in order of information, 1e-4 or more apart; those past the first at 1 are not read.
        plan: error rate, sides and spending.
        closes: whether the last look is final although it is below 1, for an end that was known before its data.

    Raises:
        InvalidInput: for no look, looks out of order, or a number outside its range.

    >>> result = monitor([Look(0.5, 1.0, 0.5), Look(1.0, 1.2, 0.4)], plan=Plan())
    >>> result.crossed, len(result.looks), round(result.looks[1].z, 3)
    ('above', 2, 3.0)
    """
    within = [checked_look(look) for look in _until_final(looks)]
    boundary = boundaries(
        [look.information for look in within],
        alpha=plan.alpha,
        sides=plan.sides,
        spending=plan.spending,
        closes=closes,
    )
    seen = [_seen(look, upper, plan.sides) for look, upper in zip(within, boundary.upper, strict=True)]
    stop = next((k for k, look in enumerate(seen) if _side(look, plan.sides)), len(seen) - 1)
    until = Boundary(*(part[: stop + 1] for part in boundary))
    final = seen[stop].information >= 1 or (closes and stop == len(seen) - 1)
    return Monitored(tuple(seen[: stop + 1]), _side(seen[stop], plan.sides), final, until)


def first_crossing(z: "ArrayLike", boundary: Boundary) -> "NDArray[np.int64]":
    """The first look at which each of many experiments crosses; -1 where none does.

    Args:
        z: normal deviates, shape (experiments, looks).
        boundary: of these looks.

    Raises:
        InvalidInput: if there are not as many looks as boundaries.

    >>> first_crossing([[0.0, 3.0], [-4.0, 0.0], [1.0, 1.0]], boundaries([0.5, 1.0])).tolist()
    [1, 0, -1]
    """
    import numpy as np

    deviates = np.asarray(z, dtype=float)
    if deviates.ndim != 2 or deviates.shape[1] != len(boundary.times):
        raise InvalidInput(f"z of shape {deviates.shape} does not have {len(boundary.times)} columns, one a look.")
    out = (deviates >= np.asarray(boundary.upper)) | (deviates <= np.asarray(boundary.lower))
    return np.where(out.any(axis=1), out.argmax(axis=1), -1)


def _until_final(looks: Sequence[Look]) -> Sequence[Look]:
    final = next((k for k, look in enumerate(looks) if look.information >= 1), len(looks))
    return looks[: final + 1]


def _seen(look: Look, upper: float, sides: Sides) -> Seen:
    from scipy.special import ndtr

    t = look.estimate / look.se
    reach = t_from_z(upper, look.df) * look.se
    high = look.estimate + reach if sides == 2 else math.inf
    z = float(z_from_t(t, look.df))
    tail = float(ndtr(-abs(z) if sides == 2 else -z))
    return Seen(look.information, z, upper, sides * tail, look.estimate - reach, high)


def _side(look: Seen, sides: Sides) -> Literal["above", "below"] | None:
    if look.z >= look.boundary:
        return "above"
    return "below" if sides == 2 and look.z <= -look.boundary else None
