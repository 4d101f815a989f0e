"""Shares of successes with beta priors: P(better), expected loss, credible intervals, all by quadrature.

A higher share is better: count failures as successes for a metric that is to fall.

References:
    Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., section 2.4. Stucchio (2015), Bayesian A/B testing at VWO
    (expected loss). Jeffreys (1946), Proc. R. Soc. A 186, 453-461 (the prior Beta(0.5, 0.5)).
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.counts import checked_pair
from experiment_tracker_tools.stats.quadrature import (
    Marginals,
    expected_shortfalls,
    normalised,
    panels,
    probabilities_largest,
)
from experiment_tracker_tools.stats.roots import bracketed_root

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


# The distribution function of Beta(a, b) leaves 0 like a power a and reaches 1 like a power b: from here on smoothly
# enough for the panels of the other variant alone.
_SMOOTH = 12.0


class Beta(NamedTuple):
    """A beta distribution of a share, prior or posterior.

    Attributes:
        a: successes it is worth, above 0.
        b: failures it is worth, above 0.
    """

    a: float
    b: float

    @property
    def mean(self) -> float:
        """Expected share, 0 to 1."""
        return self.a / (self.a + self.b)

    @property
    def sd(self) -> float:
        """Standard deviation of the share."""
        total = self.a + self.b
        return math.sqrt(self.a / total * (self.b / total) / (total + 1))


UNIFORM = Beta(1.0, 1.0)


class BinaryComparison(NamedTuple):
    """What two posteriors say of treatment against control.

    Attributes:
        effect: expected treatment share minus expected control share, -1 to 1.
        p_better: probability that the treatment's share is the higher.
        loss_treatment: expected loss, as a share, of choosing the treatment: E[max(control - treatment, 0)].
        loss_control: expected loss of choosing the control; loss_control - loss_treatment = effect.
        ci_low: lower end of the equal-tailed 1 - alpha credible interval of treatment minus control.
        ci_high: its upper end.
    """

    effect: float
    p_better: float
    loss_treatment: float
    loss_control: float
    ci_low: float
    ci_high: float


def beta_posterior(successes: float, n: float, *, prior: Beta = UNIFORM) -> Beta:
    """The posterior of a share after `successes` in `n` units.

    Args:
        successes: whole number, 0 to n.
        n: whole number of units, 0 or more.
        prior: distribution of the share before the data; uniform by default.

    Raises:
        InvalidInput: for counts that are not counts, more successes than units, or a prior that is not proper.

    >>> beta_posterior(3, 10)
    Beta(a=4.0, b=8.0)
    """
    x, units = checked_pair("the sample", successes, n)
    a, b = _checked(prior)
    return Beta(a + x, b + units - x)


def beta_interval(posterior: Beta, *, alpha: float = 0.05) -> tuple[float, float]:
    """The equal-tailed 1 - alpha credible interval of a share.

    Raises:
        InvalidInput: for a distribution that is not proper, or alpha outside (0, 1).

    >>> low, high = beta_interval(Beta(1.0, 1.0))
    >>> round(low, 4), round(high, 4)
    (0.025, 0.975)
    """
    from scipy.special import betaincinv

    a, b = _checked(posterior)
    tail = between("alpha", alpha, 0, 1) / 2
    return float(betaincinv(a, b, tail)), 1 - float(betaincinv(b, a, tail))


def compare_shares(control: Beta, treatment: Beta, *, alpha: float = 0.05) -> BinaryComparison:
    """P(better), expected losses and the credible interval of the difference of two shares.

    Args:
        control: posterior of the control's share, as `beta_posterior` gives.
        treatment: posterior of the treatment's share.
        alpha: 1 - the credibility of the interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for a distribution that is not proper, or alpha outside (0, 1).

    References:
        Gelman et al. (2013), section 2.4; P(better) has the closed sum of Cook (2005), Exact calculation of beta
        inequalities, against which the quadrature is tested.

    >>> result = compare_shares(beta_posterior(10, 100), beta_posterior(18, 100))
    >>> f"{result.p_better:.6f} {result.loss_treatment:.6f} [{result.ci_low:.4f}, {result.ci_high:.4f}]"
    '0.946364 0.001126 [-0.0172, 0.1756]'
    """
    marginals = beta_marginals([control, treatment])
    loss_control, loss_treatment = map(float, expected_shortfalls(marginals))
    low, high = difference_interval(control, treatment, alpha=alpha)
    # The smaller of the two integrals keeps its digits in the tail, and both then add up to 1 exactly.
    control_best, treatment_best = map(float, probabilities_largest(marginals))
    return BinaryComparison(
        _difference(control, treatment),
        treatment_best if treatment_best <= control_best else 1 - control_best,
        loss_treatment,
        loss_control,
        low,
        high,
    )


def difference_interval(control: Beta, treatment: Beta, *, alpha: float = 0.05) -> tuple[float, float]:
    """The equal-tailed 1 - alpha credible interval of treatment minus control.

    Raises:
        InvalidInput: for a distribution that is not proper, or alpha outside (0, 1).

    >>> low, high = difference_interval(Beta(1.0, 1.0), Beta(1.0, 1.0))
    >>> round(low, 4), round(high, 4)
    (-0.7764, 0.7764)
    """
    tail = between("alpha", alpha, 0, 1) / 2
    low = _difference_quantile(_checked(control), _checked(treatment), tail)
    return low, -_difference_quantile(treatment, control, tail)


def beta_marginals(posteriors: "Sequence[Beta]") -> Marginals:
    """Posteriors of shares on a common grid, as `quadrature` needs them.

    Raises:
        InvalidInput: for a distribution that is not proper.

    >>> beta_marginals([Beta(2.0, 3.0), Beta(3.0, 2.0)]).mass.sum(axis=1).round(9)
    array([1., 1.])
    """
    import numpy as np
    from scipy.special import betainc, expit

    a, b = (np.array(side)[:, None] for side in zip(*map(_checked, posteriors), strict=True))
    scales = np.array(list(map(_logit_sd, posteriors)))
    nodes, weights = panels(np.log(a / b).ravel(), scales, widest=2.0)
    shares, rest = expit(nodes), expit(-nodes)
    mass = normalised(_log_density(nodes, a, b), weights)
    below = np.asarray(betainc(a, b, shares), dtype=np.float64)
    above = np.asarray(betainc(b, a, rest), dtype=np.float64)
    return Marginals(mass, below, above, shares * rest * weights)


def _log_density(logits: "Floats", a: "Floats", b: "Floats") -> "Floats":
    """Log density of the logit, up to a constant: relative to the mode, so that large counts do not cancel."""
    import numpy as np

    step = logits - np.log(a / b)
    share = a / (a + b)
    near = np.log1p(share * np.expm1(np.clip(step, -1, 1)))
    far = np.logaddexp(np.log(b / (a + b)), np.log(share) + step)
    return np.asarray(a * step - (a + b) * np.where(np.abs(step) < 1, near, far), dtype=np.float64)


def _difference(control: Beta, treatment: Beta) -> float:
    """Treatment mean minus control mean, without the cancellation of two rounded shares."""
    (a, b), (c, d) = control, treatment
    return (c * b - a * d) / ((a + b) * (c + d))


def _difference_quantile(control: Beta, treatment: Beta, tail: float) -> float:
    """Where the distribution of treatment minus control has `tail` below it; Chebyshev's inequality brackets it."""
    import numpy as np
    from scipy.special import betainc, expit

    if control.sd > treatment.sd:
        control, treatment = _failures(treatment), _failures(control)
    mean, sd = _difference(control, treatment), math.hypot(control.sd, treatment.sd)
    low = max(-1.0, mean - 1.001 * sd / math.sqrt(tail))
    high = min(1.0, mean + 1.001 * sd / math.sqrt(1 - tail))
    fixed = _resolved(control, None) if min(treatment) >= _SMOOTH else None

    def excess(difference: float) -> float:
        """P(treatment - control <= difference), over the narrower of the two, less the tail."""
        nodes, mass = fixed or _resolved(control, 1 - difference if difference > 0 else -difference)
        reached = np.clip(expit(nodes) + difference, 0, 1)
        return float(mass @ betainc(treatment.a, treatment.b, reached)) - tail

    return bracketed_root(excess, low, high, tolerance=1e-12)


