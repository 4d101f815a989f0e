"""When to give up: beta-spending futility boundaries, non-binding by default.

A non-binding boundary is advice: the efficacy boundary is computed as if it did not exist, so it may be overruled
without harm to the error rate. A binding one lowers the efficacy boundary and must be obeyed.

References:
    Pampallona, Tsiatis & Kim (2001), Drug Information Journal 35(4), 1113-1121.
    Jennison & Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials, section 7.3.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import NOTHING, boundaries, checked_times
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.recursion import FARTHEST, Paths, advance, below, beyond, start
from experiment_tracker_tools.stats.roots import bracketed_root, upper_end
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, Spending, spent


class Futility(NamedTuple):
    """An upper efficacy and a lower futility boundary that meet at the last look.

    Attributes:
        times: information fraction of each look.
        upper: stop for efficacy when z is at or above.
        lower: give up when z is at or below; -inf where nothing may be spent yet.
        drift: expected z at information 1 for which the design has its power, giving up included.
    """

    times: tuple[float, ...]
    upper: tuple[float, ...]
    lower: tuple[float, ...]
    drift: float


def futility(
    times: Sequence[float],
    *,
    alpha: float = 0.025,
    power: float = 0.8,
    alpha_spending: Spending = OBRIEN_FLEMING,
    beta_spending: Spending = OBRIEN_FLEMING,
    binding: bool = False,
) -> Futility:
    """The efficacy and futility boundaries of a one-sided design, or of the wanted side of a two-sided one.

    Args:
        times: information fractions of the looks, increasing to the final one.
        alpha: error rate of the upper side, in (0, 1).
        power: under the planned effect, in (alpha, 1); 1 - power is what giving up may cost.
        alpha_spending: of the upper boundary.
        beta_spending: of the lower boundary.
        binding: whether the upper boundary counts on giving up.

    Raises:
        InvalidInput: for looks that do not increase, or a number outside its range.

    >>> found = futility([0.5, 1.0])
    >>> [round(z, 3) for z in found.lower], round(found.drift**2, 3)
    ([0.559, 1.969], 8.288)
    """
    looks = checked_times(times)
    between("power", power, between("alpha", alpha, 0, 1), 1)
    if len(looks) == 1:
        raise InvalidInput("A single look cannot give up early. Give two or more.")
    paid = [spent(time, alpha=1 - power, spending=beta_spending) for time in looks[:-1]]
    free = boundaries(looks, alpha=alpha, sides=1, spending=alpha_spending, closes=True).upper
    rates = [spent(time, alpha=alpha, spending=alpha_spending) for time in looks[:-1]] + [alpha]

    def design(drift: float) -> tuple[Futility, float]:
        return _forward(looks, rates, paid, drift, None if binding else free)

    def excess(drift: float) -> float:
        lost = design(drift)[1]
        return math.log(max(lost, 1e-300) / (1 - power))

    return design(bracketed_root(excess, 0.0, upper_end(lambda drift: -excess(drift), 4.0)))[0]


def _forward(
    times: tuple[float, ...],
    rates: list[float],
    paid: list[float],
    drift: float,
    free: tuple[float, ...] | None,
) -> tuple[Futility, float]:
    """Both boundaries for one drift, and the whole probability under it of not crossing the upper one."""
    null, true = start(), start()
    upper, lower, alpha_used, beta_used = list[float](), list[float](), 0.0, 0.0
    for look, time in enumerate(times):
        high = free[look] if free else _upper(null, time, rates[look] - alpha_used)
        alpha_used = alpha_used if math.isinf(high) else rates[look]
        upper.append(high)
        low = high if look + 1 == len(times) else _lower(true, time, paid[look] - beta_used, drift)
        if low >= high:
            lost = beta_used + below(true, time, high, drift=drift)
            return Futility(times, tuple(upper), (*lower, high), drift), lost
        beta_used = beta_used if math.isinf(low) else paid[look]
        lower.append(low)
        null = advance(null, time, low, high, next_time=times[look + 1])
        true = advance(true, time, low, high, next_time=times[look + 1], drift=drift)
    raise AssertionError("The last look returns.")


def _upper(paths: Paths, time: float, rate: float) -> float:
    if rate < NOTHING:
        return math.inf

    def excess(z: float) -> float:
        return math.log(max(beyond(paths, time, z), 1e-300) / rate)

    # Less than the rate is left when a binding boundary for too large a drift has ended nearly every path.
    return bracketed_root(excess, -FARTHEST, FARTHEST) if excess(-FARTHEST) > 0 else -math.inf


def _lower(paths: Paths, time: float, rate: float, drift: float) -> float:
    if rate < NOTHING:
        return -math.inf
    centre = drift * math.sqrt(time)

    def excess(z: float) -> float:
        return math.log(max(below(paths, time, z, drift=drift), 1e-300) / rate)

    if excess(centre + FARTHEST) < 0:
        return math.inf
    return bracketed_root(excess, centre - FARTHEST, centre + FARTHEST)
