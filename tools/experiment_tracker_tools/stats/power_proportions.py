"""Power, sample size and smallest detectable difference of two proportions, for large planned counts.

The default is the z test whose standard error under the null hypothesis is pooled (Fleiss); `arcsine` is Cohen's h.
Small planned counts are analysed by an exact test, for which these figures are a little too hopeful.

References:
    Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, section 4.4, equation 4.14 without its
    continuity correction, for unequal sizes equation 4.19.
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences, chapter 6.
    Chow, Shao, Wang & Lokhnygina (2017), Sample Size Calculations in Clinical Research, section 4.2 (non-inferiority).
"""

import math
from typing import Literal

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Sides, at_least, between, checked_sides, finite
from experiment_tracker_tools.stats.power_means import SampleSize, whole_above
from experiment_tracker_tools.stats.roots import bracketed_root
from experiment_tracker_tools.stats.tails import z_quantile

Method = Literal["pooled", "arcsine"]
NEGLIGIBLE = 1e-9


def power(
    control: float,
    treatment: float,
    *,
    n_control: float,
    n_treatment: float,
    alpha: float = 0.05,
    sides: Sides = 2,
    method: Method = "pooled",
    variance_factor: float = 1.0,
) -> float:
    """The probability that a z test finds the difference of two true proportions.

    Args:
        control: true proportion in control, in (0, 1).
        treatment: true proportion in treatment, in (0, 1); a one-sided test looks for an increase.
        n_control: units in control, 1 or more.
        n_treatment: units in treatment, 1 or more.
        alpha: error rate in (0, 1).
        sides: 2 or 1.
        method: "pooled" (Fleiss) or "arcsine" (Cohen's h).
        variance_factor: multiplies the variance of a unit, such as a design effect.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(power(0.10, 0.12, n_control=3841, n_treatment=3841), 4)
    0.8
    """
    at_least("n_control", n_control, 1)
    at_least("n_treatment", n_treatment, 1)
    scales = _scales(control, treatment, n_treatment / n_control, method, variance_factor)
    return _rejection(scales, n_control, between("alpha", alpha, 0, 1), sides)


def n_per_variant(
    control: float,
    treatment: float,
    *,
    alpha: float = 0.05,
    power: float = 0.8,
    allocation: float = 1.0,
    sides: Sides = 2,
    method: Method = "pooled",
    variance_factor: float = 1.0,
) -> SampleSize:
    """The units that a z test of two proportions needs.

    Args:
        control: proportion expected in control, in (0, 1).
        treatment: the proportion worth finding, in (0, 1), another than `control`; above it if one-sided.
        alpha: error rate in (0, 1).
        power: wanted, in (alpha, 1).
        allocation: n_treatment / n_control.
        sides: 2 or 1.
        method: "pooled" (Fleiss) or "arcsine" (Cohen's h).
        variance_factor: multiplies the variance of a unit, such as a design effect.

    Raises:
        InvalidInput: for a number outside its range, or two equal proportions.

    References:
        Fleiss, Levin & Paik (2003), equation 4.14, without its continuity correction; a two-sided test's small chance
        of rejecting on the wrong side counts, as it does in `power`.

    >>> n_per_variant(0.10, 0.12)[:2]
    (3841, 3841)
    """
    from scipy.special import ndtri

    between("power", power, between("alpha", alpha, 0, 1), 1)
    null_sd, true_sd, effect = _scales(control, treatment, allocation, method, variance_factor)
    if effect == 0 or (checked_sides(sides) == 1 and effect < 0):
        raise InvalidInput(
            f"treatment = {treatment!r} against control = {control!r} cannot be found with sides = {sides}. "
            "Give the nearest proportion worth finding; a one-sided test looks for an increase."
        )
    z = float(ndtri(power)) * true_sd + z_quantile(alpha, sides=sides) * null_sd
    published = (z / effect) ** 2
    n = published if sides == 1 else _smallest((null_sd, true_sd, effect), published, alpha, power)
    while True:
        whole = (whole_above(n), whole_above(n * allocation))
        scales = _scales(control, treatment, whole[1] / whole[0], method, variance_factor)
        size = SampleSize(*whole, _rejection(scales, whole[0], alpha, sides))
        if size.power >= power - NEGLIGIBLE:
            return size
        n = whole[0] + 1


def mde(
    control: float,
    *,
    n_control: float,
    n_treatment: float,
    alpha: float = 0.05,
    power: float = 0.8,
    sides: Sides = 2,
    direction: Literal["increase", "decrease"] = "increase",
    method: Method = "pooled",
    variance_factor: float = 1.0,
) -> float | None:
    """The smallest difference from a proportion that a z test finds; None if no proportion is far enough away.

    Args:
        control: proportion expected in control, in (0, 1).
        n_control: units in control, 1 or more.
        n_treatment: units in treatment, 1 or more.
        alpha: error rate in (0, 1).
        power: wanted, in (alpha, 1).
        sides: 2 or 1.
        direction: "increase" or "decrease"; the result is positive or negative.
        method: "pooled" (Fleiss) or "arcsine" (Cohen's h).
        variance_factor: multiplies the variance of a unit, such as a design effect.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(mde(0.10, n_control=3841, n_treatment=3841), 4)
    0.02
    """
    between("power", power, between("alpha", alpha, 0, 1), 1)
    base, sign = (control, 1) if direction == "increase" else (1 - control, -1)

    at_least("n_control", n_control, 1)
    at_least("n_treatment", n_treatment, 1)

    def missing(difference: float) -> float:
        scales = _scales(base, base + difference, n_treatment / n_control, method, variance_factor)
        return _rejection(scales, n_control, alpha, sides) - power

    furthest = (1 - between("control", base, 0, 1)) * (1 - 1e-9)
    return None if missing(furthest) < 0 else sign * bracketed_root(missing, 0.0, furthest)


