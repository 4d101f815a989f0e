"""Always-valid inference for proportions: beta-binomial mixture for one, two sequences or a 2 x 2 e-process for two.

References:
    Robbins (1970), Ann. Math. Statist. 41(5), 1397-1409. Howard, Ramdas, McAuliffe & Sekhon (2021), Ann. Statist.
    49(2), 1055-1080, proposition 6. Turner, Ly & Grunwald (2024), J. Stat. Plan. Inference 230 (arXiv 2106.02693).
"""

import math
from typing import TYPE_CHECKING

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.bounds import Bounds
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.counts import checked_pair, pairs_of_looks
from experiment_tracker_tools.stats.normal_mixture import tuned_ratio
from experiment_tracker_tools.stats.roots import bracketed_root

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

# Of Turner, Ly & Grunwald: near the best worst-case regret for a prior Beta(g, g) a variant.
CONTINGENCY_PRIOR = 0.18


def prior_units(planned_n: float, *, alpha: float) -> float:
    """How many units the prior around the null is worth, for a sequence nearly tightest at `planned_n`.

    Args:
        planned_n: units planned, positive.
        alpha: error over the whole life, in (0, 1).

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Howard et al. (2021), section 3.5, in the form of confseq's bernoulli_confidence_interval.

    >>> round(prior_units(100, alpha=0.05), 4)
    11.6006
    """
    return max(between("planned_n", planned_n, 0, math.inf) / tuned_ratio(alpha) - 1, 1e-3)


def log_e_proportion(successes: int, n: int, *, null: float, units: float) -> float:
    """Natural logarithm of the e-value against H0: proportion = null.

    Args:
        successes: 0 to n.
        n: units so far.
        null: proportion under the null hypothesis, in (0, 1).
        units: weight of the prior Beta(units null, units (1 - null)); see `prior_units`.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Howard et al. (2021), proposition 6.

    >>> round(log_e_proportion(70, 100, null=0.5, units=10), 4)
    6.2919
    """
    from scipy.special import betaln

    x, total = checked_pair("the sample", successes, n)
    a, b = between("null", null, 0, 1) * between("units", units, 0, math.inf), (1 - null) * units
    gain = float(betaln(a + x, b + total - x) - betaln(a, b))
    return gain - x * math.log(null) - (total - x) * math.log1p(-null)


def proportion_sequence(successes: int, n: int, *, planned_n: float, alpha: float = 0.05) -> Bounds:
    """Confidence sequence of one proportion by the beta-binomial mixture; exact for independent yes or no outcomes.

    Args:
        successes: 0 to n.
        n: units so far.
        planned_n: units at which the interval shall be tightest, positive.
        alpha: error over the whole life, in (0, 1).

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Howard et al. (2021), proposition 6, solved for the null.

    >>> result = proportion_sequence(700, 1000, planned_n=100)
    >>> round(result.ci_low, 5), round(result.ci_high, 5)
    (0.65163, 0.74595)
    """
    x, total = checked_pair("the sample", successes, n)
    units = prior_units(planned_n, alpha=alpha)
    low = _lower_end(x, total, units, alpha)
    high = 1 - _lower_end(total - x, total, units, alpha)
    return Bounds(x / total if total else None, low, high)


def _lower_end(x: int, n: int, units: float, alpha: float) -> float:
    """The smallest null that is not rejected; found over ln(null), since it may be of any small size."""
    if x == 0:
        return 0.0
    rate = x / n if x < n else 1 - 0.5 / n

    def above(log_null: float) -> float:
        return log_e_proportion(x, n, null=math.exp(log_null), units=units) + math.log(alpha)

    start, end = math.log(rate) - 40, math.log(rate)
    while above(end) > 0:
        # All or nearly all successes: the least rejected null lies above every float below the rate.
        end = math.log1p(-(1 - math.exp(end)) / 2)
    return math.exp(bracketed_root(above, start, end)) if above(start) > 0 else 0.0


