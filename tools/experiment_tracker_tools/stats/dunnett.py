"""Several treatments against one control: Dunnett's test, exact for normal data with one variance.

With unequal variances or metrics that are not means, adjust Welch's p-values by Holm instead (`multiplicity`).

References:
    Dunnett (1955), JASA 50, 1096-1121; (1964), Biometrics 20, 482-491. Hochberg & Tamhane (1987), Multiple Comparison
    Procedures, appendix 3 (the integral over the control's mean and the pooled standard deviation).
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import Alternative, between, checked_alternative
from experiment_tracker_tools.stats.quadrature import normalised, panels
from experiment_tracker_tools.stats.roots import bracketed_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from experiment_tracker_tools.stats.samples import Moments

    Floats = NDArray[np.float64]


class DunnettTest(NamedTuple):
    """Each treatment against the control, in the order they came in; empty lists when there is no test.

    Attributes:
        effects: treatment mean minus control mean, in the metric's unit.
        t: effect over its standard error with the pooled variance.
        p_values: adjusted for all comparisons.
        critical_value: |t| (or t) from which a comparison is significant at alpha.
        ci_low: lower ends of the simultaneous 1 - alpha intervals; minus infinity for "less".
        ci_high: upper ends; infinity for "greater".
        df: degrees of freedom of the pooled variance.
        reason: why there is no test; None when there is one.
    """

    effects: tuple[float, ...]
    t: tuple[float, ...]
    p_values: tuple[float, ...]
    critical_value: float | None
    ci_low: tuple[float, ...]
    ci_high: tuple[float, ...]
    df: int
    reason: str | None = None


def dunnett_test(
    control: "Moments", treatments: "Sequence[Moments]", *, alternative: Alternative = "two_sided", alpha: float = 0.05
) -> DunnettTest:
    """Adjusted p-values and simultaneous intervals of several treatments against one control.

    Args:
        control: moments of the control, 1 unit or more.
        treatments: moments of each treatment, 1 or more of them, each of 1 unit or more.
        alternative: "two_sided", or that a treatment's mean is "greater" or "less" than the control's.
        alpha: family-wise error of the critical value and the intervals, 0 to 1 exclusive.

    Raises:
        InvalidInput: for no treatments, an empty sample, an unknown alternative, or alpha outside (0, 1).

    References:
        Dunnett (1955), with unequal sample sizes through their correlations.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> control = moments_from_sd(10, 50.0, 4.0)
    >>> result = dunnett_test(control, [moments_from_sd(10, 54.0, 4.0), moments_from_sd(10, 51.0, 4.0)])
    >>> [round(p, 4) for p in result.p_values], round(result.critical_value, 3)
    ([0.0615, 0.8005], 2.333)
    """
    import numpy as np

    between("alpha", alpha, 0, 1)
    if not treatments:
        raise InvalidInput("There are no treatments. Give one or more.")
    checked_alternative(alternative)
    n = np.array([sample.n for sample in (control, *treatments)], dtype=np.float64)
    if n.min() < 1:
        raise InvalidInput("A sample is empty. Leave the variant out.")
    effects = np.array([sample.mean - control.mean for sample in treatments])
    df = int(n.sum()) - n.size
    spread = math.fsum(sample.m2 for sample in (control, *treatments))
    if df < 1 or spread == 0:
        reason = "The samples have no variation within the variants to test against."
        return DunnettTest(tuple(map(float, effects)), (), (), None, (), (), df, reason)
    se = np.sqrt(spread / df * (1 / n[1:] + 1 / n[0]))
    sign = -1.0 if alternative == "less" else 1.0
    loadings, two_sided = np.sqrt(n[1:] / (n[0] + n[1:])), alternative == "two_sided"
    t = effects / se
    extremes = np.abs(t) if two_sided else sign * t
    p_values = [_exceedance(float(extreme), loadings, df, two_sided=two_sided) for extreme in extremes]
    critical = dunnett_critical_value(n[0], n[1:], df, alternative=alternative, alpha=alpha)
    low = effects - critical * se if alternative != "less" else np.full_like(effects, -np.inf)
    high = effects + critical * se if alternative != "greater" else np.full_like(effects, np.inf)
    ends = (tuple(map(float, low)), tuple(map(float, high)))
    return DunnettTest(tuple(map(float, effects)), tuple(map(float, t)), tuple(p_values), critical, *ends, df)


def dunnett_critical_value(
    control_n: float,
    treatment_n: "Sequence[float] | Floats",
    df: float,
    *,
    alternative: Alternative = "two_sided",
    alpha: float = 0.05,
) -> float:
    """The t statistic that the largest of k comparisons with one control passes with probability alpha.

    Args:
        control_n: units of the control, above 0; only the ratios to the treatments matter.
        treatment_n: units of each treatment, above 0, shape (k,).
        df: degrees of freedom of the pooled variance, above 0; infinite when it is known.
        alternative: "two_sided" for |t|; "greater" or "less" for t in that direction.
        alpha: family-wise error, 0 to 1 exclusive; one-sided below 0.5 for a value above 0.

    Raises:
        InvalidInput: for numbers out of these ranges.

    References:
        Dunnett (1964), table II; (1955), table 1a.

    >>> round(dunnett_critical_value(1, [1, 1, 1], 20), 2)
    2.54
    """
    import numpy as np

    for size in (control_n, *treatment_n):
        between("n", size, 0, math.inf)
    if not df > 0:
        raise InvalidInput(f"df = {df!r} is not above 0. Give the degrees of freedom of the pooled variance.")
    between("alpha", alpha, 0, 1)
    sizes = np.array(treatment_n, dtype=np.float64)
    loadings, two_sided = np.sqrt(sizes / (control_n + sizes)), alternative == "two_sided"

    def excess(critical: float) -> float:
        return _exceedance(critical, loadings, df, two_sided=two_sided) - alpha

    low, high = (0.0 if two_sided else -1.0), 1.0
    while excess(high) > 0:
        low, high = high, high * 2
    while excess(low) < 0:
        low *= 2
    return bracketed_root(excess, low, high, tolerance=1e-11)


def _exceedance(t: float, loadings: "Floats", df: float, *, two_sided: bool) -> float:
    """P(the largest of the statistics exceeds t): over the control's mean, then over the pooled deviation."""
    import numpy as np
    from scipy.special import ndtr

    least = 1e-20 * _one_comparison(t, df)
    sharpest = float(loadings.max())
    widest = min(max(1.5 * math.sqrt(1 - sharpest * sharpest) / sharpest, 0.1), 1.5)
    means, weights = panels(np.zeros(1), np.ones(1), widest=widest)
    means, mean_mass = _kept(means, normalised(-np.square(means) / 2, weights), least)
    scales, scale_mass = _deviation(t, df, least)
    log_all = np.zeros((scales.size, means.size))
    for loading in loadings:
        rest = math.sqrt(1 - loading * loading)
        shift, limit = loading * means / rest, t * scales[:, None] / rest
        outside = np.asarray(ndtr(shift - limit), dtype=np.float64)
        if two_sided:
            outside = outside + np.asarray(ndtr(-shift - limit), dtype=np.float64)
        with np.errstate(divide="ignore"):
            log_all += np.log1p(-np.minimum(outside, 1.0))
    return float(scale_mass @ (-np.expm1(log_all) @ mean_mass))


def _deviation(t: float, df: float, least: float) -> "tuple[Floats, Floats]":
    """Nodes and mass of the pooled deviation over the true one, on the log scale."""
    import numpy as np

    if math.isinf(df):
        return np.ones(1), np.ones(1)
    centres = np.array([0.0, -math.log(max(abs(t), 1.0))])
    logs, weights = panels(centres, np.array([1.0, 1.0]) / math.sqrt(2 * df), widest=0.5)
    logs, weights = logs[logs < 5], weights[logs < 5]
    logs, mass = _kept(logs, normalised(df * (logs - np.expm1(2 * logs) / 2), weights), least)
    return np.exp(logs), mass


def _one_comparison(t: float, df: float) -> float:
    """A lower bound of what all comparisons together exceed with: nodes far below it do not count."""
    from scipy.special import ndtr, stdtr

    return float(ndtr(-abs(t)) if math.isinf(df) else stdtr(df, -abs(t)))


def _kept(nodes: "Floats", mass: "Floats", least: float) -> "tuple[Floats, Floats]":
    return nodes[mass > least], mass[mass > least]