def n_noninferiority(
    control: float,
    margin: float,
    *,
    true_loss: float = 0.0,
    alpha: float = 0.05,
    power: float = 0.8,
    allocation: float = 1.0,
    variance_factor: float = 1.0,
) -> SampleSize:
    """The units that a one-sided z test (unpooled) needs to show that a loss of proportion is below a margin.

    Args:
        control: proportion expected in control, in (0, 1).
        margin: the loss (control minus treatment) that would not be tolerated, above `true_loss`.
        true_loss: the loss under which the power holds.
        alpha: one-sided error rate in (0, 1).
        power: wanted, in (alpha, 1).
        allocation: n_treatment / n_control.
        variance_factor: multiplies the variance of a unit, such as a design effect.

    Raises:
        InvalidInput: if the true loss is not below the margin, or for a number outside its range.

    >>> n_noninferiority(0.65, 0.05, alpha=0.05, power=0.8)[:2]
    (1126, 1126)
    """
    from scipy.special import ndtr, ndtri

    between("power", power, between("alpha", alpha, 0, 1), 1)
    room, sd = _noninferiority(control, margin, true_loss, allocation, variance_factor)
    n = ((float(ndtri(power)) + z_quantile(alpha, sides=1)) * sd / room) ** 2
    whole = (whole_above(n), whole_above(n * allocation))
    room, sd = _noninferiority(control, margin, true_loss, whole[1] / whole[0], variance_factor)
    return SampleSize(*whole, float(ndtr(room * math.sqrt(whole[0]) / sd - z_quantile(alpha, sides=1))))


def power_noninferiority(
    control: float,
    margin: float,
    *,
    n_control: float,
    n_treatment: float,
    true_loss: float = 0.0,
    alpha: float = 0.05,
    variance_factor: float = 1.0,
) -> float:
    """The probability that a one-sided z test (unpooled) shows that a loss of proportion is below a margin.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(power_noninferiority(0.65, 0.05, n_control=1126, n_treatment=1126), 4)
    0.8002
    """
    from scipy.special import ndtr

    at_least("n_control", n_control, 1)
    at_least("n_treatment", n_treatment, 1)
    room, sd = _noninferiority(control, margin, true_loss, n_treatment / n_control, variance_factor)
    return float(ndtr(room * math.sqrt(n_control) / sd - z_quantile(between("alpha", alpha, 0, 1), sides=1)))


def _noninferiority(
    control: float, margin: float, true_loss: float, allocation: float, variance_factor: float
) -> tuple[float, float]:
    if not finite("margin", margin) > finite("true_loss", true_loss):
        raise InvalidInput(f"margin = {margin!r} is not above true_loss = {true_loss!r}. Give a larger margin.")
    _, sd, _ = _scales(control, control - true_loss, allocation, "pooled", variance_factor)
    return margin - true_loss, sd


def _scales(
    control: float, treatment: float, allocation: float, method: Method, variance_factor: float
) -> tuple[float, float, float]:
    """Standard deviations under the null and the truth, and the effect, all per square root of a unit in control."""
    p, q, ratio = between("control", control, 0, 1), between("treatment", treatment, 0, 1), allocation
    between("allocation", ratio, 0, math.inf)
    factor = between("variance_factor", variance_factor, 0, math.inf)
    if method == "arcsine":
        sd = math.sqrt(factor * (1 + 1 / ratio))
        return sd, sd, 2 * (math.asin(math.sqrt(q)) - math.asin(math.sqrt(p)))
    if method != "pooled":
        raise InvalidInput(f"method = {method!r} is unknown. Give 'pooled' or 'arcsine'.")
    pooled = (p + ratio * q) / (1 + ratio)
    null_sd = math.sqrt(factor * pooled * (1 - pooled) * (1 + 1 / ratio))
    return null_sd, math.sqrt(factor * (p * (1 - p) + q * (1 - q) / ratio)), q - p


def _smallest(scales: tuple[float, float, float], published: float, alpha: float, power: float) -> float:
    """The n at which both sides together reach the power; the published formula counts one and so is never below."""

    def missing(n: float) -> float:
        return _rejection(scales, n, alpha, 2) - power

    fewest = published / 2
    bracketed = missing(fewest) < 0 < missing(published)
    return bracketed_root(missing, fewest, published, tolerance=1e-12) if bracketed else published


def _rejection(scales: tuple[float, float, float], n_control: float, alpha: float, sides: Sides) -> float:
    from scipy.special import ndtr

    null_sd, true_sd, effect = scales
    critical = z_quantile(alpha, sides=checked_sides(sides)) * null_sd
    drift = effect * math.sqrt(n_control)
    right = float(ndtr((drift - critical) / true_sd))
    return right + float(ndtr((-drift - critical) / true_sd)) if sides == 2 else right