def two_proportion_sequence(
    control_successes: int,
    control_n: int,
    treatment_successes: int,
    treatment_n: int,
    *,
    planned_n: float,
    alpha: float = 0.05,
) -> Bounds:
    """Confidence sequence of a difference of proportions, treatment minus control: two sequences at alpha / 2 each.

    Exact and simple, and wider than need be; `log_e_contingency` is the sharper test of no difference.

    Args:
        control_successes: 0 to control_n.
        control_n: units of the control.
        treatment_successes: 0 to treatment_n.
        treatment_n: units of the treatment.
        planned_n: units a variant at which the interval shall be tightest.
        alpha: error over the whole life, in (0, 1).

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Howard et al. (2021), proposition 6, with a union bound.

    >>> result = two_proportion_sequence(500, 1000, 700, 1000, planned_n=1000)
    >>> round(result.ci_low, 3), round(result.ci_high, 3)
    (0.1, 0.298)
    """
    control = proportion_sequence(control_successes, control_n, planned_n=planned_n, alpha=alpha / 2)
    treatment = proportion_sequence(treatment_successes, treatment_n, planned_n=planned_n, alpha=alpha / 2)
    return difference(control, treatment)


def difference(control: Bounds, treatment: Bounds) -> Bounds:
    """The difference of two sequences, treatment minus control, each made at alpha / 2.

    >>> difference(Bounds(0.5, 0.25, 0.75), Bounds(0.75, 0.5, 1.0))
    Bounds(estimate=0.25, ci_low=-0.25, ci_high=0.75)
    """
    missing = control.estimate is None or treatment.estimate is None
    estimate = None if missing else (treatment.estimate or 0.0) - (control.estimate or 0.0)
    return Bounds(estimate, treatment.ci_low - control.ci_high, treatment.ci_high - control.ci_low)


def log_e_contingency(
    control_successes: "ArrayLike",
    control_n: "ArrayLike",
    treatment_successes: "ArrayLike",
    treatment_n: "ArrayLike",
    *,
    prior: float = CONTINGENCY_PRIOR,
) -> "NDArray[np.float64]":
    """Natural logarithm of the 2 x 2 e-process against H0: both variants have the same proportion, block after block.

    Each block bets that its two proportions are those estimated from the blocks before it; its e-value divides their
    likelihood by that of the pooled proportion. Blocks may be single pairs, days or permuted blocks of any size that
    does not depend on their own outcomes.

    Args:
        control_successes: successes within each block, shape (blocks,).
        control_n: control's units within each block, shape (blocks,).
        treatment_successes: as above.
        treatment_n: as above.
        prior: successes and failures that each variant is credited with beforehand, positive.

    Returns:
        The logarithm after each block, shape (blocks,).

    Raises:
        InvalidInput: for shapes that differ or counts that no block has.

    References:
        Turner, Ly & Grunwald (2024), arXiv 2106.02693.

    >>> log_e_contingency([0, 0, 0, 0], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]).round(3).tolist()[1:]
    [1.102, 2.33, 3.606]
    """
    import numpy as np
    from scipy.special import xlogy

    xc, nc = pairs_of_looks(("control_successes", "control_n"), control_successes, control_n)
    xt, nt = pairs_of_looks(("treatment_successes", "treatment_n"), treatment_successes, treatment_n)
    if xc.shape != xt.shape:
        raise InvalidInput(f"{xc.size} control blocks do not fit {xt.size} treatment blocks. Give both for each block.")
    between("prior", prior, 0, math.inf)
    rate_c = (prior + np.cumsum(xc) - xc) / (2 * prior + np.cumsum(nc) - nc)
    rate_t = (prior + np.cumsum(xt) - xt) / (2 * prior + np.cumsum(nt) - nt)
    n = np.maximum(nc + nt, 1)
    pooled = (nc * rate_c + nt * rate_t) / n
    gain = xlogy(xc, rate_c) + xlogy(nc - xc, 1 - rate_c) + xlogy(xt, rate_t) + xlogy(nt - xt, 1 - rate_t)
    return np.asarray(np.cumsum(gain - xlogy(xc + xt, pooled) - xlogy(nc + nt - xc - xt, 1 - pooled)), dtype=np.float64)
