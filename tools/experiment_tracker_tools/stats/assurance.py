"""Planning with a prior for the effect: the chance of success, and what a wrong choice would cost.

References:
    O'Hagan, Stevens & Campbell (2005), Pharmaceutical Statistics 4(3), 187-201 (assurance).
    Raiffa & Schlaifer (1961), Applied Statistical Decision Theory, chapter 5 (expected opportunity loss).
"""

import math

from experiment_tracker_tools.stats.bayes_normal import Normal, unit_loss
from experiment_tracker_tools.stats.checks import Sides, at_least, between, checked_sides, finite
from experiment_tracker_tools.stats.power_means import SampleSize, whole_above
from experiment_tracker_tools.stats.quadrature import even_panels
from experiment_tracker_tools.stats.roots import bracketed_root, upper_end
from experiment_tracker_tools.stats.tails import z_quantile


def assurance(
    prior: Normal, *, n_control: float, n_treatment: float, sd: float = 1.0, alpha: float = 0.05, sides: Sides = 2
) -> float:
    """The probability, over the prior, that the test finds treatment better.

    Args:
        prior: of the effect, in the unit of `sd`.
        n_control: units in control, 1 or more.
        n_treatment: units in treatment, 1 or more.
        sd: standard deviation of a unit, above 0.
        alpha: error rate of the test in (0, 1).
        sides: of the test; only a positive finding counts.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(assurance(Normal(0.5, 0.2), n_control=64, n_treatment=64), 4)
    0.7174
    """
    from scipy.special import ndtr

    mean, spread = _checked(prior)
    se = _se(n_control, n_treatment, sd)
    z = z_quantile(between("alpha", alpha, 0, 1), sides=checked_sides(sides))
    return float(ndtr((mean - z * se) / math.hypot(se, spread)))


def n_for_assurance(
    prior: Normal,
    *,
    assurance: float = 0.8,
    sd: float = 1.0,
    alpha: float = 0.05,
    allocation: float = 1.0,
    sides: Sides = 2,
) -> SampleSize | None:
    """The units that reach an assurance; None where no number does, as it stays below the prior chance of an effect.

    Args:
        prior: of the effect, in the unit of `sd`.
        assurance: wanted, in (0, 1).
        sd: standard deviation of a unit, above 0.
        alpha: error rate of the test in (0, 1).
        allocation: n_treatment / n_control.
        sides: of the test.

    Returns:
        The size, whose `power` is the assurance that it reaches.

    Raises:
        InvalidInput: for a number outside its range.

    >>> n_for_assurance(Normal(0.5, 0.2)).n_control
    92
    """
    from scipy.special import ndtr

    mean, spread = _checked(prior)
    between("assurance", assurance, 0, 1)
    ratio = between("allocation", allocation, 0, math.inf)
    z = z_quantile(between("alpha", alpha, 0, 1), sides=checked_sides(sides))
    unit = between("sd", sd, 0, math.inf) * math.sqrt(1 + 1 / ratio)
    if float(ndtr(mean / spread)) <= assurance:
        return None

    def missing(n: float) -> float:
        se = unit / math.sqrt(n)
        return float(ndtr((mean - z * se) / math.hypot(se, spread))) - assurance

    n = 1.0 if missing(1.0) >= 0 else bracketed_root(missing, 1.0, upper_end(missing, 2.0), tolerance=1e-10)
    whole = whole_above(n), whole_above(n * ratio)
    se = _se(*whole, sd)
    return SampleSize(*whole, float(ndtr((mean - z * se) / math.hypot(se, spread))))


def expected_loss(prior: Normal, *, n_control: float, n_treatment: float, sd: float = 1.0) -> float:
    """What choosing the variant with the better posterior mean is expected to cost against knowing the truth.

    Args:
        prior: of the effect; the loss has its unit, per unit that later gets the chosen variant.
        n_control: units in control, 1 or more.
        n_treatment: units in treatment, 1 or more.
        sd: standard deviation of a unit, above 0.

    Raises:
        InvalidInput: for a number outside its range.

    >>> round(expected_loss(Normal(0.0, 0.2), n_control=100, n_treatment=100), 4)
    0.0146
    """
    mean, spread = _checked(prior)
    learned = spread * spread / math.hypot(spread, _se(n_control, n_treatment, sd))
    return _positive_part(mean, spread) - _positive_part(mean, learned)


def n_for_expected_loss(prior: Normal, *, loss: float, sd: float = 1.0, allocation: float = 1.0) -> SampleSize:
    """The units that bring the expected loss of the choice down to a tolerated one.

    Args:
        prior: of the effect.
        loss: tolerated, above 0, in the unit of the effect.
        sd: standard deviation of a unit, above 0.
        allocation: n_treatment / n_control.

    Returns:
        The size; its `power` is the prior probability of choosing the better variant with it.

    Raises:
        InvalidInput: for a number outside its range.

    >>> n_for_expected_loss(Normal(0.0, 0.2), loss=0.01).n_control
    163
    """
    _checked(prior)
    between("loss", loss, 0, math.inf)
    ratio = between("allocation", allocation, 0, math.inf)

    def spared(n: float) -> float:
        return loss - expected_loss(prior, n_control=n, n_treatment=max(1.0, n * ratio), sd=sd)

    n = 1.0 if spared(1.0) >= 0 else bracketed_root(spared, 1.0, upper_end(spared, 2.0), tolerance=1e-10)
    whole = whole_above(n), whole_above(max(1.0, n * ratio))
    return SampleSize(*whole, _right_choice(prior, _se(*whole, sd)))


def _right_choice(prior: Normal, se: float) -> float:
    """P(sign of the posterior mean = sign of the effect), by quadrature over the prior."""
    import numpy as np
    from scipy.special import ndtr

    threshold, total = -prior.mean * (se / prior.sd) ** 2, 0.0
    for low, high in ((prior.mean - 8.5 * prior.sd, 0.0), (0.0, prior.mean + 8.5 * prior.sd)):
        effects, weights = even_panels(low, high, width=7 * min(se, prior.sd))
        density = np.exp(-0.5 * ((effects - prior.mean) / prior.sd) ** 2)
        right = ndtr((effects - threshold) / se) if low == 0 else ndtr((threshold - effects) / se)
        total += float(weights @ (density * right))
    return total / (prior.sd * math.sqrt(2 * math.pi))


def _positive_part(mean: float, sd: float) -> float:
    """E[max(X, 0)] of X normal."""
    return sd * unit_loss(-mean / sd)


def _checked(prior: Normal) -> Normal:
    return Normal(finite("prior mean", prior.mean), between("prior sd", prior.sd, 0, math.inf))


def _se(n_control: float, n_treatment: float, sd: float) -> float:
    at_least("n_control", n_control, 1)
    at_least("n_treatment", n_treatment, 1)
    return between("sd", sd, 0, math.inf) * math.sqrt(1 / n_control + 1 / n_treatment)
