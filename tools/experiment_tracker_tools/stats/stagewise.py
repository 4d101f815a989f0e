"""Inference after a sequential test has stopped: p-value, median-unbiased estimate and interval.

Outcomes are ordered by stage: a boundary crossed earlier is more extreme, and at one look the larger statistic is. A
hypothesised effect is tested by the t statistic of the stopping look, so that without earlier looks the interval is the
usual t interval.

References:
    Tsiatis, Rosner & Mehta (1984), Biometrics 40(3), 797-803. Fairbanks & Madsen (1982), Biometrika 69(1), 69-74.
    Jennison & Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials, sections 8.3 to 8.5.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import Boundary
from experiment_tracker_tools.stats.checks import Sides, between, checked_sides
from experiment_tracker_tools.stats.looks import Look, checked_look, t_from_z, z_from_t
from experiment_tracker_tools.stats.recursion import Paths, advance, below, beyond, start, tilted
from experiment_tracker_tools.stats.roots import bracketed_root


class Stopped(NamedTuple):
    """What can be said after the stop.

    Attributes:
        p_value: stage-wise; at most the plan's alpha exactly when the boundary was crossed.
        estimate: median-unbiased effect, in the unit of the look's estimate.
        ci_low: lower limit of the stage-wise interval; -inf for none.
        ci_high: its upper limit; inf for a one-sided test.
    """

    p_value: float
    estimate: float
    ci_low: float
    ci_high: float


def after_stopping(look: Look, *, boundary: Boundary, alpha: float = 0.05, sides: Sides = 2) -> Stopped:
    """The stage-wise p-value, median-unbiased estimate and interval at the look that ended the experiment.

    Args:
        look: the stopping look, crossed or final.
        boundary: of the looks up to it; its own boundary is not used.
        alpha: one minus the coverage, in (0, 1).
        sides: 2, or 1 (upper), which gives a lower limit only.

    Raises:
        InvalidInput: if the look is not the boundary's last, or a number is outside its range.

    >>> from experiment_tracker_tools.stats.boundaries import boundaries
    >>> result = after_stopping(Look(1.0, 2.5, 1.0), boundary=boundaries([0.5, 1.0]))
    >>> round(result.p_value, 4), round(result.estimate, 3)
    (0.0143, 2.483)
    """
    checked_look(look)
    tail = between("alpha", alpha, 0, 1) / checked_sides(sides)
    if not math.isclose(boundary.times[-1], look.information, rel_tol=1e-9):
        raise InvalidInput(
            f"The look at {look.information!r} is not the boundary's last, at {boundary.times[-1]!r}. Cut it there."
        )
    return _stopped(look, boundary, tail, sides)


@lru_cache(maxsize=128)
def _stopped(look: Look, boundary: Boundary, tail: float, sides: Sides) -> Stopped:
    centre = _Trail.of(boundary, look.estimate / look.se / math.sqrt(look.information))
    low, middle, high = (_effect(look, centre, probability) for probability in (tail, 0.5, 1 - tail))
    return Stopped(_p_value(look, boundary, sides), middle, low, high if sides == 2 else math.inf)


class _Trail(NamedTuple):
    """The paths still running before each look, under one drift."""

    times: tuple[float, ...]
    upper: tuple[float, ...]
    lower: tuple[float, ...]
    drift: float
    paths: tuple[Paths, ...]

    @staticmethod
    def of(boundary: Boundary, drift: float) -> "_Trail":
        bounded = [k for k, z in enumerate(boundary.upper[:-1]) if math.isfinite(z) or math.isfinite(boundary.lower[k])]
        keep = [*bounded, len(boundary.times) - 1]
        times, upper, lower = (tuple(part[k] for k in keep) for part in boundary[:3])
        paths = [start()]
        for k, time in enumerate(times[:-1]):
            paths.append(advance(paths[-1], time, lower[k], upper[k], next_time=times[k + 1], drift=drift))
        return _Trail(times, upper, lower, drift, tuple(paths))

    def above(self, z: float, drift: float) -> float:
        """The probability under a drift of an outcome at least as high as `z` at the last look."""
        limits = (*self.upper[:-1], z)
        return math.fsum(beyond(p, t, c, drift=drift) for p, t, c in self._steps(limits, drift))

    def below(self, z: float, drift: float) -> float:
        limits = (*self.lower[:-1], z)
        return math.fsum(below(p, t, c, drift=drift) for p, t, c in self._steps(limits, drift))

    def _steps(self, limits: Sequence[float], drift: float) -> list[tuple[Paths, float, float]]:
        paths = (tilted(path, drift=self.drift, to=drift) for path in self.paths)
        return list(zip(paths, self.times, limits, strict=True))


def _p_value(look: Look, boundary: Boundary, sides: Sides) -> float:
    null = _Trail.of(boundary, 0.0)
    z = float(z_from_t(look.estimate / look.se, look.df))
    if sides == 1:
        return min(1.0, null.above(z, 0.0))
    return min(1.0, 2 * min(null.above(z, 0.0), null.below(z, 0.0)))


def _effect(look: Look, trail: _Trail, probability: float) -> float:
    """The effect under which an outcome at least as high has the given probability."""
    observed, root = look.estimate / look.se, math.sqrt(look.information)

    def above(shift: float) -> float:
        z, expected = float(z_from_t(-shift, look.df)), observed + shift
        return trail.above(z + expected, expected / root) - probability

    low, high, reach = 0.0, 0.0, t_from_z(1.0, look.df)
    while above(low) > 0:
        low -= reach
    while above(high) < 0:
        high += reach
    return look.estimate + look.se * bracketed_root(above, low, high, tolerance=1e-9)
