"""Power, sample size and smallest detectable effect of the t tests, by the noncentral t distribution.

Every `n` counts independent units. `allocation` is n_treatment / n_control. `variance_factor` multiplies the variance
of a unit: `design_effect(...)` for clusters, 1 - R² for covariates; their product for both. power_scales.py turns what
a plan knows into these terms: a ratio of geometric means is an effect `log_ratio(ratio)` with sd `sd_log(cv)`.

References:
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 2.
    Chow, Shao, Wang & Lokhnygina (2017), Sample Size Calculations in Clinical Research, chapter 3.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Sides, at_least, between, checked_sides, finite
from experiment_tracker_tools.stats.roots import bracketed_root, upper_end
from experiment_tracker_tools.stats.tails import t_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

FAR = -8.0  # standard errors on the wrong side: the tail is below 1e-15, and scipy's nctdtr returns NaN there


class SampleSize(NamedTuple):
    """The smallest whole numbers of units that reach a power.

    Attributes:
        n_control: units in control.
        n_treatment: units in (each) treatment.
        power: what these whole numbers reach, 0 to 1.
    """

    n_control: int
    n_treatment: int
    power: float


def power(
    effect: float,
    *,
    n_control: float,
    n_treatment: float,
    sd: float = 1.0,
    alpha: float = 0.05,
    sides: Sides = 2,
    variance_factor: float = 1.0,
) -> float:
    """The probability that a t test of two means finds a true effect.

    Args:
        effect: treatment minus control, in the unit of `sd`; a one-sided test looks for a positive one.
        n_control: units in control, 2 or more.
        n_treatment: units in treatment, 2 or more.
        sd: standard deviation of a unit, the same in both variants.
        alpha: error rate in (0, 1); for several treatments, the share of one of them.
        sides: 2 or 1.
        variance_factor: multiplies sd², above 0.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(power(0.5, n_control=64, n_treatment=64), 4)
    0.8015
    """
    at_least("n_control", n_control, 2)
    at_least("n_treatment", n_treatment, 2)
    scale = _sd(sd, variance_factor)
    return _rejection(
        finite("effect", effect) / (scale * math.sqrt(1 / n_control + 1 / n_treatment)),
        df=n_control + n_treatment - 2,
        alpha=between("alpha", alpha, 0, 1),
        sides=checked_sides(sides),
    )


def n_per_variant(
    effect: float,
    *,
    sd: float = 1.0,
    alpha: float = 0.05,
    power: float = 0.8,
    allocation: float = 1.0,
    sides: Sides = 2,
    variance_factor: float = 1.0,
) -> SampleSize:
    """The units that a t test of two means needs.

    Args:
        effect: smallest effect worth finding, in the unit of `sd`, not 0; positive if one-sided.
        sd: standard deviation of a unit, above 0.
        alpha: error rate in (0, 1); for several treatments, the share of one of them.
        power: wanted, in (alpha, 1).
        allocation: n_treatment / n_control; for k treatments against one control 1 / sqrt(k) needs the fewest units.
        sides: 2 or 1.
        variance_factor: multiplies sd², above 0.

    Raises:
        InvalidInput: for a number outside its range.

    >>> size = n_per_variant(0.5)
    >>> size.n_control, size.n_treatment, round(size.power, 4)
    (64, 64, 0.8015)
    """
    _checked(alpha, power)
    ratio = between("allocation", allocation, 0, math.inf)
    d = findable(effect, sides) / _sd(sd, variance_factor)

    def reached(n: float) -> float:
        drift = d * math.sqrt(n * ratio / (1 + ratio))
        return _rejection(drift, df=n * (1 + ratio) - 2, alpha=alpha, sides=sides)

    fewest = max(2.0, 2.0 / ratio)
    n = _smallest(reached, power, fewest)
    whole = (whole_above(n), whole_above(n * ratio))
    attained = d / math.sqrt(1 / whole[0] + 1 / whole[1])
    return SampleSize(*whole, _rejection(attained, df=sum(whole) - 2, alpha=alpha, sides=sides))


def mde(
    *,
    n_control: float,
    n_treatment: float,
    sd: float = 1.0,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Sides = 2,
    variance_factor: float = 1.0,
) -> float:
    """The smallest positive effect that a t test of two means finds with the wanted power.

    Args:
        n_control: units in control, 2 or more.
        n_treatment: units in treatment, 2 or more.
        sd: standard deviation of a unit; the effect has its unit.
        alpha: error rate in (0, 1).
        power: wanted, in (alpha, 1).
        sides: 2 or 1.
        variance_factor: multiplies sd², above 0.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(mde(n_control=10, n_treatment=10), 3)
    1.325
    """
    _checked(alpha, power)
    at_least("n_control", n_control, 2)
    at_least("n_treatment", n_treatment, 2)
    drift = _drift(power, df=n_control + n_treatment - 2, alpha=alpha, sides=checked_sides(sides))
    return drift * _sd(sd, variance_factor) * math.sqrt(1 / n_control + 1 / n_treatment)


def power_paired(
    effect: float, *, n_pairs: float, sd_of_differences: float = 1.0, alpha: float = 0.05, sides: Sides = 2
) -> float:
    """The probability that a paired t test finds a true mean difference.

    Args:
        effect: mean of treatment minus control within pairs, in the unit of `sd_of_differences`.
        n_pairs: pairs, 2 or more.
        sd_of_differences: standard deviation of the differences, above 0.
        alpha: error rate in (0, 1).
        sides: 2 or 1.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(power_paired(0.5, n_pairs=34), 4)
    0.8078
    """
    drift = finite("effect", effect) * math.sqrt(at_least("n_pairs", n_pairs, 2)) / _sd(sd_of_differences, 1)
    return _rejection(drift, df=n_pairs - 1, alpha=between("alpha", alpha, 0, 1), sides=checked_sides(sides))


def n_pairs(
    effect: float, *, sd_of_differences: float = 1.0, alpha: float = 0.05, power: float = 0.8, sides: Sides = 2
) -> int:
    """The pairs that a paired t test needs.

    Args:
        effect: smallest mean difference worth finding, not 0; positive if one-sided.
        sd_of_differences: standard deviation of the differences, above 0.
        alpha: error rate in (0, 1).
        power: wanted, in (alpha, 1).
        sides: 2 or 1.

    Raises:
        InvalidInput: for a number outside its range.

    >>> n_pairs(0.5)
    34
    """
    _checked(alpha, power)
    d = findable(effect, sides) / _sd(sd_of_differences, 1)
    return whole_above(
        _smallest(lambda n: _rejection(d * math.sqrt(n), df=n - 1, alpha=alpha, sides=sides), power, 2.0)
    )


def mde_paired(
    *, n_pairs: float, sd_of_differences: float = 1.0, alpha: float = 0.05, power: float = 0.8, sides: Sides = 2
) -> float:
    """The smallest positive mean difference that a paired t test finds with the wanted power.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(mde_paired(n_pairs=34), 4)
    0.495
    """
    _checked(alpha, power)
    drift = _drift(power, df=at_least("n_pairs", n_pairs, 2) - 1, alpha=alpha, sides=checked_sides(sides))
    return drift * _sd(sd_of_differences, 1) / math.sqrt(n_pairs)


def mde_ratio(
    *, n_control: float, n_treatment: float, sd_log: float, alpha: float = 0.05, power: float = 0.8, sides: Sides = 2
) -> float:
    """The ratio of geometric means nearest to 1, from below, that a t test of logarithms finds with the wanted power.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(mde_ratio(n_control=20, n_treatment=20, sd_log=0.6), 3)
    0.58
    """
    return math.exp(
        -mde(n_control=n_control, n_treatment=n_treatment, sd=sd_log, alpha=alpha, power=power, sides=sides)
    )


def n_noninferiority(
    margin: float,
    *,
    sd: float = 1.0,
    true_loss: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
    allocation: float = 1.0,
    variance_factor: float = 1.0,
) -> SampleSize:
    """The units that a one-sided t test needs to show that a loss is below a margin.

    Args:
        margin: the loss that would not be tolerated, in the unit of `sd`, above `true_loss`.
        sd: standard deviation of a unit, above 0.
        true_loss: the loss under which the power holds; 0 when the variants are the same.
        alpha: one-sided error rate in (0, 1).
        power: wanted, in (alpha, 1).
        allocation: n_treatment / n_control.
        variance_factor: multiplies sd², above 0.

    Raises:
        InvalidInput: if the true loss is not below the margin, or for a number outside its range.

    >>> n_noninferiority(0.25).n_control
    199
    """
    return n_per_variant(
        _room(margin, true_loss),
        sd=sd,
        alpha=alpha,
        power=power,
        allocation=allocation,
        sides=1,
        variance_factor=variance_factor,
    )


def power_noninferiority(
    margin: float,
    *,
    n_control: float,
    n_treatment: float,
    sd: float = 1.0,
    true_loss: float = 0.0,
    alpha: float = 0.05,
    variance_factor: float = 1.0,
) -> float:
    """The probability that a one-sided t test shows that a loss is below a margin.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(power_noninferiority(0.25, n_control=199, n_treatment=199), 4)
    0.8008
    """
    return power(
        _room(margin, true_loss),
        n_control=n_control,
        n_treatment=n_treatment,
        sd=sd,
        alpha=alpha,
        sides=1,
        variance_factor=variance_factor,
    )


def whole_above(n: float) -> int:
    """The next whole number, forgiving a rounding error of 1e-9.

    >>> whole_above(64.00000000001)
    64
    """
    return math.ceil(n * (1 - 1e-9))


def findable(effect: float, sides: Sides) -> float:
    """Give back the size of an effect that a test with so many sides can find.

    Raises:
        InvalidInput: for no effect, or a decrease if one-sided.

    >>> findable(-0.5, 2)
    0.5
    """
    if finite("effect", effect) == 0 or (checked_sides(sides) == 1 and effect < 0):
        wanted = "another than 0" if sides == 2 else "above 0 (a one-sided test looks for an increase)"
        raise InvalidInput(f"effect = {effect!r} cannot be found. Give the smallest effect worth finding, {wanted}.")
    return abs(effect)


def rejection(drift: float, *, df: float, critical: float, sides: Sides) -> float:
    """The probability that a t statistic with noncentrality `drift` passes a critical value (on either side, if 2).

    >>> round(rejection(2.8, df=126, critical=1.979, sides=2), 3)
    0.793
    """
    from scipy.special import nctdtr

    if sides == 1:
        return 1 - float(nctdtr(df, drift, critical)) if drift > FAR else 0.0
    drift = abs(drift)
    wrong_side = float(nctdtr(df, drift, -critical)) if drift < -FAR else 0.0
    return min(1.0, 1 - float(nctdtr(df, drift, critical)) + wrong_side)


def _rejection(drift: float, *, df: float, alpha: float, sides: Sides) -> float:
    return rejection(drift, df=df, critical=t_quantile(df, alpha, sides=sides), sides=sides)


def _drift(power: float, *, df: float, alpha: float, sides: Sides) -> float:
    def missing(drift: float) -> float:
        return _rejection(drift, df=df, alpha=alpha, sides=sides) - power

    return bracketed_root(missing, 0.0, upper_end(missing, 4.0))


def _smallest(reached: "Callable[[float], float]", power: float, fewest: float) -> float:
    if reached(fewest) >= power:
        return fewest

    def missing(n: float) -> float:
        return reached(n) - power

    return bracketed_root(missing, fewest, upper_end(missing, 2 * fewest), tolerance=1e-10)


def _checked(alpha: float, power: float) -> None:
    between("power", power, between("alpha", alpha, 0, 1), 1)


def _sd(sd: float, variance_factor: float) -> float:
    factor = between("variance_factor", variance_factor, 0, math.inf)
    return between("sd", sd, 0, math.inf) * math.sqrt(factor)


def _room(margin: float, true_loss: float) -> float:
    if not finite("margin", margin) > finite("true_loss", true_loss):
        raise InvalidInput(f"margin = {margin!r} is not above true_loss = {true_loss!r}. Give a larger margin.")
    return margin - true_loss
