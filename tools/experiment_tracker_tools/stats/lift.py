"""Relative lift of two independent means: (treatment - control) / |control|, with its interval.

The default is the interval on the log ratio; where the control's mean is not well away from zero, Fieller's set,
which may be unbounded: then the data do not say how large the lift is, and only a gap may be excluded.

References:
    Fieller (1954), J. Royal Statistical Society B 16, 175-185. Oehlert (1992), The American Statistician 46, 27-29.
"""

import math
from typing import Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.samples import Moments, checked_moments
from experiment_tracker_tools.stats.t_tests import satterthwaite
from experiment_tracker_tools.stats.tails import t_quantile

PRECISE = 5.0
_WIDEST = 300.0
_ANY_LIFT = "The control's mean is too close to 0 to exclude any lift."


class Lift(NamedTuple):
    """A relative difference and its interval; all values are fractions (0.1 is 10% more than control).

    Attributes:
        lift: (treatment - control) / |control|; None when the control's mean is 0 or a sample is empty.
        ci_low: lower end of the two-sided 1 - alpha interval; None when there is none, or it is unbounded.
        ci_high: its upper end.
        method: how the interval was made.
        gap_low: lower end of the lifts that an unbounded set excludes; None when nothing is excluded.
        gap_high: its upper end.
        reason: why the lift or its bounds are missing; None when they are there.
    """

    lift: float | None
    ci_low: float | None
    ci_high: float | None
    method: Literal["log-delta", "delta", "fieller"]
    gap_low: float | None = None
    gap_high: float | None = None
    reason: str | None = None


class Estimate(NamedTuple):
    """A mean with the variance of the mean.

    Attributes:
        mean: the estimate.
        variance: its squared standard error.
        df: degrees of freedom of that variance.
    """

    mean: float
    variance: float
    df: float


