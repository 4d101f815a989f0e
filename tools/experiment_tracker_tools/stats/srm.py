"""Sample ratio mismatch at one look: do the counts of assigned units fit the planned shares?

References:
    Fabijan et al. (2019), Diagnosing sample ratio mismatch in online controlled experiments, KDD.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import count
from experiment_tracker_tools.stats.checks import shares as checked_shares
from experiment_tracker_tools.stats.tails import upper_chi_square

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

_MOST_OUTCOMES = 2_000_000


class SrmTest(NamedTuple):
    """A test of assigned counts against planned shares.

    Attributes:
        p_value: probability of counts at least this far from the shares when assignment works; None without units.
        log10_p: decimal logarithm of the p-value.
        chi_square: Pearson's statistic; None without units.
        df: number of variants - 1.
        expected: planned count of each variant, in units.
        reason: why there is no p-value; None when there is one.
    """

    p_value: float | None
    log10_p: float | None
    chi_square: float | None
    df: int
    expected: tuple[float, ...]
    reason: str | None = None


def _checked(counts: "Sequence[int]", shares: "Sequence[float]") -> tuple[tuple[int, ...], tuple[float, ...]]:
    if len(counts) != len(shares) or len(counts) < 2:
        raise InvalidInput(
            f"There are {len(counts)} counts and {len(shares)} shares. Give one of each for every variant, 2 or more."
        )
    return tuple(count("count", each) for each in counts), checked_shares(shares)


def chi_square_srm(counts: "Sequence[int]", shares: "Sequence[float]") -> SrmTest:
    """Pearson's chi-square test of assigned counts against planned shares.

    Args:
        counts: assigned units of each variant, whole numbers of 0 or more, 2 or more variants.
        shares: planned share of each variant, above 0, adding up to 1.

    Raises:
        InvalidInput: for negative or fractional counts, shares that do not add up, unequal lengths.

    References:
        Pearson (1900), Philosophical Magazine 50, 157-175; Fabijan et al. (2019).

    >>> result = chi_square_srm([5200, 4800], [0.5, 0.5])
    >>> f"{result.chi_square:g}, p = {result.p_value:.2g}"
    '16, p = 6.3e-05'
    """
    observed, planned = _checked(counts, shares)
    total = sum(observed)
    expected = tuple(total * share for share in planned)
    if total == 0:
        return SrmTest(None, None, None, len(planned) - 1, expected, "No unit was assigned yet.")
    chi_square = math.fsum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
    p_value, log10_p = upper_chi_square(chi_square, len(planned) - 1)
    return SrmTest(p_value, log10_p, chi_square, len(planned) - 1, expected)


def exact_srm(counts: "Sequence[int]", shares: "Sequence[float]") -> SrmTest:
    """The exact multinomial test of assigned counts, by the outcomes that are at most as likely as the observed one.

    Args:
        counts: assigned units of each variant, whole numbers of 0 or more; at most two million possible outcomes.
        shares: planned share of each variant, above 0, adding up to 1.

    Raises:
        InvalidInput: for negative or fractional counts, shares that do not add up, or too many outcomes.

    References:
        Read & Cressie (1988), Goodness-of-Fit Statistics for Discrete Multivariate Data, appendix.

    >>> round(exact_srm([9, 1], [0.5, 0.5]).p_value, 6)
    0.021484
    """
    import numpy as np
    from scipy.special import logsumexp

    observed, planned = _checked(counts, shares)
    total = sum(observed)
    expected = tuple(total * share for share in planned)
    outcomes = math.comb(total + len(planned) - 1, len(planned) - 1)
    if outcomes > _MOST_OUTCOMES:
        raise InvalidInput(
            f"{total} units in {len(planned)} variants can fall in {outcomes} ways, more than {_MOST_OUTCOMES}. "
            "Use the chi-square test."
        )
    if total == 0:
        return SrmTest(None, None, None, len(planned) - 1, expected, "No unit was assigned yet.")
    log_p = _log_probabilities(total, planned)
    own = math.fsum(n * math.log(share) - math.lgamma(n + 1) for n, share in zip(observed, planned, strict=True))
    limit = own + math.lgamma(total + 1) + 1e-7
    log_tail = min(float(logsumexp(log_p[log_p <= limit])), 0.0)
    chi_square = math.fsum((o - e) ** 2 / e for o, e in zip(observed, expected, strict=True))
    return SrmTest(float(np.exp(log_tail)), log_tail / math.log(10), chi_square, len(planned) - 1, expected)


def _log_probabilities(total: int, shares: tuple[float, ...]) -> "NDArray[np.float64]":
    """The log probability of every way in which the units can fall."""
    import numpy as np
    from scipy.special import gammaln

    left, log_p = np.array([total]), np.array([math.lgamma(total + 1)])
    for share in shares[:-1]:
        rows = np.repeat(np.arange(left.size), left + 1)
        starts = np.repeat(np.cumsum(left + 1) - left - 1, left + 1)
        taken = np.arange(rows.size) - starts
        log_p = log_p[rows] + taken * math.log(share) - gammaln(taken + 1)
        left = left[rows] - taken
    return np.asarray(log_p + left * math.log(shares[-1]) - gammaln(left + 1))
