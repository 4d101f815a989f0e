"""Non-inferiority and equivalence: tests against a margin, for means, lifts and proportions.

A loss is what makes treatment worse: a smaller value where larger is better, a larger one where smaller is better.
Ratios of geometric means: the tests on means, given moments of logs and the log of the margin.

References:
    Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15, 657-680. Farrington & Manning (1990), Statistics in
    Medicine 9, 1447-1454. Sasabuchi (1988), Japanese J. Applied Statistics 17 (ratio of means).
"""

import math
from typing import NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.counts import Pair, rate_difference, why_empty
from experiment_tracker_tools.stats.means import welch
from experiment_tracker_tools.stats.samples import Moments, checked_moments
from experiment_tracker_tools.stats.score import score_at_difference, score_at_ratio
from experiment_tracker_tools.stats.tails import upper_t, upper_z


class MarginTest(NamedTuple):
    """A one-sided test of H0: treatment is worse than control by the margin or more.

    Attributes:
        effect: treatment minus control (for lifts, relative to |control|); None when a variant is empty.
        statistic: t or z; above 0 when the effect is on the safe side of the margin.
        df: degrees of freedom of t; None for z.
        p_value: one-sided, 0 to 1: small means non-inferior.
        log10_p: decimal logarithm of the p-value.
        reason: why there is no p-value; None when there is one.
    """

    effect: float | None
    statistic: float | None
    df: float | None
    p_value: float | None
    log10_p: float | None
    reason: str | None = None


class EquivalenceTest(NamedTuple):
    """Two one-sided tests of H0: the effect is as large as a margin, on one side or the other.

    Attributes:
        effect: treatment minus control (for lifts, relative to |control|); None when a variant is empty.
        p_low: one-sided p-value against an effect at or below the lower margin.
        p_high: one-sided p-value against an effect at or above the upper margin.
        p_value: the larger of the two: small means equivalent.
        reason: why there is no p-value; None when there is one.
    """

    effect: float | None
    p_low: float | None
    p_high: float | None
    p_value: float | None
    reason: str | None = None


def non_inferiority_means(
    control: Moments, treatment: Moments, *, margin: float, larger_is_better: bool = True
) -> MarginTest:
    """Non-inferiority of a mean, by Welch's t against the margin.

    Args:
        control: moments of the control, 2 or more units.
        treatment: moments of the treatment, likewise.
        margin: the loss not tolerated, in the metric's unit, 0 or more; 0 tests superiority.
        larger_is_better: direction of the metric.

    Raises:
        InvalidInput: for moments that no sample has, or a negative margin.

    References:
        Wellek (2010), Testing Statistical Hypotheses of Equivalence and Noninferiority, 2.2, with Welch's variance.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> result = non_inferiority_means(moments_from_sd(50, 10.0, 2.0), moments_from_sd(50, 9.9, 2.0), margin=1.0)
    >>> round(result.p_value, 4)
    0.0133
    """
    return _means(control, treatment, -_checked_margin(margin), larger_is_better=larger_is_better)


def non_inferiority_lift(
    control: Moments, treatment: Moments, *, margin: float, larger_is_better: bool = True
) -> MarginTest:
    """Non-inferiority of a mean relative to control, by a t test of treatment - (1 -+ margin) control.

    Args:
        control: moments of the control, 2 or more units; its mean must be above 0.
        treatment: moments of the treatment, likewise 2 or more units.
        margin: the loss not tolerated as a fraction of control, 0 or more (below 1 where larger is better).
        larger_is_better: direction of the metric.

    Raises:
        InvalidInput: for moments that no sample has, or a margin out of range.

    References:
        Sasabuchi (1988); Hothorn & Hasler (2008), J. Biopharmaceutical Statistics 18, 511-528.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> result = non_inferiority_lift(moments_from_sd(50, 10.0, 2.0), moments_from_sd(50, 9.9, 2.0), margin=0.1)
    >>> round(result.p_value, 4)
    0.01
    """
    _checked_margin(margin)
    if larger_is_better and margin >= 1:
        raise InvalidInput(f"margin = {margin!r} lets treatment lose all of control. Give a fraction in [0, 1).")
    return _lift(control, treatment, -margin, larger_is_better=larger_is_better)