def _failures(distribution: Beta) -> Beta:
    return Beta(distribution.b, distribution.a)


def _resolved(distribution: Beta, kink: float | None) -> "tuple[Floats, Floats]":
    """Nodes on the logit scale and their mass, with finer and finer panels around a share at which a kink sits."""
    import numpy as np
    from scipy.special import logit

    centre, scale = math.log(distribution.a / distribution.b), _logit_sd(distribution)
    centres, scales = [centre], [scale]
    if kink is not None and abs(float(logit(kink)) - centre) < 45 * scale:
        centres += [float(logit(kink))] * 3
        scales += [scale * step for step in (1e-2, 1e-5, 1e-8)]
    nodes, weights = panels(np.array(centres), np.array(scales), widest=2.0)
    a, b = np.array([[distribution.a]]), np.array([[distribution.b]])
    mass = normalised(_log_density(nodes, a, b), weights)[0]
    kept = mass > 1e-20
    return nodes[kept], mass[kept]


def _logit_sd(distribution: Beta) -> float:
    from scipy.special import polygamma

    return math.sqrt(float(polygamma(1, distribution.a)) + float(polygamma(1, distribution.b)))


def _checked(distribution: Beta) -> Beta:
    for name, value in zip("ab", distribution, strict=True):
        between(f"{name} of the beta distribution", value, 0, math.inf)
    return distribution
