"""Power and sample size of several treatments against one control, by Dunnett's test."""

import math

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Alternative, Sides, at_least, between, checked_sides, count, finite
from experiment_tracker_tools.stats.dunnett import dunnett_critical_value
from experiment_tracker_tools.stats.power_means import SampleSize, findable, rejection, whole_above
from experiment_tracker_tools.stats.roots import bracketed_root, upper_end


def power_dunnett(
    effect: float,
    *,
    treatments: int,
    n_control: float,
    n_treatment: float,
    sd: float = 1.0,
    alpha: float = 0.05,
    sides: Sides = 2,
) -> float:
    """The probability that Dunnett's test finds the true effect of one of several treatments.

    Args:
        effect: true difference of that treatment to the control, in the metric's unit.
        treatments: how many are compared with the control, 1 or more.
        n_control: units in control, 2 or more.
        n_treatment: units in each treatment, 2 or more.
        sd: standard deviation of a unit, the same in all variants.
        alpha: error rate of all comparisons together, in (0, 1).
        sides: 2 or 1 (an increase).

    Raises:
        InvalidInput: for a number outside its range.

    References:
        Dunnett (1955), JASA 50, 1096-1121: the critical value; the power of one comparison is the noncentral t's.

    >>> round(power_dunnett(0.5, treatments=3, n_control=64, n_treatment=64), 4)
    0.679
    """
    at_least("n_control", n_control, 2)
    at_least("n_treatment", n_treatment, 2)
    k = _several(treatments)
    df = _df(n_control, n_treatment, k)
    drift = finite("effect", effect) / (between("sd", sd, 0, math.inf) * math.sqrt(1 / n_control + 1 / n_treatment))
    critical = _critical(n_control, n_treatment, k, df=df, alpha=alpha, sides=checked_sides(sides))
    return rejection(drift, df=df, critical=critical, sides=sides)


def n_dunnett(
    effect: float,
    *,
    treatments: int,
    sd: float = 1.0,
    alpha: float = 0.05,
    power: float = 0.8,
    allocation: float = 1.0,
    sides: Sides = 2,
) -> SampleSize:
    """The units that Dunnett's test needs to find the effect of any one of several treatments.

    Args:
        effect: the smallest difference to the control worth finding; above 0 if one-sided.
        treatments: how many are compared with the control, 1 or more.
        sd: standard deviation of a unit, the same in all variants.
        alpha: error rate of all comparisons together, in (0, 1).
        power: wanted for each treatment with that effect, in (alpha, 1).
        allocation: units of each treatment per unit of control; 1 / sqrt(treatments) needs the fewest in all.
        sides: 2 or 1.

    Returns:
        Units of control, of each treatment, and the power that they reach.

    Raises:
        InvalidInput: for a number outside its range, or an effect that the test does not look for.

    References:
        As `power_dunnett`; the square-root allocation is Dunnett's (1955), section 5.

    >>> n_dunnett(0.5, treatments=3)[:2]
    (83, 83)
    """
    between("power", power, between("alpha", alpha, 0, 1), 1)
    ratio, k = between("allocation", allocation, 0, math.inf), _several(treatments)
    d = findable(effect, sides) / between("sd", sd, 0, math.inf)
    critical, n, before = _critical(1.0, ratio, k, df=math.inf, alpha=alpha, sides=sides), 0.0, -1.0
    while abs(n - before) > 1e-10 * n:
        before, n = n, _n_at(critical, d, power=power, ratio=ratio, k=k, sides=sides)
        critical = _critical(n, n * ratio, k, df=_df(n, n * ratio, k), alpha=alpha, sides=sides)
    whole = whole_above(n), whole_above(n * ratio)
    reached = power_dunnett(d, treatments=k, n_control=whole[0], n_treatment=whole[1], alpha=alpha, sides=sides)
    return SampleSize(*whole, reached)


def _n_at(critical: float, d: float, *, power: float, ratio: float, k: int, sides: Sides) -> float:
    """The units of control at which a test with this critical value has the power."""

    def missing(n: float) -> float:
        drift = d * math.sqrt(n * ratio / (1 + ratio))
        return rejection(drift, df=_df(n, n * ratio, k), critical=critical, sides=sides) - power

    fewest = max(2.0, 2.0 / ratio)
    if missing(fewest) >= 0:
        return fewest
    return bracketed_root(missing, fewest, upper_end(missing, 2 * fewest), tolerance=1e-11)


def _critical(n_control: float, n_treatment: float, k: int, *, df: float, alpha: float, sides: Sides) -> float:
    alternative: Alternative = "two_sided" if sides == 2 else "greater"
    return dunnett_critical_value(n_control, (n_treatment,) * k, df, alternative=alternative, alpha=alpha)


def _df(n_control: float, n_treatment: float, k: int) -> float:
    return n_control + k * n_treatment - k - 1


def _several(treatments: int) -> int:
    if count("treatments", treatments) < 1:
        raise InvalidInput("treatments = 0 leaves nothing to compare. Give 1 or more.")
    return int(treatments)
