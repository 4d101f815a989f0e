"""Boundaries of a group-sequential test: spending boundaries for any looks, and the classical families.

A look is named by its information fraction, information over its planned value. The boundary at a look depends on the
looks up to it alone, never on those to come, so looks may be taken at any time that does not depend on the results.

References:
    Lan & DeMets (1983), Biometrika 70(3), 659-663. Proschan, Lan & Wittes (2006), Statistical Monitoring of Clinical
    Trials. Wang & Tsiatis (1987), Biometrics 43(1), 193-199. Pocock (1977), Biometrika 64(2), 191-199. O'Brien &
    Fleming (1979), Biometrics 35(3), 549-556.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Sides, between, checked_sides, finite
from experiment_tracker_tools.stats.recursion import FARTHEST, Paths, advance, beyond, crossing, start
from experiment_tracker_tools.stats.roots import bracketed_root
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, Spending, spent

NEAREST = 1e-4  # looks closer in information cannot be told apart
NOTHING = 1e-15  # an error rate below this has no boundary


class Boundary(NamedTuple):
    """Where a sequential test stops.

    Attributes:
        times: information fraction of each look.
        upper: stop when z is at or above; inf where nothing may be spent yet.
        lower: stop when z is at or below; -upper of a two-sided test, -inf of a one-sided one.
        spent: error rate spent up to each look, on both sides together.
    """

    times: tuple[float, ...]
    upper: tuple[float, ...]
    lower: tuple[float, ...]
    spent: tuple[float, ...]


def boundaries(
    times: Sequence[float],
    *,
    alpha: float = 0.05,
    sides: Sides = 2,
    spending: Spending = OBRIEN_FLEMING,
    closes: bool = False,
) -> Boundary:
    """The spending boundary on z for looks at any times.

    Args:
        times: information fractions of the looks, increasing by 1e-4 or more; only the last may pass 1 (overrun).
        alpha: error rate over all looks in (0, 1), of both sides together.
        sides: 2 (symmetric) or 1 (upper).
        spending: how fast each side spends its error rate.
        closes: whether the last look is the final one although it is below 1 (underrun, known before its data):
            it then spends what is left.

    Raises:
        InvalidInput: for looks that do not increase, or a number outside its range.

    >>> [round(z, 4) for z in boundaries([0.5, 1.0]).upper]
    [2.9626, 1.9686]
    """
    looks = checked_times(times)
    side = between("alpha", alpha, 0, 1) / checked_sides(sides)
    paid = [spent(time, alpha=side, spending=spending) for time in looks]
    if closes:
        paid[-1] = side
    upper = tuple(_critical(looks[: look + 1], tuple(paid[: look + 1]), sides) for look in range(len(looks)))
    lower = tuple(-z if sides == 2 else -math.inf for z in upper)
    return Boundary(looks, upper, lower, tuple(sides * rate for rate in paid))


def classical(times: Sequence[float], *, alpha: float = 0.05, sides: Sides = 2, shape: float = 0.0) -> Boundary:
    """The boundary z = C t^(shape - 1/2) of a classical family.

    Args:
        times: information fractions of all looks, known in advance, increasing; the last is the final one.
        alpha: error rate over all looks in (0, 1), of both sides together.
        sides: 2 (symmetric) or 1 (upper).
        shape: 0 is O'Brien & Fleming, 0.5 is Pocock, between them Wang & Tsiatis.

    Raises:
        InvalidInput: for looks that do not increase, or a number outside its range.

    >>> round(classical([0.2, 0.4, 0.6, 0.8, 1.0], shape=0.5).upper[0], 3)
    2.413
    """
    looks = checked_times(times)
    between("alpha", alpha, 0, 1)
    finite("shape", shape)
    upper = _classical(tuple(time / looks[-1] for time in looks), alpha, checked_sides(sides), shape)
    lower = tuple(-z if sides == 2 else -math.inf for z in upper)
    paid = crossing(looks, lower, upper)
    total = 0.0
    rates = [total := total + a + b for a, b in zip(paid.above, paid.below, strict=True)]
    return Boundary(looks, upper, lower, tuple(rates))


def checked_times(times: Sequence[float]) -> tuple[float, ...]:
    """Give back information fractions that increase by 1e-4 or more and of which only the last may pass 1.

    Raises:
        InvalidInput: if they do not, or there is none.

    >>> checked_times([0.5, 1])
    (0.5, 1.0)
    """
    looks = tuple(between("information fraction", time, 0, math.inf) for time in times)
    if not looks:
        raise InvalidInput("There is no look. Give at least one information fraction.")
    for before, after in zip((0.0, *looks), looks, strict=False):
        if after - before < NEAREST * (1 - 1e-9):
            raise InvalidInput(
                f"The look at {after!r} is not {NEAREST:g} of the information past the one at {before!r}. "
                "Give increasing looks and leave out those that cannot be told apart."
            )
        if before >= 1:
            raise InvalidInput(f"The look at {after!r} follows the final one at {before!r}. Stop at the first at 1.")
    return looks


@lru_cache(maxsize=2048)
def _critical(times: tuple[float, ...], paid: tuple[float, ...], sides: Sides) -> float:
    """z at the last of the looks. Every prefix is cached, so one more look costs one more step."""
    already = _paid_before(times[:-1], paid[:-1], sides)
    rate = paid[-1] - already
    if rate < NOTHING:
        return math.inf
    paths = _running(times, paid[:-1], sides)

    def excess(z: float) -> float:
        return math.log(max(beyond(paths, times[-1], z), 1e-300) / rate)

    return bracketed_root(excess, -FARTHEST, FARTHEST)


def _paid_before(times: tuple[float, ...], paid: tuple[float, ...], sides: Sides) -> float:
    while times and math.isinf(_critical(times, paid, sides)):
        times, paid = times[:-1], paid[:-1]
    return paid[-1] if paid else 0.0


@lru_cache(maxsize=2048)
def _running(times: tuple[float, ...], paid: tuple[float, ...], sides: Sides) -> Paths:
    """The paths still running before the last of the looks."""
    if len(times) == 1:
        return start()
    paths = _running(times[:-1], paid[:-1], sides)
    upper = _critical(times[:-1], paid, sides)
    lower = -upper if sides == 2 else -math.inf
    return advance(paths, times[-2], lower, upper, next_time=times[-1])


@lru_cache(maxsize=256)
def _classical(times: tuple[float, ...], alpha: float, sides: Sides, shape: float) -> tuple[float, ...]:
    def upper(scale: float) -> list[float]:
        return [scale * time ** (shape - 0.5) for time in times]

    def excess(scale: float) -> float:
        lower = [-z if sides == 2 else -math.inf for z in upper(scale)]
        rates = crossing(times, lower, upper(scale))
        return math.log(max(sum(rates.above) + sum(rates.below), 1e-300) / alpha)

    scale = bracketed_root(excess, 1e-9 if sides == 2 else -FARTHEST, FARTHEST)
    return tuple(upper(scale))
