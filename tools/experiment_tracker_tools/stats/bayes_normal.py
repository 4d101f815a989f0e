"""The posterior of one effect from its estimate and standard error, and how far the prior decides it.

Positive effects are better: negate the estimate of a metric that is to fall. Works on any scale on which the estimate
is about normal: a difference, a log ratio, a lift.

References:
    Spiegelhalter, Freedman & Parmar (1994), JRSS A 157, 357-416 (sceptical priors). Matthews (2001), J. Statist. Plan.
    Inference 94, 43-58, and Held (2020), JRSS A 183, 431-448 (the tipping prior). Kruschke (2018), AMPPS 1, 270-280.
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import between, finite
from experiment_tracker_tools.stats.tails import z_quantile


class Normal(NamedTuple):
    """A normal distribution of an effect, prior or posterior, in the effect's unit.

    Attributes:
        mean: its mean.
        sd: its standard deviation, above 0; infinite for the flat prior.
    """

    mean: float
    sd: float


FLAT = Normal(0.0, math.inf)


class EffectPosterior(NamedTuple):
    """What a posterior says of an effect.

    Attributes:
        mean: posterior mean, in the effect's unit.
        sd: posterior standard deviation.
        p_better: posterior probability that the effect is above 0.
        loss_treatment: expected loss, in the effect's unit, of choosing the treatment: E[max(-effect, 0)].
        loss_control: expected loss of choosing the control: E[max(effect, 0)].
        ci_low: lower end of the equal-tailed 1 - alpha credible interval.
        ci_high: its upper end.
    """

    mean: float
    sd: float
    p_better: float
    loss_treatment: float
    loss_control: float
    ci_low: float
    ci_high: float


class Rope(NamedTuple):
    """Posterior probabilities around a region of practical equivalence.

    Attributes:
        below: probability that the effect is below the region.
        inside: probability that it is inside.
        above: probability that it is above.
    """

    below: float
    inside: float
    above: float


class PriorSensitivity(NamedTuple):
    """The same data under three priors.

    Attributes:
        flat: posterior under the flat prior.
        stated: posterior under the prior of the plan.
        sceptical: posterior under the sceptical prior.
        tipping_sd: sd of the prior around 0 that just takes the posterior to `conclusive`: whoever holds effects to
            be smaller than this is not convinced; None when no prior, or every prior, is convinced.
        reason: why there is no tipping sd; None when there is one.
    """

    flat: EffectPosterior
    stated: EffectPosterior
    sceptical: EffectPosterior
    tipping_sd: float | None
    reason: str | None = None


def normal_posterior(estimate: float, se: float, *, prior: Normal = FLAT) -> Normal:
    """The posterior of an effect with a normal prior: precisions add, means are weighted by them.

    Args:
        estimate: the effect as measured, finite.
        se: its standard error, above 0.
        prior: what was believed of the effect, in its unit; flat by default.

    Raises:
        InvalidInput: if a number is not finite, or a standard deviation is not above 0.

    >>> posterior = normal_posterior(2.0, 1.0, prior=Normal(0.0, 1.0))
    >>> round(posterior.mean, 9), round(posterior.sd, 9)
    (1.0, 0.707106781)
    """
    finite("estimate", estimate)
    between("se", se, 0, math.inf)
    _checked("prior", prior)
    if math.isinf(prior.sd):
        return Normal(float(estimate), float(se))
    total = math.hypot(se, prior.sd)
    weight = (prior.sd / total) ** 2
    return Normal(weight * estimate + (se / total) ** 2 * prior.mean, prior.sd / total * se)


def describe_effect(posterior: Normal, *, alpha: float = 0.05) -> EffectPosterior:
    """P(better), expected losses and credible interval of a normal posterior.

    Args:
        posterior: distribution of the effect.
        alpha: 1 - the credibility of the interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for a distribution that is not proper, or alpha outside (0, 1).

    >>> result = describe_effect(Normal(1.0, 1.0))
    >>> f"{result.p_better:.4f} {result.loss_treatment:.4f} {result.loss_control:.4f}"
    '0.8413 0.0833 1.0833'
    """
    from scipy.special import ndtr

    mean, sd = _checked("posterior", posterior)
    between("posterior sd", sd, 0, math.inf)
    margin = z_quantile(between("alpha", alpha, 0, 1)) * sd
    z = mean / sd
    return EffectPosterior(
        mean, sd, float(ndtr(z)), sd * unit_loss(z), sd * unit_loss(-z), mean - margin, mean + margin
    )


def region_of_equivalence(posterior: Normal, *, low: float, high: float) -> Rope:
    """How much of a posterior lies below, inside and above a region that is as good as no effect.

    Args:
        posterior: distribution of the effect.
        low: lower end of the region, in the effect's unit; usually minus the margin.
        high: upper end, above `low`.

    Raises:
        InvalidInput: for ends that are not finite or not in order, or a distribution that is not proper.

    >>> inside = region_of_equivalence(Normal(0.0, 1.0), low=-1.0, high=1.0).inside
    >>> f"{inside:.4f}"
    '0.6827'
    """
    from scipy.special import ndtr

    mean, sd = _checked("posterior", posterior)
    between("posterior sd", sd, 0, math.inf)
    between("low", finite("low", low), -math.inf, finite("high", high))
    lower, upper = (low - mean) / sd, (high - mean) / sd
    inside = ndtr(-lower) - ndtr(-upper) if lower > 0 else ndtr(upper) - ndtr(lower)
    return Rope(float(ndtr(lower)), float(inside), float(ndtr(-upper)))


def sceptical_prior(mde: float, *, probability: float = 0.05) -> Normal:
    """The prior of somebody who gives an effect of the planned size only a small probability.

    Args:
        mde: size of the effect that the plan hopes for, not 0; its sign does not matter.
        probability: prior probability of an effect beyond the mde in the hoped direction, 0 to 0.5 exclusive.

    Raises:
        InvalidInput: for an mde of 0, or a probability outside (0, 0.5).

    >>> round(sceptical_prior(0.1).sd, 4)
    0.0608
    """
    between("the size of the mde", abs(finite("mde", mde)), 0, math.inf)
    return Normal(0.0, abs(mde) / z_quantile(between("probability", probability, 0, 0.5), sides=1))


def prior_sensitivity(
    estimate: float, se: float, *, stated: Normal, sceptical: Normal, alpha: float = 0.05, conclusive: float = 0.95
) -> PriorSensitivity:
    """The posterior under the flat, the stated and the sceptical prior, and the prior at which the answer tips.

    Args:
        estimate: the effect as measured, finite.
        se: its standard error, above 0.
        stated: prior of the plan.
        sceptical: prior of a sceptic, as `sceptical_prior` makes.
        alpha: 1 - the credibility of the intervals.
        conclusive: posterior probability of the direction that counts as decided, 0.5 to 1 exclusive.

    Raises:
        InvalidInput: for numbers out of these ranges.

    References:
        Held (2020), JRSS A 183, 431-448: sd² / se² = 1 / (z² / z_c² - 1).

    >>> result = prior_sensitivity(3.0, 1.0, stated=Normal(0.0, 2.0), sceptical=Normal(0.0, 0.5))
    >>> round(result.tipping_sd, 4), round(result.sceptical.p_better, 4)
    (0.6556, 0.9101)
    """
    priors = (FLAT, stated, sceptical)
    flat, planned, doubted = (
        describe_effect(normal_posterior(estimate, se, prior=prior), alpha=alpha) for prior in priors
    )
    tipping = _tipping_sd(estimate, se, between("conclusive", conclusive, 0.5, 1))
    reason = None
    if tipping is None:
        reason = (
            f"Even the flat prior gives the direction a probability below {conclusive:g}: no prior around 0 tips it."
        )
    return PriorSensitivity(flat, planned, doubted, tipping, reason)


def _tipping_sd(estimate: float, se: float, conclusive: float) -> float | None:
    from scipy.special import ndtri

    needed = float(ndtri(conclusive))
    z = abs(estimate) / se
    if z <= needed:
        return None
    return se * needed / math.sqrt((z - needed) * (z + needed))


def unit_loss(z: float) -> float:
    """E[max(-X, 0)] of X normal with mean z and sd 1, without cancellation in the tail.

    >>> round(unit_loss(0.0), 6)
    0.398942
    """
    from scipy.special import erfcx, ndtr

    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    if z > 0:
        return density * max(1 - z * math.sqrt(math.pi / 2) * float(erfcx(z / math.sqrt(2))), 0.0)
    return density - z * float(ndtr(-z))


def _checked(name: str, distribution: Normal) -> Normal:
    finite(f"{name} mean", distribution.mean)
    if not distribution.sd > 0:
        raise InvalidInput(f"{name} sd = {distribution.sd!r} is not above 0. Give a positive standard deviation.")
    return distribution
