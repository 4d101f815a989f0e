"""Intervals of the difference and of the ratio of two proportions.

A sample is a pair (successes, n); the difference is treatment minus control, the ratio treatment over control.

References:
    Newcombe (1998), Statistics in Medicine 17, 873-890. Fagerland, Lydersen & Laake (2015), Recommended confidence
    intervals for two independent binomial proportions, Statistical Methods in Medical Research 24, 224-254.
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.counts import Pair, rate_difference, why_empty
from experiment_tracker_tools.stats.score import crossing, score_at_difference, score_at_ratio
from experiment_tracker_tools.stats.single_proportion import wilson_limits
from experiment_tracker_tools.stats.tails import z_quantile


class DifferenceInterval(NamedTuple):
    """A difference of proportions and its interval, -1 to 1.

    Attributes:
        effect: treatment's rate minus control's; None when a sample is empty.
        ci_low: lower end of the two-sided 1 - alpha interval.
        ci_high: its upper end.
        reason: why there is no interval; None when there is one.
    """

    effect: float | None
    ci_low: float | None
    ci_high: float | None
    reason: str | None = None


class RatioInterval(NamedTuple):
    """A ratio of proportions and its interval, 0 and up.

    Attributes:
        ratio: treatment's rate over control's; None when control has no success.
        ci_low: lower end of the two-sided 1 - alpha interval.
        ci_high: its upper end; None when the data allow any ratio.
        reason: why something is missing; None when nothing is.
    """

    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    reason: str | None = None


def _empty(control: Pair, treatment: Pair, alpha: float) -> str | None:
    between("alpha", alpha, 0, 1)
    return why_empty(control, treatment)


def newcombe(control: Pair, treatment: Pair, *, alpha: float = 0.05) -> DifferenceInterval:
    """Newcombe's hybrid score interval of the difference (method 10).

    Args:
        control: successes and n.
        treatment: successes and n.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Newcombe (1998), method 10.

    >>> result = newcombe((48, 80), (56, 70))
    >>> f"[{result.ci_low:.4f}, {result.ci_high:.4f}]"
    '[0.0524, 0.3339]'
    """
    if reason := _empty(control, treatment, alpha):
        return DifferenceInterval(None, None, None, reason)
    effect, z = rate_difference(control, treatment), z_quantile(alpha)
    (low0, high0), (low1, high1) = wilson_limits(*control, z), wilson_limits(*treatment, z)
    p0, p1 = control[0] / control[1], treatment[0] / treatment[1]
    return DifferenceInterval(
        effect, effect - math.hypot(p1 - low1, high0 - p0), effect + math.hypot(high1 - p1, p0 - low0)
    )


def miettinen_nurminen(control: Pair, treatment: Pair, *, alpha: float = 0.05) -> DifferenceInterval:
    """The asymptotic score interval of the difference, by inverting the score test.

    Args:
        control: successes and n.
        treatment: successes and n.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Miettinen & Nurminen (1985), Statistics in Medicine 4, 213-226, equations (8) and (9).

    >>> result = miettinen_nurminen((48, 80), (56, 70))
    >>> f"[{result.ci_low:.4f}, {result.ci_high:.4f}]"
    '[0.0528, 0.3382]'
    """
    if reason := _empty(control, treatment, alpha):
        return DifferenceInterval(None, None, None, reason)
    effect, z = rate_difference(control, treatment), z_quantile(alpha)

    def score(difference: float) -> float:
        return score_at_difference(control, treatment, difference)

    return DifferenceInterval(effect, crossing(score, z, -1.0, effect), crossing(score, -z, effect, 1.0))


def agresti_caffo(control: Pair, treatment: Pair, *, alpha: float = 0.05) -> DifferenceInterval:
    """The Wald interval of the difference after one success and one failure are added to each sample.

    Args:
        control: successes and n.
        treatment: successes and n.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Agresti & Caffo (2000), The American Statistician 54, 280-288.

    >>> result = agresti_caffo((48, 80), (56, 70))
    >>> f"[{result.ci_low:.4f}, {result.ci_high:.4f}]"
    '[0.0525, 0.3358]'
    """
    if reason := _empty(control, treatment, alpha):
        return DifferenceInterval(None, None, None, reason)
    (x0, n0), (x1, n1) = control, treatment
    shifted = wald((x0 + 1, n0 + 2), (x1 + 1, n1 + 2), alpha=alpha)
    low = None if shifted.ci_low is None else max(shifted.ci_low, -1.0)
    high = None if shifted.ci_high is None else min(shifted.ci_high, 1.0)
    return DifferenceInterval(rate_difference(control, treatment), low, high)


def wald(control: Pair, treatment: Pair, *, alpha: float = 0.05) -> DifferenceInterval:
    """The Wald interval of the difference; for comparison only, it covers too little for small n or rare events.

    Args:
        control: successes and n.
        treatment: successes and n.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Newcombe (1998), method 1.

    >>> result = wald((48, 80), (56, 70))
    >>> f"[{result.ci_low:.4f}, {result.ci_high:.4f}]"
    '[0.0575, 0.3425]'
    """
    if reason := _empty(control, treatment, alpha):
        return DifferenceInterval(None, None, None, reason)
    (x0, n0), (x1, n1) = control, treatment
    effect = rate_difference(control, treatment)
    variance = x0 * (n0 - x0) / n0**3 + x1 * (n1 - x1) / n1**3
    if variance == 0:
        reason = "Both rates are 0 or 1: the Wald interval has no width. Use Newcombe or Miettinen-Nurminen."
        return DifferenceInterval(effect, None, None, reason)
    margin = z_quantile(alpha) * math.sqrt(variance)
    return DifferenceInterval(effect, effect - margin, effect + margin)


def katz_ratio(control: Pair, treatment: Pair, *, alpha: float = 0.05) -> RatioInterval:
    """The ratio of the rates with the interval of Katz on its log; needs successes in both samples.

    Args:
        control: successes and n.
        treatment: successes and n.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Katz, Baptista, Azen & Pike (1978), Biometrics 34, 469-474.

    >>> result = katz_ratio((29, 2000), (24, 1000))
    >>> f"{result.ratio:.2f} [{result.ci_low:.2f}, {result.ci_high:.2f}]"
    '1.66 [0.97, 2.83]'
    """
    if reason := _empty(control, treatment, alpha):
        return RatioInterval(None, None, None, reason)
    (x0, n0), (x1, n1) = control, treatment
    if x0 == 0 or x1 == 0:
        reason = "A variant has no success: the log ratio has no standard error. Use score_ratio."
        return RatioInterval(0.0 if x0 else None, None, None, reason)
    if x0 == n0 and x1 == n1:
        return RatioInterval(1.0, None, None, "Both rates are 1: this interval has no width. Use score_ratio.")
    ratio = x1 * n0 / (x0 * n1)
    factor = math.exp(z_quantile(alpha) * math.sqrt((n1 - x1) / (x1 * n1) + (n0 - x0) / (x0 * n0)))
    return RatioInterval(ratio, ratio / factor, ratio * factor)


def score_ratio(control: Pair, treatment: Pair, *, alpha: float = 0.05) -> RatioInterval:
    """The ratio of the rates with its asymptotic score interval, by inverting the score test.

    Args:
        control: successes and n.
        treatment: successes and n.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Miettinen & Nurminen (1985), equation (10).

    >>> result = score_ratio((0, 10), (5, 10))
    >>> (result.ratio, round(result.ci_low, 2), result.ci_high)
    (None, 1.56, None)
    """
    if reason := _empty(control, treatment, alpha):
        return RatioInterval(None, None, None, reason)
    (x0, n0), (x1, n1) = control, treatment
    if x0 + x1 == 0:
        return RatioInterval(None, None, None, "No unit succeeded in either variant: any ratio fits.")
    z = z_quantile(alpha)

    def score(fraction: float) -> float:
        return score_at_ratio(control, treatment, fraction / (1 - fraction))

    def ratio_at(fraction: float) -> float:
        return fraction / (1 - fraction)

    nearest = x1 * n0 / (x1 * n0 + x0 * n1)
    low = ratio_at(crossing(score, z, 1e-12, min(nearest, 1 - 1e-12))) if x1 else 0.0
    if x0 == 0:
        return RatioInterval(None, low, None, "The control has no success: the ratio has no upper bound.")
    return RatioInterval(x1 * n0 / (x0 * n1), low, ratio_at(crossing(score, -z, max(nearest, 1e-12), 1 - 1e-12)))
