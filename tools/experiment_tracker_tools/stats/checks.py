"""Bad numbers refused in one voice: the value, the range, the mend."""

import math
from typing import TYPE_CHECKING, Literal

from experiment_tracker_tools.core.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

Sides = Literal[1, 2]
Alternative = Literal["two_sided", "greater", "less"]


def between(name: str, value: float, low: float, high: float) -> float:
    """Give back `value` if it lies strictly between `low` and `high`.

    Raises:
        InvalidInput: if it does not, or is not a number.

    >>> between("alpha", 0.05, 0, 1)
    0.05
    """
    if not low < value < high:
        raise InvalidInput(f"{name} = {value!r} is outside ({low:g}, {high:g}). Give a number strictly between them.")
    return float(value)


def finite(name: str, value: float) -> float:
    """Give back `value` if it is a finite number.

    Raises:
        InvalidInput: for NaN and the infinities.

    >>> finite("mean", 2)
    2.0
    """
    if not math.isfinite(value):
        raise InvalidInput(f"{name} = {value!r} is not a finite number. Leave missing values out and count them.")
    return float(value)


def at_least(name: str, value: float, low: float) -> float:
    """Give back `value` if it is finite and not below `low`.

    Raises:
        InvalidInput: if it is below, or not finite.

    >>> at_least("n", 3, 1)
    3.0
    """
    if finite(name, value) < low:
        raise InvalidInput(f"{name} = {value!r} is below {low:g}. Give {low:g} or more.")
    return float(value)


def count(name: str, value: float) -> int:
    """Give back `value` as an integer if it is a whole number of 0 or more.

    Raises:
        InvalidInput: if it is negative, fractional or not finite.

    >>> count("conversions", 12.0)
    12
    """
    if at_least(name, value, 0) != int(value):
        raise InvalidInput(f"{name} = {value!r} is not a whole number. Give a count of 0 or more.")
    return int(value)


def shares(values: "Sequence[float]") -> tuple[float, ...]:
    """Give back shares that are positive and add up to 1 (within 1e-9).

    Raises:
        InvalidInput: if one is not in (0, 1) or their sum is not 1.

    >>> shares([0.5, 0.5])
    (0.5, 0.5)
    """
    checked = tuple(between("share", value, 0, 1) for value in values)
    if abs(math.fsum(checked) - 1) > 1e-9:
        raise InvalidInput(f"The shares {list(checked)} add up to {math.fsum(checked):.6g}, not to 1. Rescale them.")
    return checked


def checked_sides(sides: Sides) -> Sides:
    """Give back 1 or 2.

    Raises:
        InvalidInput: for anything else.

    >>> checked_sides(2)
    2
    """
    if sides not in (1, 2):
        raise InvalidInput(f"sides = {sides!r} is neither 1 nor 2. Give 2 for a two-sided test.")
    return sides


def checked_alternative(alternative: Alternative) -> Alternative:
    """Give back "two_sided", "greater" or "less".

    Raises:
        InvalidInput: for anything else.

    >>> checked_alternative("greater")
    'greater'
    """
    if alternative not in ("two_sided", "greater", "less"):
        raise InvalidInput(f"alternative = {alternative!r} is unknown. Give two_sided, greater or less.")
    return alternative