def relative_lift(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> Lift:
    """The lift with the interval that suits the data: log-delta, or Fieller's near a mean of zero.

    Log-delta serves when both means have one sign and each is at least 5 standard errors from zero.

    Args:
        control: moments of the control, 2 or more units for an interval.
        treatment: moments of the treatment, likewise.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Fieller (1954); the rule of choice was fixed by simulated coverage at n = 10 and more.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> result = relative_lift(moments_from_sd(100, 10.0, 2.0), moments_from_sd(100, 11.0, 2.0))
    >>> f"{result.lift:.3f} [{result.ci_low:.3f}, {result.ci_high:.3f}] {result.method}"
    '0.100 [0.043, 0.160] log-delta'
    """
    return lift_of_estimates(_estimate("control", control), _estimate("treatment", treatment), alpha=alpha)


def lift_of_estimates(control: Estimate, treatment: Estimate, *, alpha: float = 0.05) -> Lift:
    """The lift of any two independent estimates, by the rule of `relative_lift`.

    Raises:
        InvalidInput: for alpha outside (0, 1).

    >>> lift_of_estimates(Estimate(10.0, 0.04, 99), Estimate(11.0, 0.04, 99)).method
    'log-delta'
    """
    _checked_estimates(control, treatment)
    precise = all(abs(each.mean) >= PRECISE * math.sqrt(each.variance) for each in (control, treatment))
    if precise and control.mean * treatment.mean > 0:
        return log_delta(control, treatment, alpha=alpha)
    return fieller(control, treatment, alpha=alpha)


def log_delta_lift(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> Lift:
    """The lift with an interval by the delta method on the log of the ratio of means.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    >>> log_delta_lift(Moments(2, 1.0, 0.02), Moments(2, -1.0, 0.02)).ci_low is None
    True
    """
    return log_delta(_estimate("control", control), _estimate("treatment", treatment), alpha=alpha)


def delta_lift(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> Lift:
    """The lift with the plain delta-method interval, symmetric; under-covers below about 100 units.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Deng, Knoblich & Lu (2018), Applying the delta method in metric analytics, KDD.

    >>> round(delta_lift(Moments(50, 10.0, 196.0), Moments(50, 11.0, 196.0)).ci_high, 4)
    0.1835
    """
    return delta(_estimate("control", control), _estimate("treatment", treatment), alpha=alpha)


def fieller_lift(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> Lift:
    """The lift with Fieller's set: an interval, everything outside a gap, or the whole line.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    >>> fieller_lift(Moments(2, 0.1, 9.0), Moments(2, 5.0, 9.0)).ci_low is None
    True
    """
    return fieller(_estimate("control", control), _estimate("treatment", treatment), alpha=alpha)


def log_delta(control: Estimate, treatment: Estimate, *, alpha: float = 0.05) -> Lift:
    """As `log_delta_lift`, of estimates.

    >>> round(log_delta(Estimate(10.0, 0.04, 98), Estimate(11.0, 0.04, 98)).lift, 9)
    0.1
    """
    between("alpha", alpha, 0, 1)
    if missing := _why_missing(control, treatment, "log-delta"):
        return missing
    ratio = treatment.mean / control.mean
    if ratio <= 0:
        reason = "The means differ in sign or treatment's is 0: their ratio has no logarithm. Use Fieller's set."
        return Lift(_lift(ratio, control), None, None, "log-delta", reason=reason)
    spread, df = _relative_variance(control, treatment)
    margin = t_quantile(df, alpha) * math.sqrt(spread) if spread else 0.0
    if margin > _WIDEST:
        reason = "The interval is wider than floating point holds: the means are lost in noise. Use Fieller's set."
        return Lift(_lift(ratio, control), None, None, "log-delta", reason=reason)
    factor = math.exp(margin)
    low, high = sorted((_lift(ratio / factor, control), _lift(ratio * factor, control)))
    return Lift(_lift(ratio, control), low, high, "log-delta")


def delta(control: Estimate, treatment: Estimate, *, alpha: float = 0.05) -> Lift:
    """As `delta_lift`, of estimates.

    >>> round(delta(Estimate(10.0, 0.04, 98), Estimate(11.0, 0.04, 98)).lift, 9)
    0.1
    """
    between("alpha", alpha, 0, 1)
    if missing := _why_missing(control, treatment, "delta"):
        return missing
    ratio = treatment.mean / control.mean
    variance, df = _numerator_variance(control, treatment, ratio)
    margin = t_quantile(df, alpha) * math.sqrt(variance) / abs(control.mean) if variance else 0.0
    lift = _lift(ratio, control)
    return Lift(lift, lift - margin, lift + margin, "delta")


def fieller(control: Estimate, treatment: Estimate, *, alpha: float = 0.05) -> Lift:
    """As `fieller_lift`, of estimates.

    >>> round(fieller(Estimate(10.0, 0.04, 98), Estimate(11.0, 0.04, 98)).lift, 9)
    0.1
    """
    between("alpha", alpha, 0, 1)
    if missing := _why_missing(control, treatment, "fieller"):
        return missing
    control, treatment = _near_one(control, treatment)
    ratio = treatment.mean / control.mean
    lift = _lift(ratio, control)
    variance, df = _numerator_variance(control, treatment, ratio)
    if variance == 0:
        return Lift(lift, lift, lift, "fieller")
    if math.isinf(variance):
        return Lift(lift, None, None, "fieller", reason=_ANY_LIFT)
    squared = t_quantile(df, alpha) ** 2
    leading = control.mean**2 - squared * control.variance
    product = control.mean * treatment.mean
    # The discriminant without its cancelling term (control.mean * treatment.mean)².
    root = math.sqrt(
        max(
            squared
            * (
                treatment.mean**2 * control.variance
                + control.mean**2 * treatment.variance
                - squared * control.variance * treatment.variance
            ),
            0.0,
        )
    )
    if leading == 0 or (leading < 0 and root == 0):
        return Lift(lift, None, None, "fieller", reason=_ANY_LIFT)
    low, high = sorted(_lift((product + side * root) / leading, control) for side in (-1, 1))
    if leading > 0:
        return Lift(lift, low, high, "fieller")
    reason = "The control's mean is not distinguishable from 0: only the lifts inside the gap are excluded."
    return Lift(lift, None, None, "fieller", low, high, reason)


def _estimate(name: str, sample: Moments) -> Estimate:
    n, mean, m2 = checked_moments(name, sample)
    return Estimate(mean, m2 / (n - 1) / n if n >= 2 else math.nan, n - 1) if n else Estimate(math.nan, math.nan, 0)


def _checked_estimates(control: Estimate, treatment: Estimate) -> None:
    """NaN stands for what a sample of fewer than two units does not have."""
    for name, (mean, variance, df) in (("control", control), ("treatment", treatment)):
        if math.isinf(mean) or variance < 0 or math.isinf(variance) or (variance >= 0 and not df > 0):
            raise InvalidInput(
                f"mean = {mean!r}, variance = {variance!r}, df = {df!r} of {name} are no estimate. Give a finite mean, "
                "a variance of 0 or more and degrees of freedom above 0."
            )


def _near_one(control: Estimate, treatment: Estimate) -> tuple[Estimate, Estimate]:
    """Both in a unit, a power of 2, in which squares of means neither overflow nor vanish."""
    exponent = math.frexp(max(abs(control.mean), abs(treatment.mean)))[1]
    first, second = (
        Estimate(math.ldexp(mean, -exponent), math.ldexp(math.sqrt(variance), -exponent) ** 2, df)
        for mean, variance, df in (control, treatment)
    )
    return first, second


def _lift(ratio: float, control: Estimate) -> float:
    return ratio - 1 if control.mean > 0 else 1 - ratio


def _numerator_variance(control: Estimate, treatment: Estimate, ratio: float) -> tuple[float, float]:
    """The variance of treatment - ratio * control and its Satterthwaite degrees of freedom."""
    return satterthwaite((ratio * ratio * control.variance, control.df), (treatment.variance, treatment.df))


def _relative_variance(control: Estimate, treatment: Estimate) -> tuple[float, float]:
    variance, df = _numerator_variance(control, treatment, treatment.mean / control.mean)
    return variance / treatment.mean**2, df


def _why_missing(
    control: Estimate, treatment: Estimate, method: Literal["log-delta", "delta", "fieller"]
) -> Lift | None:
    _checked_estimates(control, treatment)
    for name, each in (("control", control), ("treatment", treatment)):
        if math.isnan(each.mean):
            return Lift(None, None, None, method, reason=f"The {name} is empty.")
    if control.mean == 0:
        return Lift(None, None, None, method, reason="The control's mean is 0: a lift relative to it does not exist.")
    if math.isinf(treatment.mean / control.mean):
        return Lift(None, None, None, method, reason="The lift is beyond floating point: the control's mean is near 0.")
    for name, each in (("control", control), ("treatment", treatment)):
        if math.isnan(each.variance):
            lift = _lift(treatment.mean / control.mean, control)
            reason = f"The {name} has n = 1: its variance, and so the interval, is unknown."
            return Lift(lift, None, None, method, reason=reason)
    return None
