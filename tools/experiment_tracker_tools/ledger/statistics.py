"""Statistics that run along with the trials: exact moments, extremes and a sketch of the quantiles, all mergeable.

References:
    Welford (1962), Technometrics 4(3), for the update; Chan, Golub & LeVeque (1983), The American Statistician 37(3),
    for the merge. Masson, Rim & Lee (2019), DDSketch, PVLDB 12(12), for the sketch.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Self

ACCURACY = 0.01
_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GAMMA = math.log(_GAMMA)


class Running:
    """One variant's values of one metric so far; for a ratio, x is the numerator and y the denominator.

    Attributes:
        n: number of values.
        mean: their mean; m2: sum of squared deviations from it, both 0.0 without values.
        low, high: smallest and largest value, None without values.
        mean_y, m2_y, c_xy: of the denominators, and the sum of products of deviations; 0.0 where there are none.
        bins: how many values lie in each bin of the sketch.
    """

    __slots__ = ("bins", "c_xy", "high", "low", "m2", "m2_y", "mean", "mean_y", "n")

    def __init__(self) -> None:
        self.n = 0
        self.mean = self.m2 = self.mean_y = self.m2_y = self.c_xy = 0.0
        self.low: float | None = None
        self.high: float | None = None
        self.bins: dict[int, int] = {}

    def add(self, x: float, y: float | None = None) -> None:
        """Take one value, or one pair of a ratio."""
        self.n = n = self.n + 1
        step = x - self.mean
        self.mean += step / n
        self.m2 += step * (x - self.mean)
        if self.low is None or x < self.low:
            self.low = x
        if self.high is None or x > self.high:
            self.high = x
        if y is not None:
            step_y = y - self.mean_y
            self.mean_y += step_y / n
            self.m2_y += step_y * (y - self.mean_y)
            self.c_xy += step * (y - self.mean_y)
        place = _bin(x)
        self.bins[place] = self.bins.get(place, 0) + 1

    def merge(self, other: Self) -> None:
        """Take all of another's values."""
        n = self.n + other.n
        if other.n == 0:
            return
        step, step_y, weight = other.mean - self.mean, other.mean_y - self.mean_y, self.n * other.n / n
        self.mean += step * other.n / n
        self.mean_y += step_y * other.n / n
        self.m2 += other.m2 + step * step * weight
        self.m2_y += other.m2_y + step_y * step_y * weight
        self.c_xy += other.c_xy + step * step_y * weight
        self.low = min(x for x in (self.low, other.low) if x is not None)
        self.high = max(x for x in (self.high, other.high) if x is not None)
        self.n = n
        for place, count in other.bins.items():
            self.bins[place] = self.bins.get(place, 0) + count

    def quantile(self, share: float) -> float | None:
        """The value below which that share (0 to 1) of the values lies, within 1% of itself; None without values.

        >>> running = Running()
        >>> for value in range(1, 1001): running.add(float(value))
        >>> abs(running.quantile(0.5) / 500.5 - 1) < 0.01
        True
        """
        if self.low is None or self.high is None:
            return None
        wanted, seen = share * (self.n - 1), 0
        for place in sorted(self.bins):
            seen += self.bins[place]
            if seen > wanted:
                return min(max(_middle(place), self.low), self.high)
        return self.high

    def counted(self) -> list[tuple[float, int]]:
        """How many values lie near which, the smallest first; each within 1% of itself.

        >>> running = Running()
        >>> for value in (2.0, 2.0, 8.0): running.add(value)
        >>> [(round(value), n) for value, n in running.counted()]
        [(2, 2), (8, 1)]
        """
        return [(_middle(place), self.bins[place]) for place in sorted(self.bins)]

    def facts(self) -> list[Any]:
        """What a checkpoint or a merged view keeps."""
        moments = [self.n, self.mean, self.m2, self.mean_y, self.m2_y, self.c_xy]
        return [*moments, self.low, self.high, list(self.bins.items())]

    @classmethod
    def restored(cls, facts: Sequence[Any]) -> Self:
        """The statistics that `facts` gave."""
        running = cls()
        running.n, running.mean, running.m2, running.mean_y, running.m2_y, running.c_xy = facts[:6]
        running.low, running.high, bins = facts[6:]
        running.bins = dict(bins)
        return running


def add_values(
    into: dict[tuple[str, str], Running], variant: str, metrics: Mapping[str, float | Mapping[str, float]]
) -> None:
    """Take the metric values of one trial."""
    for name, value in metrics.items():
        running = into.get((variant, name))
        if running is None:
            running = into[variant, name] = Running()
        # Asked for every value there is: a class of the abc module takes longer to ask for than the value to add.
        if isinstance(value, float | int):
            running.add(float(value))
        else:
            running.add(float(value["numerator"]), float(value["denominator"]))


def _bin(x: float) -> int:
    # Shifted so that bins of the smallest magnitudes still have the sign of their values, and sort as the values do.
    if x == 0:
        return 0
    place = math.ceil(math.log(abs(x)) / _LOG_GAMMA) + _SHIFT
    return place if x > 0 else -place


def _middle(place: int) -> float:
    if place == 0:
        return 0.0
    # The square of a root: the middle of the outermost bin may lie beyond the largest float, and is infinite then.
    root = math.exp((abs(place) - _SHIFT) * _LOG_GAMMA / 2)
    return math.copysign(2 / (_GAMMA + 1) * root * root, place)


_SHIFT = 40_000