def non_inferiority_proportions(
    control: Pair, treatment: Pair, *, margin: float, larger_is_better: bool = True
) -> MarginTest:
    """Non-inferiority of a proportion, by Farrington and Manning's score test of the difference.

    Args:
        control: successes and n.
        treatment: successes and n.
        margin: the loss not tolerated, a difference of rates, 0 to 1 exclusive of 1.
        larger_is_better: direction of the metric.

    Raises:
        InvalidInput: for counts out of range, or a margin out of range.

    References:
        Farrington & Manning (1990), method 3 (constrained maximum likelihood).

    >>> round(non_inferiority_proportions((90, 100), (88, 100), margin=0.1).p_value, 4)
    0.0413
    """
    _checked_margin(margin)
    if margin:
        between("margin", margin, 0, 1)
    return _difference(control, treatment, -margin, larger_is_better=larger_is_better)


def non_inferiority_rate_ratio(
    control: Pair, treatment: Pair, *, ratio: float, larger_is_better: bool = True
) -> MarginTest:
    """Non-inferiority of a proportion relative to control's, by Farrington and Manning's score test of the ratio.

    Args:
        control: successes and n.
        treatment: successes and n.
        ratio: treatment's rate over control's at the margin, above 0; at most 1 where larger is better, else 1 or more.
        larger_is_better: direction of the metric.

    Raises:
        InvalidInput: for counts out of range, or a ratio on the wrong side of 1.

    References:
        Farrington & Manning (1990), section 3.

    >>> round(non_inferiority_rate_ratio((90, 100), (88, 100), ratio=0.9).p_value, 4)
    0.0582
    """
    between("ratio", ratio, 0, math.inf)
    if (ratio > 1) if larger_is_better else (ratio < 1):
        side = "at most" if larger_is_better else "at least"
        raise InvalidInput(f"ratio = {ratio!r} is not a loss here. Give a ratio of {side} 1.")
    if reason := why_empty(control, treatment):
        return MarginTest(None, None, None, None, None, reason)
    effect = rate_difference(control, treatment)
    if control[0] + treatment[0] == 0 or (ratio == 1 and control[0] + treatment[0] == control[1] + treatment[1]):
        return MarginTest(effect, None, None, None, None, "All units have the same outcome: no ratio can be tested.")
    z = score_at_ratio(control, treatment, ratio, inflated=False)
    return _z_result(effect, z if larger_is_better else -z)


def equivalence_means(control: Moments, treatment: Moments, *, low: float, high: float) -> EquivalenceTest:
    """Equivalence of two means, by two one-sided Welch tests.

    Args:
        control: moments of the control, 2 or more units.
        treatment: moments of the treatment, likewise.
        low: the largest decrease taken for equal, in the metric's unit, below 0.
        high: the largest increase taken for equal, above 0.

    Raises:
        InvalidInput: for moments that no sample has, or margins on the wrong side of 0.

    References:
        Schuirmann (1987), with Welch's variance.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> sample = moments_from_sd(100, 10.0, 2.0)
    >>> round(equivalence_means(sample, sample, low=-1.0, high=1.0).p_value, 6)
    0.000253
    """
    _checked_sides(low, high)
    return _both(_means(control, treatment, low), _means(control, treatment, -high, larger_is_better=False))


def equivalence_lift(control: Moments, treatment: Moments, *, low: float, high: float) -> EquivalenceTest:
    """Equivalence of two means relative to control, by two one-sided t tests of linear contrasts.

    Args:
        control: moments of the control, 2 or more units; its mean must be above 0.
        treatment: moments of the treatment, likewise 2 or more units.
        low: the largest decrease taken for equal, a fraction of control, -1 to 0 exclusive.
        high: the largest increase taken for equal, above 0.

    Raises:
        InvalidInput: for moments that no sample has, or margins out of range.

    References:
        Schuirmann (1987); Sasabuchi (1988).

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> sample = moments_from_sd(100, 10.0, 2.0)
    >>> equivalence_lift(sample, sample, low=-0.1, high=0.1).p_value < 0.001
    True
    """
    _checked_sides(low, high)
    between("low", low, -1, 0)
    return _both(_lift(control, treatment, low), _lift(control, treatment, -high, larger_is_better=False))


