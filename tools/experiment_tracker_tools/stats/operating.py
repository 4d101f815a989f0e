"""How a sequential design behaves before it is run: exactly by quadrature, or by simulated experiments.

The quadrature holds for any statistic that is normal with independent increments; the simulation draws the sufficient
statistics of every stage and runs the real test, so that small samples show.

References:
    Jennison & Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials, chapters 2 and 19.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.boundaries import Boundary, boundaries
from experiment_tracker_tools.stats.checks import at_least, between, count, finite
from experiment_tracker_tools.stats.looks import z_from_t
from experiment_tracker_tools.stats.monitor import Plan, first_crossing
from experiment_tracker_tools.stats.recursion import crossing
from experiment_tracker_tools.stats.roots import bracketed_root, upper_end

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float64]


class Characteristics(NamedTuple):
    """What a design does under one true effect.

    Attributes:
        above: probability of crossing the upper boundary at any look: the power if the effect is positive.
        below: probability of crossing the lower one.
        stops: probability of ending at each look; the last look ends every experiment that is still running.
        expected_information: mean information fraction at the end.
    """

    above: float
    below: float
    stops: tuple[float, ...]
    expected_information: float


class Simulated(NamedTuple):
    """What simulated experiments did.

    Attributes:
        above: fraction that crossed the upper boundary.
        below: fraction that crossed the lower one.
        expected_information: mean information fraction at the end.
        error: Monte Carlo standard error of `above`.
        information_error: Monte Carlo standard error of `expected_information`.
        experiments: how many.
    """

    above: float
    below: float
    expected_information: float
    error: float
    information_error: float
    experiments: int


def characteristics(boundary: Boundary, *, drift: float) -> Characteristics:
    """The exact operating characteristics of a boundary.

    Args:
        boundary: the looks and where they stop.
        drift: expected z at information 1: the true effect over the standard error that is planned for then.

    Raises:
        InvalidInput: if the drift is not finite.

    >>> found = characteristics(boundaries([0.5, 1.0]), drift=2.8)
    >>> round(found.above, 4), round(found.expected_information, 4)
    (0.7981, 0.9186)
    """
    found = crossing(boundary.times, boundary.lower, boundary.upper, drift=finite("drift", drift))
    stops = [a + b for a, b in zip(found.above, found.below, strict=True)]
    stops[-1] = 1 - math.fsum(stops[:-1])
    information = math.fsum(p * t for p, t in zip(stops, boundary.times, strict=True))
    return Characteristics(math.fsum(found.above), math.fsum(found.below), tuple(stops), information)


def drift_for_power(boundary: Boundary, *, power: float) -> float:
    """The drift at which the upper boundary is crossed with a given probability.

    Args:
        boundary: the looks and where they stop.
        power: wanted, above the boundary's error rate and below 1.

    Raises:
        InvalidInput: for a power outside its range.

    >>> round(drift_for_power(boundaries([1.0]), power=0.8), 4)
    2.8016
    """
    null = characteristics(boundary, drift=0.0).above
    between("power", power, null, 1)

    def missing(drift: float) -> float:
        return characteristics(boundary, drift=drift).above - power

    return bracketed_root(missing, 0.0, upper_end(missing, 4.0))


def simulate_means(
    effect: float,
    *,
    n_control: int,
    n_treatment: int,
    grid: Sequence[float],
    plan: Plan,
    sd: float = 1.0,
    sd_treatment: float | None = None,
    experiments: int = 10_000,
    seed: int = 0,
) -> Simulated:
    """Simulated experiments that monitor the mean of a normal metric by Welch's t test.

    For a log-normal metric that is analysed on the log scale give the log of the ratio and the SD of the logs.

    Args:
        effect: true difference of means, treatment minus control.
        n_control: planned units in control, 2 or more.
        n_treatment: planned units in treatment, 2 or more.
        grid: information fractions of the looks, increasing to 1.
        plan: error rate, sides and spending.
        sd: standard deviation of a unit in control, above 0.
        sd_treatment: the same in treatment; `sd` if None.
        experiments: how many to simulate, 1 or more.
        seed: of the random numbers.

    Raises:
        InvalidInput: for a number outside its range.

    >>> plan, grid = Plan(), (0.25, 0.5, 0.75, 1.0)
    >>> found = simulate_means(0.5, n_control=64, n_treatment=64, grid=grid, plan=plan, experiments=2000)
    >>> abs(found.above - 0.79) < 0.04
    True
    """
    import numpy as np

    sizes = _sizes(n_control, n_treatment, grid)
    rng = np.random.default_rng(count("seed", seed))
    between("sd", sd, 0, math.inf)
    spread = sd if sd_treatment is None else between("sd_treatment", sd_treatment, 0, math.inf)
    mean_0, v_0 = _cumulative_normal(rng, 0.0, sd, sizes[:, 0], _count(experiments))
    mean_1, v_1 = _cumulative_normal(rng, finite("effect", effect), spread, sizes[:, 1], experiments)
    parts = v_0 / sizes[:, 0], v_1 / sizes[:, 1]
    df = (parts[0] + parts[1]) ** 2 / (parts[0] ** 2 / (sizes[:, 0] - 1) + parts[1] ** 2 / (sizes[:, 1] - 1))
    return _simulated(z_from_t((mean_1 - mean_0) / np.sqrt(parts[0] + parts[1]), df), sizes, plan)


def simulate_proportions(
    control: float,
    treatment: float,
    *,
    n_control: int,
    n_treatment: int,
    grid: Sequence[float],
    plan: Plan,
    experiments: int = 10_000,
    seed: int = 0,
) -> Simulated:
    """Simulated experiments that monitor a proportion by the pooled z test; a look without variance does not stop.

    Args:
        control: true proportion in control, 0 to 1.
        treatment: true proportion in treatment, 0 to 1.
        n_control: planned units in control, 2 or more.
        n_treatment: planned units in treatment, 2 or more.
        grid: information fractions of the looks, increasing to 1.
        plan: error rate, sides and spending.
        experiments: how many to simulate, 1 or more.
        seed: of the random numbers.

    Raises:
        InvalidInput: for a number outside its range.

    >>> plan, grid = Plan(), (0.25, 0.5, 0.75, 1.0)
    >>> found = simulate_proportions(0.1, 0.1, n_control=900, n_treatment=900, grid=grid, plan=plan)
    >>> found.above + found.below < 0.06
    True
    """
    import numpy as np

    for name, share in (("control", control), ("treatment", treatment)):
        if not 0 <= share <= 1:
            raise InvalidInput(f"{name} = {share!r} is outside [0, 1]. Give a proportion.")
    sizes, rng = _sizes(n_control, n_treatment, grid), np.random.default_rng(count("seed", seed))
    steps = np.diff(sizes, axis=0, prepend=0)
    shape = (_count(experiments), len(sizes))
    found_0 = np.cumsum(rng.binomial(steps[:, 0], control, shape), axis=1)
    found_1 = np.cumsum(rng.binomial(steps[:, 1], treatment, shape), axis=1)
    pooled = (found_0 + found_1) / sizes.sum(axis=1)
    variance = pooled * (1 - pooled) * (1 / sizes).sum(axis=1)
    gap = found_1 / sizes[:, 1] - found_0 / sizes[:, 0]
    return _simulated(np.divide(gap, np.sqrt(variance), out=np.zeros(shape), where=variance > 0), sizes, plan)


def _count(experiments: int) -> int:
    return int(at_least("experiments", experiments, 1))


def _sizes(n_control: int, n_treatment: int, grid: Sequence[float]) -> "NDArray[np.int64]":
    """Units at each look, shape (looks, 2): at least 2 a variant, and more at each look than at the one before."""
    import numpy as np

    at_least("n_control", n_control, 2)
    at_least("n_treatment", n_treatment, 2)
    points = np.asarray(boundaries(grid).times)
    sizes = np.ceil(np.outer(points, [n_control, n_treatment]) - 1e-9).astype(np.int64)
    grows = np.diff(sizes, axis=0, prepend=1).min(axis=1) > 0
    enough: NDArray[np.int64] = sizes[grows & (sizes.min(axis=1) >= 2)]
    return enough


def _cumulative_normal(
    rng: "np.random.Generator", mean: float, sd: float, sizes: "NDArray[np.int64]", experiments: int
) -> "tuple[Vector, Vector]":
    """Mean and variance (n - 1) of the first n units of each experiment, for every n in sizes."""
    import numpy as np

    steps = np.diff(sizes, prepend=0)
    shape = (experiments, len(sizes))
    totals = np.cumsum(rng.standard_normal(shape) * np.sqrt(steps), axis=1)
    squares = np.where(steps > 1, rng.chisquare(np.maximum(steps - 1, 1), shape), 0.0)
    means = totals / sizes
    before = np.concatenate([np.zeros((experiments, 1)), means[:, :-1]], axis=1)
    old = sizes - steps
    fresh = np.divide(np.diff(totals, axis=1, prepend=0.0), steps)
    m2 = np.cumsum(squares + (fresh - before) ** 2 * (old * steps / sizes), axis=1)
    return mean + sd * means, sd * sd * m2 / (sizes - 1)


def _simulated(z: "Vector", sizes: "NDArray[np.int64]", plan: Plan) -> Simulated:
    import numpy as np

    information = 1 / (1 / sizes).sum(axis=1)
    times = information / information[-1]
    found = boundaries(times.tolist(), alpha=plan.alpha, sides=plan.sides, spending=plan.spending)
    stop = first_crossing(z, found)
    ends = times[stop]
    side = np.where(stop >= 0, np.sign(z[np.arange(len(z)), stop]), 0)
    above, below = float(np.mean(side > 0)), float(np.mean(side < 0))
    return Simulated(
        above,
        below,
        float(ends.mean()),
        math.sqrt(above * (1 - above) / len(z)),
        float(ends.std()) / math.sqrt(len(z)),
        len(z),
    )
