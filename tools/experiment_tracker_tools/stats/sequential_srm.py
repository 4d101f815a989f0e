"""Sample ratio mismatch, watched at every look: the Dirichlet-multinomial e-process.

The counts' likelihood under shares drawn around the planned ones is compared with that under the planned shares.
Daily chi-square tests at 0.01 raise a false alarm in about 7% of sound experiments over four weeks; this does so in
at most 0.1% over any number of looks. It is meant for units assigned one by one, as by hashing; permuted blocks are
checked against their schedule.

References:
    Lindon & Malek (2022), Anytime-valid inference for multinomial count data, NeurIPS 35 (arXiv 2011.03567).
"""

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.arrays import finite_numbers
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.checks import shares as checked_shares
from experiment_tracker_tools.stats.counts import growing, whole_counts
from experiment_tracker_tools.stats.evalues import to_p

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

Verdict = Literal["ok", "warn", "halt"]
CONCENTRATIONS = (10.0, 100.0, 1000.0)
WARN_AT, HALT_AT = math.log(100), math.log(1000)


class SequentialSrm(NamedTuple):
    """The ratio check after the last look.

    Attributes:
        verdict: "halt" from e = 1000 at any look so far, "warn" from 100, else "ok".
        log_e: natural logarithm of the e-value at the last look.
        highest_log_e: the largest over all looks; it rules the verdict.
        p_value: always-valid p-value over all looks, exp(-highest_log_e), at most 1.
        first_halt: index of the first look with e >= 1000; None if there was none.
    """

    verdict: Verdict
    log_e: float
    highest_log_e: float
    p_value: float
    first_halt: int | None


def log_e_counts(
    counts: "ArrayLike", *, shares: "Sequence[float]", concentrations: "Sequence[float]" = CONCENTRATIONS
) -> "NDArray[np.float64]":
    """Natural logarithm of the e-value that counts fit their planned shares.

    Args:
        counts: units assigned to each variant since the start, shape (looks, variants).
        shares: planned share of each variant, adding up to 1.
        concentrations: how tightly the alternatives lie around the plan, in pseudo-units; evidence is averaged over
            them, so that small experiments with gross and large ones with slight mismatches are both caught.

    Returns:
        One logarithm a look, shape (looks,).

    Raises:
        InvalidInput: for a wrong shape, negative, fractional or falling counts, or shares that do not add up.

    References:
        Lindon & Malek (2022): ln B(k theta + x) - ln B(k theta) - sum x ln theta.

    >>> log_e_counts([[520, 480]], shares=[0.5, 0.5], concentrations=[1000.0]).round(4).tolist()
    [0.0535]
    """
    import numpy as np
    from scipy.special import gammaln, logsumexp

    theta = np.asarray(checked_shares(shares))
    x = _checked_counts(counts, theta.size)
    k: NDArray[np.float64] = np.asarray([between("concentration", value, 0, math.inf) for value in concentrations])
    if k.size == 0:
        raise InvalidInput("There are no concentrations. Leave them out to take the default.")
    prior = k[:, None] * theta
    n = x.sum(axis=1)
    gain = np.asarray(gammaln(prior[:, None, :] + x) - gammaln(prior)[:, None, :]).sum(axis=2)
    spread: NDArray[np.float64] = k[:, None] + n
    likelihood = np.asarray(gammaln(k))[:, None] - np.asarray(gammaln(spread)) - (x * np.log(theta)).sum(axis=1)
    return np.asarray(logsumexp(gain + likelihood, axis=0) - math.log(k.size), dtype=np.float64)


def sequential_srm(
    counts: "ArrayLike", *, shares: "Sequence[float]", concentrations: "Sequence[float]" = CONCENTRATIONS
) -> SequentialSrm:
    """Judge the ratio of the variants over all looks so far.

    Args:
        counts: units assigned to each variant since the start, one row a look, shape (looks, variants).
        shares: planned share of each variant, adding up to 1.
        concentrations: see `log_e_counts`.

    Raises:
        InvalidInput: see `log_e_counts`.

    References:
        Lindon & Malek (2022); Ville's inequality bounds P(e >= 1000 at any look) by 0.001.

    >>> sequential_srm([[500, 500], [1000, 1020]], shares=[0.5, 0.5]).verdict
    'ok'
    >>> sequential_srm([[500, 500], [900, 1200]], shares=[0.5, 0.5]).verdict
    'halt'
    """
    path = log_e_counts(counts, shares=shares, concentrations=concentrations)
    highest = float(path.max())
    verdict: Verdict = "halt" if highest >= HALT_AT else "warn" if highest >= WARN_AT else "ok"
    first = int((path >= HALT_AT).argmax()) if verdict == "halt" else None
    return SequentialSrm(verdict, float(path[-1]), highest, to_p(highest), first)


def _checked_counts(counts: "ArrayLike", variants: int) -> "NDArray[np.float64]":
    x = finite_numbers("counts", counts)
    if x.ndim != 2 or x.shape[0] == 0 or x.shape[1] != variants:
        raise InvalidInput(
            f"Counts of shape {x.shape} do not fit {variants} shares. Give one row a look, shape (looks, {variants})."
        )
    return growing("counts", whole_counts("counts", x))
