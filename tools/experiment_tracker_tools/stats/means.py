"""Tests on means of two samples, independent, paired or in blocks, from their sufficient statistics.

The effect is treatment minus control. What cannot be computed is None, and `reason` says why.

References:
    Welch (1947), Biometrika 34, 28-35. Satterthwaite (1946), Biometrics Bulletin 2, 110-114.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import vector
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.samples import Moments, checked_moments, moments
from experiment_tracker_tools.stats.t_tests import TTest, satterthwaite, t_test, untestable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike


class RatioTest(NamedTuple):
    """A t test of a ratio of geometric means, and its interval.

    Attributes:
        ratio: geometric mean of treatment over that of control; None when a sample is empty.
        ci_low: lower end of the two-sided 1 - alpha interval of the ratio.
        ci_high: its upper end.
        on_logs: the t test of the difference of the mean logs from which the ratio is read.
        reason: why there is no p-value; None when there is one.
    """

    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    on_logs: TTest
    reason: str | None = None


def _why_untestable(control: Moments, treatment: Moments, least: int) -> str | None:
    for name, sample in (("control", control), ("treatment", treatment)):
        if sample.n < least:
            return f"The {name} has n = {sample.n}; the test needs {least} or more units in each variant."
    if control.m2 == 0 and treatment.m2 == 0:
        return "Both samples are constant: there is no variation to test against."
    return None


def _effect(control: Moments, treatment: Moments) -> float | None:
    return treatment.mean - control.mean if control.n and treatment.n else None


def welch(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> TTest:
    """Welch's t test and interval of the difference of two means, variances not assumed equal.

    Args:
        control: moments of the control, 2 or more units to be testable.
        treatment: moments of the treatment, likewise.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Welch (1947), Biometrika 34, 28-35; degrees of freedom of Satterthwaite (1946).

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> result = welch(moments_from_sd(7, 27.4, 5.1), moments_from_sd(7, 45.2, 8.3))
    >>> f"{result.effect:.1f} [{result.ci_low:.1f}, {result.ci_high:.1f}], p = {result.p_value:.5f}"
    '17.8 [9.6, 26.0], p = 0.00069'
    """
    between("alpha", alpha, 0, 1)
    control, treatment = checked_moments("control", control), checked_moments("treatment", treatment)
    if reason := _why_untestable(control, treatment, 2):
        return untestable(_effect(control, treatment), reason)
    first = control.m2 / (control.n - 1) / control.n
    second = treatment.m2 / (treatment.n - 1) / treatment.n
    total, df = satterthwaite((first, control.n - 1), (second, treatment.n - 1))
    if total == 0:
        return untestable(_effect(control, treatment), "The variances are too small for floating point.")
    return t_test(treatment.mean - control.mean, math.sqrt(total), df, alpha=alpha)


def student(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> TTest:
    """Student's t test and interval of the difference of two means, variances assumed equal.

    Args:
        control: moments of the control; the two samples need 3 units together, 1 each.
        treatment: moments of the treatment, likewise.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Student (1908), Biometrika 6, 1-25.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> result = student(moments_from_sd(7, 27.4, 5.1), moments_from_sd(7, 45.2, 8.3))
    >>> f"t = {result.t:.2f}, df = {result.df:g}, p = {result.p_value:.5f}"
    't = 4.83, df = 12, p = 0.00041'
    """
    between("alpha", alpha, 0, 1)
    control, treatment = checked_moments("control", control), checked_moments("treatment", treatment)
    if reason := _why_untestable(control, treatment, 1):
        return untestable(_effect(control, treatment), reason)
    df = control.n + treatment.n - 2
    se = math.sqrt((control.m2 + treatment.m2) / df * (1 / control.n + 1 / treatment.n))
    if se == 0:
        return untestable(_effect(control, treatment), "The variances are too small for floating point.")
    return t_test(treatment.mean - control.mean, se, df, alpha=alpha)


def one_sample(sample: Moments, *, alpha: float = 0.05) -> TTest:
    """The t test and interval of one mean against 0; the paired test, when the sample is one of differences.

    Args:
        sample: moments of treatment minus control per pair, 2 or more pairs to be testable.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Student (1908), Biometrika 6, 1-25.

    >>> round(one_sample(Moments(4, 1.0, 3.0)).t, 6)
    2.0
    """
    between("alpha", alpha, 0, 1)
    n, mean, m2 = checked_moments("the sample", sample)
    if n < 2:
        return untestable(mean if n else None, f"There are {n} differences; the test needs 2 or more.")
    if m2 == 0:
        return untestable(mean, "All differences are equal: there is no variation to test against.")
    return t_test(mean, math.sqrt(m2 / (n - 1) / n), n - 1, alpha=alpha)


def paired(control: "ArrayLike", treatment: "ArrayLike", *, alpha: float = 0.05) -> TTest:
    """The paired t test and interval of the mean of treatment minus control.

    Args:
        control: finite numbers, shape (n,).
        treatment: finite numbers, shape (n,), the same pairs in the same order.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for other shapes, unequal lengths, NaN or infinity, or alpha outside (0, 1).

    References:
        Student (1908), Biometrika 6, 1-25.

    >>> round(paired([1.0, 2.0, 3.0], [2.0, 4.0, 4.0]).effect, 6)
    1.333333
    """
    first, second = vector("control", control), vector("treatment", treatment)
    if first.size != second.size:
        raise InvalidInput(f"control has {first.size} values and treatment {second.size}. Give one of each a pair.")
    return one_sample(moments(second - first), alpha=alpha)


def blocked(blocks: "Sequence[tuple[Moments, Moments]]", *, alpha: float = 0.05) -> TTest:
    """The effect within blocks, by least squares with one level a block, with its t test and interval.

    Args:
        blocks: (control, treatment) moments of each block; a block with one variant only adds to the variance.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, or alpha outside (0, 1).

    References:
        Gerber & Green (2012), Field Experiments, 4.5; Imbens & Rubin (2015), Causal Inference, 9.6.

    >>> block = (Moments(2, 1.0, 2.0), Moments(2, 3.0, 2.0))
    >>> result = blocked([block, block])
    >>> (result.effect, result.df)
    (2.0, 5)
    """
    between("alpha", alpha, 0, 1)
    pairs = [(checked_moments("control", first), checked_moments("treatment", second)) for first, second in blocks]
    both = [
        (first.n * second.n / (first.n + second.n), second.mean - first.mean)
        for first, second in pairs
        if first.n and second.n
    ]
    if not both:
        return untestable(None, "No block holds both variants.")
    weight = math.fsum(each for each, _ in both)
    effect = math.fsum(each * step for each, step in both) / weight
    df = sum(first.n + second.n - (first.n + second.n > 0) for first, second in pairs) - 1
    if df < 1:
        return untestable(effect, "The blocks leave no degrees of freedom: give 2 pairs or more.")
    residual = math.fsum(first.m2 + second.m2 for first, second in pairs)
    residual += math.fsum(each * (step - effect) ** 2 for each, step in both)
    if residual == 0:
        return untestable(effect, "Nothing varies within the blocks: there is no variation to test against.")
    return t_test(effect, math.sqrt(residual / df / weight), df, alpha=alpha)


def log_ratio(control: Moments, treatment: Moments, *, alpha: float = 0.05) -> RatioTest:
    """The ratio of two geometric means, with Welch's test and interval on the logs.

    Args:
        control: moments of the natural logs of the control's values.
        treatment: moments of the natural logs of the treatment's values.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for moments that no sample has, alpha outside (0, 1), or a ratio beyond floating point.

    References:
        Welch (1947) on the log scale; Julious & Debarnot (2000), J. Biopharm. Stat. 10, 55-71.

    >>> from experiment_tracker_tools.stats.samples import moments_of_logs
    >>> result = log_ratio(moments_of_logs([1.0, 2.0, 4.0]), moments_of_logs([2.0, 4.0, 8.0]))
    >>> round(result.ratio, 9)
    2.0
    """
    test = welch(control, treatment, alpha=alpha)
    return RatioTest(_exp(test.effect), _exp(test.ci_low), _exp(test.ci_high), test, test.reason)


def _exp(log: float | None) -> float | None:
    if log is None:
        return None
    try:
        return math.exp(log)
    except OverflowError as error:
        raise InvalidInput(
            f"The log ratio {log:.6g} is beyond floating point. Check that the moments are those of natural logs."
        ) from error