def equivalence_proportions(control: Pair, treatment: Pair, *, low: float, high: float) -> EquivalenceTest:
    """Equivalence of two proportions, by two one-sided score tests of Farrington and Manning.

    Args:
        control: successes and n.
        treatment: successes and n.
        low: the largest decrease taken for equal, -1 to 0 exclusive.
        high: the largest increase taken for equal, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or margins out of range.

    References:
        Farrington & Manning (1990); Schuirmann (1987).

    >>> round(equivalence_proportions((500, 1000), (500, 1000), low=-0.1, high=0.1).p_value, 8)
    3.48e-06
    """
    between("low", low, -1, 0)
    between("high", high, 0, 1)
    return _both(_difference(control, treatment, low), _difference(control, treatment, -high, larger_is_better=False))


def _means(control: Moments, treatment: Moments, bound: float, *, larger_is_better: bool = True) -> MarginTest:
    test = welch(control, treatment)
    if test.effect is None or test.se is None or test.df is None:
        return MarginTest(test.effect, None, None, None, None, test.reason)
    t = ((test.effect if larger_is_better else -test.effect) - bound) / test.se
    return MarginTest(test.effect, t, test.df, *upper_t(t, test.df))


def _lift(control: Moments, treatment: Moments, bound: float, *, larger_is_better: bool = True) -> MarginTest:
    """The one-sided test of treatment = (1 + bound) control, or (1 - bound) control where smaller is better."""
    checked_moments("control", control)
    if control.n and control.mean <= 0:
        return MarginTest(None, None, None, None, None, "The control's mean is not above 0: a relative margin fails.")
    ratio = 1 + bound if larger_is_better else 1 - bound
    scaled = Moments(control.n, control.mean * ratio, control.m2 * ratio * ratio)
    test = _means(scaled, treatment, 0.0, larger_is_better=larger_is_better)
    lift = treatment.mean / control.mean - 1 if control.n and treatment.n else None
    return test._replace(effect=lift)


def _difference(control: Pair, treatment: Pair, bound: float, *, larger_is_better: bool = True) -> MarginTest:
    if reason := why_empty(control, treatment):
        return MarginTest(None, None, None, None, None, reason)
    if bound == 0 and control[0] + treatment[0] in {0, control[1] + treatment[1]}:
        return MarginTest(0.0, None, None, None, None, "All units have the same outcome: there is nothing to compare.")
    if not larger_is_better:
        control, treatment = (control[1] - control[0], control[1]), (treatment[1] - treatment[0], treatment[1])
    effect = rate_difference(control, treatment)
    z = score_at_difference(control, treatment, bound, inflated=False)
    return _z_result(effect if larger_is_better else -effect, z)


def _z_result(effect: float, z: float) -> MarginTest:
    if math.isinf(z):
        return MarginTest(effect, None, None, None, None, "The margin allows no variation at these counts.")
    return MarginTest(effect, z, None, *upper_z(z))


def _both(low: MarginTest, high: MarginTest) -> EquivalenceTest:
    if low.p_value is None or high.p_value is None:
        return EquivalenceTest(low.effect, None, None, None, low.reason or high.reason)
    return EquivalenceTest(low.effect, low.p_value, high.p_value, max(low.p_value, high.p_value))


def _checked_margin(margin: float) -> float:
    if not 0 <= margin < math.inf:
        raise InvalidInput(f"margin = {margin!r} is not a finite number of 0 or more. Give the size of the loss.")
    return margin


def _checked_sides(low: float, high: float) -> None:
    between("low", low, -math.inf, 0)
    between("high", high, 0, math.inf)
