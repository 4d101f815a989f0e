"""Rates of counted events with gamma priors: P(better), expected loss, credible intervals.

A higher rate is better: swap the two variants for events that are to become rarer.

References:
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 2.6. Price & Bonett (2000), Comput. Statist. Data
    Anal. 34, 345-356 (the ratio of two Poisson rates).
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.checks import between, count
from experiment_tracker_tools.stats.quadrature import Marginals, expected_shortfalls, normalised, panels

if TYPE_CHECKING:
    from collections.abc import Sequence


class Gamma(NamedTuple):
    """A gamma distribution of a rate.

    Attributes:
        shape: events it is worth, above 0.
        rate: exposure it is worth, in the unit of the exposure, above 0.
    """

    shape: float
    rate: float

    @property
    def mean(self) -> float:
        """Expected events a unit of exposure."""
        return self.shape / self.rate


class CountComparison(NamedTuple):
    """What two posteriors say of treatment against control.

    Attributes:
        effect: expected treatment rate minus expected control rate, events a unit of exposure.
        p_better: probability that the treatment's rate is the higher.
        loss_treatment: expected loss, in events a unit of exposure, of choosing the treatment.
        loss_control: expected loss of choosing the control; loss_control - loss_treatment = effect.
        ratio: median of the posterior of treatment rate over control rate.
        ci_low: lower end of the equal-tailed 1 - alpha credible interval of that ratio.
        ci_high: its upper end.
    """

    effect: float
    p_better: float
    loss_treatment: float
    loss_control: float
    ratio: float
    ci_low: float
    ci_high: float


def gamma_posterior(events: float, exposure: float, *, prior_shape: float = 0.5, prior_rate: float = 0.0) -> Gamma:
    """The posterior of a rate after `events` in `exposure`.

    Args:
        events: whole number of 0 or more.
        exposure: units, hours or whatever the rate is per; above 0.
        prior_shape: events that the prior is worth, above 0; 0.5 is the prior of Jeffreys.
        prior_rate: exposure that the prior is worth, 0 or more.

    Raises:
        InvalidInput: for numbers out of these ranges.

    >>> gamma_posterior(12, 100.0).mean
    0.125
    """
    between("exposure", exposure, 0, math.inf)
    between("prior_shape", prior_shape, 0, math.inf)
    between("prior_rate", prior_rate, -math.ulp(0.0), math.inf)
    return Gamma(prior_shape + count("events", events), prior_rate + exposure)


def gamma_interval(posterior: Gamma, *, alpha: float = 0.05) -> tuple[float, float]:
    """The equal-tailed 1 - alpha credible interval of a rate.

    Raises:
        InvalidInput: for a distribution that is not proper, or alpha outside (0, 1).

    >>> low, high = gamma_interval(Gamma(1.0, 1.0))
    >>> round(low, 4), round(high, 4)
    (0.0253, 3.6889)
    """
    from scipy.special import gammainccinv, gammaincinv

    shape, rate = _checked(posterior)
    tail = between("alpha", alpha, 0, 1) / 2
    return float(gammaincinv(shape, tail)) / rate, float(gammainccinv(shape, tail)) / rate


def compare_rates(control: Gamma, treatment: Gamma, *, alpha: float = 0.05) -> CountComparison:
    """P(better) and the interval of the ratio in closed form, expected losses by quadrature.

    Args:
        control: posterior of the control's rate, as `gamma_posterior` gives.
        treatment: posterior of the treatment's rate.
        alpha: 1 - the credibility of the interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for a distribution that is not proper, or alpha outside (0, 1).

    References:
        The share of control in control plus treatment, each rate times its own exposure, has a beta distribution.

    >>> result = compare_rates(gamma_posterior(20, 100.0), gamma_posterior(32, 100.0))
    >>> f"{result.p_better:.4f} {result.ratio:.3f} [{result.ci_low:.3f}, {result.ci_high:.3f}]"
    '0.9524 1.595 [0.923, 2.824]'
    """
    from scipy.special import betainc

    (a, exposure), (b, other) = _checked(control), _checked(treatment)
    low, middle, high = (_ratio_quantile(control, treatment, p) for p in _tails(alpha))
    loss_control, loss_treatment = map(float, expected_shortfalls(gamma_marginals([control, treatment])))
    return CountComparison(
        treatment.mean - control.mean,
        float(betainc(a, b, exposure / (exposure + other))),
        loss_treatment,
        loss_control,
        middle,
        low,
        high,
    )


def gamma_marginals(posteriors: "Sequence[Gamma]") -> Marginals:
    """Posteriors of rates on a common grid, as `quadrature` needs them.

    Raises:
        InvalidInput: for a distribution that is not proper.

    >>> gamma_marginals([Gamma(2.0, 3.0), Gamma(3.0, 2.0)]).mass.sum(axis=1).round(9)
    array([1., 1.])
    """
    import numpy as np
    from scipy.special import gammainc, gammaincc, polygamma

    shape, rate = (np.array(side)[:, None] for side in zip(*map(_checked, posteriors), strict=True))
    centres = np.log(shape / rate)
    nodes, weights = panels(centres.ravel(), np.sqrt(polygamma(1, shape)).ravel(), widest=2.0)
    kept = nodes < float(np.max(centres + 50 / np.sqrt(shape) + 8))
    nodes, weights = nodes[kept], weights[kept]
    step = nodes - centres
    events = shape * np.exp(step)
    mass = normalised(shape * (step - np.expm1(step)), weights)
    return Marginals(mass, gammainc(shape, events), gammaincc(shape, events), np.exp(nodes) * weights)


def _tails(alpha: float) -> tuple[float, float, float]:
    tail = between("alpha", alpha, 0, 1) / 2
    return tail, 0.5, 1 - tail


def _ratio_quantile(control: Gamma, treatment: Gamma, p: float) -> float:
    from scipy.special import betaincinv

    if p > 0.5:
        return 1 / _ratio_quantile(treatment, control, 1 - p)
    share = float(betaincinv(treatment.shape, control.shape, p))
    return share / (1 - share) * control.rate / treatment.rate


def _checked(distribution: Gamma) -> Gamma:
    for name, value in zip(("shape", "rate"), distribution, strict=True):
        between(f"{name} of the gamma distribution", value, 0, math.inf)
    return distribution
