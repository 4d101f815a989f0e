"""Effect sizes without a unit: standardised differences of means, dominance of one sample, arcsine difference.

References:
    Hedges (1981), J. Educational Statistics 6, 107-128. Cohen (1988), Statistical Power Analysis, 2nd edition.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.arrays import vector
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.counts import checked_pair
from experiment_tracker_tools.stats.noncentral_t import noncentrality_limits
from experiment_tracker_tools.stats.ranks import doubled_placements
from experiment_tracker_tools.stats.samples import Moments, checked_moments
from experiment_tracker_tools.stats.tails import z_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class EffectSize(NamedTuple):
    """An effect size and its interval; above 0 when treatment is larger.

    Attributes:
        estimate: the effect size, without unit; None when it is undefined.
        ci_low: lower end of the two-sided 1 - alpha interval; None where there is none.
        ci_high: its upper end.
        reason: why something is missing; None when nothing is.
    """

    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    reason: str | None = None


class Dominance(NamedTuple):
    """How often a treatment unit exceeds a control unit.

    Attributes:
        cliff_delta: P(treatment > control) - P(treatment < control), -1 to 1.
        a12: P(treatment > control) + P(equal) / 2, 0 to 1 (Vargha and Delaney's A).
        ci_low: lower end of the two-sided 1 - alpha interval of Cliff's delta; None below 2 units a variant.
        ci_high: its upper end.
        reason: why something is missing; None when nothing is.
    """

    cliff_delta: float | None
    a12: float | None
    ci_low: float | None
    ci_high: float | None
    reason: str | None = None


def cohen_d(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> EffectSize:
    """Cohen's d, the difference of means in pooled standard deviations, with its exact normal-theory interval.

    Args:
        control: moments of the control, 1 or more units, 3 together with treatment.
        treatment: moments of the treatment.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Cohen (1988), 2.5; interval by inverting the noncentral t: Steiger & Fouladi (1997), in What If There Were
        No Significance Tests?

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> result = cohen_d(moments_from_sd(7, 27.4, 5.1), moments_from_sd(7, 45.2, 8.3))
    >>> round(result.estimate, 2)
    2.58
    """
    between("alpha", alpha, 0, 1)
    control, treatment = checked_moments("control", control), checked_moments("treatment", treatment)
    df = control.n + treatment.n - 2
    if control.n < 1 or treatment.n < 1 or df < 1:
        return EffectSize(None, None, None, "A pooled standard deviation needs 3 units or more, 1 in each variant.")
    pooled = math.sqrt((control.m2 + treatment.m2) / df)
    if pooled == 0:
        return EffectSize(None, None, None, "Both samples are constant: there is no standard deviation to measure by.")
    return _standardised((treatment.mean - control.mean) / pooled, control.n, treatment.n, df=df, alpha=alpha)


def hedges_g(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> EffectSize:
    """Hedges' g: Cohen's d without its small-sample bias, by the exact correction; estimate and limits scaled alike.

    Args:
        control: moments of the control, 1 or more units, 4 together with treatment.
        treatment: moments of the treatment.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Hedges (1981), equation (6e), the exact J.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> round(hedges_g(moments_from_sd(7, 27.4, 5.1), moments_from_sd(7, 45.2, 8.3)).estimate, 2)
    2.42
    """
    d = cohen_d(control, treatment, alpha=alpha)
    if d.estimate is None or d.ci_low is None or d.ci_high is None:
        return d
    df = control.n + treatment.n - 2
    if df < 2:
        return EffectSize(None, None, None, "The bias correction needs 4 units or more in the two variants together.")
    j = bias_correction(df)
    return EffectSize(j * d.estimate, j * d.ci_low, j * d.ci_high)


def bias_correction(df: float) -> float:
    """Hedges' exact J: the expected true d over the expected sample d.

    Args:
        df: degrees of freedom of the standard deviation, above 1.

    Raises:
        InvalidInput: if df is 1 or less.

    References:
        Hedges (1981), equation (6e): gamma(df / 2) / (sqrt(df / 2) gamma((df - 1) / 2)).

    >>> round(bias_correction(12), 6)
    0.935942
    """
    from scipy.special import poch

    between("df", df, 1, math.inf)
    if df > 1e7:  # the series, where the gamma functions have lost the digits
        return 1 - 0.75 / df
    return float(poch((df - 1) / 2, 0.5)) / math.sqrt(df / 2)


def glass_delta(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> EffectSize:
    """Glass's delta: the difference of means in the control's standard deviations.

    The interval is exact for normal samples of equal variance.

    Args:
        control: moments of the control, 2 units or more.
        treatment: moments of the treatment, 1 or more.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Glass (1976), Educational Researcher 5(10), 3-8; Hedges (1981), section 2.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> round(glass_delta(moments_from_sd(7, 27.4, 5.1), moments_from_sd(7, 45.2, 8.3)).estimate, 2)
    3.49
    """
    between("alpha", alpha, 0, 1)
    control, treatment = checked_moments("control", control), checked_moments("treatment", treatment)
    sd = control.sd
    if sd is None or treatment.n < 1:
        return EffectSize(None, None, None, "It needs 2 units or more in the control and 1 in the treatment.")
    if sd == 0:
        return EffectSize(None, None, None, "The control is constant: there is no standard deviation to measure by.")
    estimate = (treatment.mean - control.mean) / sd
    return _standardised(estimate, control.n, treatment.n, df=control.n - 1, alpha=alpha)


def _standardised(estimate: float, n0: int, n1: int, *, df: int, alpha: float) -> EffectSize:
    root = math.sqrt(1 / n0 + 1 / n1)
    low, high = noncentrality_limits(estimate / root, df, alpha=alpha)
    return EffectSize(estimate, low * root, high * root)


def dominance(control: "ArrayLike", treatment: "ArrayLike", *, alpha: float = 0.05) -> Dominance:
    """Cliff's delta and A12, for ordered values of any distribution, with Cliff's asymmetric interval.

    Args:
        control: finite numbers, shape (n,).
        treatment: finite numbers, shape (m,).
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for other shapes, NaN or infinity, or alpha outside (0, 1).

    References:
        Cliff (1993), Psychological Bulletin 114, 494-509; interval of Feng & Cliff (2004), J. Modern Applied
        Statistical Methods 3, 322-332. Vargha & Delaney (2000), J. Educational and Behavioral Statistics 25, 101-132.

    >>> round(dominance([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).a12, 4)
    0.7778
    """
    between("alpha", alpha, 0, 1)
    first, second = vector("control", control), vector("treatment", treatment)
    if not (first.size and second.size):
        return Dominance(None, None, None, None, "A variant is empty.")
    of_control, of_treatment = -_rows(first, second), _rows(second, first)
    delta = float(of_treatment.mean())
    if min(first.size, second.size) < 2:
        return Dominance(delta, (delta + 1) / 2, None, None, "An interval needs 2 units or more in each variant.")
    if abs(delta) == 1:
        reason = "The samples do not overlap: the data bound Cliff's delta on neither side by this method."
        return Dominance(delta, (delta + 1) / 2, None, None, reason)
    low, high = _cliff_limits(delta, of_control, of_treatment, z_quantile(alpha))
    return Dominance(delta, (delta + 1) / 2, low, high)


def _rows(values: "NDArray[np.float64]", others: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """For each value the fraction of the others below it minus the fraction above."""
    return (doubled_placements(values, others) - others.size) / others.size


def _cliff_limits(
    delta: float, of_control: "NDArray[np.float64]", of_treatment: "NDArray[np.float64]", z: float
) -> tuple[float, float]:
    """Feng and Cliff's limits, from the mean dominance of each unit."""
    variance = float(of_control.var(ddof=1)) / of_control.size + float(of_treatment.var(ddof=1)) / of_treatment.size
    middle = delta - delta**3
    root = z * math.sqrt(variance) * math.sqrt((1 - delta * delta) ** 2 + z * z * variance)
    scale = 1 - delta * delta + z * z * variance
    return max((middle - root) / scale, -1.0), min((middle + root) / scale, 1.0)


def cohen_h(control: tuple[int, int], treatment: tuple[int, int], *, alpha: float = 0.05) -> EffectSize:
    """Cohen's h, the difference of two proportions on the arcsine scale.

    Args:
        control: successes and n.
        treatment: successes and n.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, or alpha outside (0, 1).

    References:
        Cohen (1988), 6.2: 2 asin(sqrt(p)), whose variance is 1 / n.

    >>> round(cohen_h((12, 100), (25, 100)).estimate, 4)
    0.3397
    """
    between("alpha", alpha, 0, 1)
    (x0, n0), (x1, n1) = checked_pair("control", *control), checked_pair("treatment", *treatment)
    if not (n0 and n1):
        return EffectSize(None, None, None, "A variant is empty.")
    h = 2 * (math.asin(math.sqrt(x1 / n1)) - math.asin(math.sqrt(x0 / n0)))
    margin = z_quantile(alpha) * math.sqrt(1 / n0 + 1 / n1)
    return EffectSize(h, h - margin, h + margin)
