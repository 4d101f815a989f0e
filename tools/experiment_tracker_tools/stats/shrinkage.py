"""Estimates drawn towards what they have in common: segments, experiments, and winners that were picked.

References:
    Efron & Morris (1975), JASA 70, 311-319. Morris (1983), JASA 78, 47-55. Gelman et al. (2013), Bayesian Data
    Analysis, 3rd ed., section 5.4. Lee & Shen (2018), KDD, 491-499 (winner's curse).
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.bayes_normal import Normal
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.meta_analysis import Method, between_variance, checked_estimates
from experiment_tracker_tools.stats.tails import z_quantile

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Shrinkage(NamedTuple):
    """Estimates shrunk towards their common mean, in input order.

    Attributes:
        mean: estimated mean of the true effects, in the estimates' unit.
        tau2: estimated variance of the true effects, 0 or more.
        effects: shrunk estimates.
        sds: their posterior standard deviations, the uncertainty of the mean included, that of tau² not.
        ci_low: lower ends of their 1 - alpha credible intervals.
        ci_high: upper ends.
        kept: share of its distance to the mean that each estimate keeps, 0 (all pooled) to 1.
    """

    mean: float
    tau2: float
    effects: tuple[float, ...]
    sds: tuple[float, ...]
    ci_low: tuple[float, ...]
    ci_high: tuple[float, ...]
    kept: tuple[float, ...]


class WinnersTotal(NamedTuple):
    """The summed effect of the experiments that were picked because they were significant.

    Attributes:
        picked: places of the winners in the input.
        naive: sum of their estimates, in the estimates' unit.
        bias: how much of it is expected to be luck, 0 or more.
        adjusted: naive - bias.
    """

    picked: tuple[int, ...]
    naive: float
    bias: float
    adjusted: float


def shrink(
    estimates: "ArrayLike", ses: "ArrayLike", *, method: Method = "paule_mandel", alpha: float = 0.05
) -> Shrinkage:
    """Each estimate shrunk towards the mean of all by the normal-normal hierarchical model.

    Args:
        estimates: independent effects, shape (k,), k of 2 or more; for a portfolio all of them, not the winners alone.
        ses: their standard errors, above 0, shape (k,).
        method: estimator of tau², as `meta_analysis.random_effects` has.
        alpha: 1 - credibility of the intervals, 0 to 1 exclusive.

    Raises:
        InvalidInput: for fewer than two estimates, unequal lengths, a standard error not above 0, an unknown method.

    References:
        Gelman et al. (2013), equations 5.17 and 5.20; with estimated tau² the best linear unbiased prediction.

    >>> result = shrink([0.0, 4.0], [1.0, 1.0])
    >>> [round(effect, 4) for effect in result.effects], round(result.tau2, 4)
    ([0.25, 3.75], 7.0)
    """
    import numpy as np

    y, v = checked_estimates(estimates, ses)
    margin = z_quantile(between("alpha", alpha, 0, 1))
    tau2 = between_variance(y, v, method=method)
    weights = 1 / (v + tau2)
    mean = float(weights @ y / weights.sum())
    kept = tau2 * weights
    effects = mean + kept * (y - mean)
    sds = np.sqrt(kept * v + np.square(1 - kept) / weights.sum())
    columns = (effects, sds, effects - margin * sds, effects + margin * sds, kept)
    return Shrinkage(mean, tau2, *(tuple(map(float, each)) for each in columns))


def portfolio_prior(estimates: "ArrayLike", ses: "ArrayLike", *, method: Method = "paule_mandel") -> Normal | None:
    """The prior that a portfolio of earlier experiments suggests for the next; None when they do not differ (tau² = 0).

    Args:
        estimates: effects of earlier experiments on one scale (a lift), winners and losers, shape (k,).
        ses: their standard errors, above 0, shape (k,).
        method: estimator of tau².

    Raises:
        InvalidInput: as `shrink`.

    >>> prior = portfolio_prior([0.0, 4.0], [1.0, 1.0])
    >>> round(prior.mean, 4), round(prior.sd, 4)
    (2.0, 2.6458)
    """
    y, v = checked_estimates(estimates, ses)
    tau2 = between_variance(y, v, method=method)
    if tau2 == 0:
        return None
    weights = 1 / (v + tau2)
    return Normal(float(weights @ y / weights.sum()), math.sqrt(tau2))


def winners_total(estimates: "ArrayLike", ses: "ArrayLike", *, alpha: float = 0.05) -> WinnersTotal:
    """The total of the significant positive effects, less what the picking itself added.

    Args:
        estimates: effects of all experiments that could have been picked, on one scale, shape (k,), k of 2 or more.
        ses: their standard errors, above 0, shape (k,).
        alpha: two-sided level at which a positive effect was picked, 0 to 1 exclusive.

    Raises:
        InvalidInput: for fewer than two estimates, unequal lengths, a standard error not above 0.

    References:
        Lee & Shen (2018): E[(X - a) 1(X > c)] = se · φ((c - a) / se), with X in a's place.

    >>> result = winners_total([2.5, 0.3, -1.0], [1.0, 1.0, 1.0])
    >>> f"{result.naive} - {result.bias:.3f} = {result.adjusted:.3f}"
    '2.5 - 0.450 = 2.050'
    """
    import numpy as np

    y, v = checked_estimates(estimates, ses)
    se = np.sqrt(v)
    short = z_quantile(between("alpha", alpha, 0, 1)) - y / se
    picked = np.flatnonzero(short < 0)
    naive = float(y[picked].sum())
    bias = float(se @ np.exp(-np.square(short) / 2)) / math.sqrt(2 * math.pi)
    return WinnersTotal(tuple(map(int, picked)), naive, bias, naive - bias)
