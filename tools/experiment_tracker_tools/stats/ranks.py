"""Rank tests of two independent samples: Mann-Whitney with the Hodges-Lehmann shift, Brunner-Munzel.

References:
    Mann & Whitney (1947), Annals of Mathematical Statistics 18, 50-60. Hodges & Lehmann (1963), Annals of Mathematical
    Statistics 34, 598-611. Brunner & Munzel (2000), Biometrical Journal 42, 17-25.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.arrays import vector
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.samples import moments
from experiment_tracker_tools.stats.shift import nth_difference
from experiment_tracker_tools.stats.t_tests import satterthwaite, t_test
from experiment_tracker_tools.stats.tails import two_sided_z, z_quantile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

_MOST_EXACT = 60


class RankTest(NamedTuple):
    """A Mann-Whitney test with the Hodges-Lehmann shift.

    Attributes:
        shift: median of all treatment - control differences, in the metric's unit; None when a variant is empty.
        ci_low: lower end of the two-sided interval of the shift, confidence at least 1 - alpha (exact) or about it.
        ci_high: its upper end; both None when so few units cannot reach 1 - alpha.
        u: pairs in which treatment exceeds control, ties a half.
        p_value: two-sided, 0 to 1.
        log10_p: decimal logarithm of the p-value.
        exact: whether the p-value comes from the permutation distribution (with its ties), not from the normal.
        reason: why something is missing; None when nothing is.
    """

    shift: float | None
    ci_low: float | None
    ci_high: float | None
    u: float | None
    p_value: float | None
    log10_p: float | None
    exact: bool
    reason: str | None = None


class DominanceTest(NamedTuple):
    """A Brunner-Munzel test of P(treatment > control) + P(equal) / 2 against a half.

    Attributes:
        a12: the estimate of that probability, 0 to 1; None when a variant is empty.
        ci_low: lower end of its two-sided 1 - alpha interval.
        ci_high: its upper end.
        t: the statistic.
        df: degrees of freedom.
        p_value: two-sided, 0 to 1.
        log10_p: decimal logarithm of the p-value.
        reason: why there is no p-value; None when there is one.
    """

    a12: float | None
    ci_low: float | None
    ci_high: float | None
    t: float | None
    df: float | None
    p_value: float | None
    log10_p: float | None
    reason: str | None = None


def mann_whitney(
    control: "ArrayLike", treatment: "ArrayLike", *, exact: bool | None = None, alpha: float = 0.05
) -> RankTest:
    """The Mann-Whitney (Wilcoxon rank-sum) test, with the Hodges-Lehmann shift and its rank interval.

    Args:
        control: finite numbers, shape (n,).
        treatment: finite numbers, shape (m,).
        exact: the permutation distribution, exact with ties too, or the normal with tie and continuity correction;
            unset, exact up to 60 units together.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for other shapes, NaN or infinity, or alpha outside (0, 1).

    References:
        Hollander, Wolfe & Chicken (2014), Nonparametric Statistical Methods, 4.1 to 4.3.

    >>> result = mann_whitney([1.1, 2.2, 3.3, 4.4], [5.5, 6.6, 7.7, 8.8])
    >>> (round(result.p_value, 6), round(result.shift, 6))
    (0.028571, 4.4)
    """
    between("alpha", alpha, 0, 1)
    first, second = vector("control", control), vector("treatment", treatment)
    if not (first.size and second.size):
        return RankTest(None, None, None, None, None, None, exact=False, reason="A variant is empty.")
    n0, n1 = first.size, second.size
    doubled = _doubled_ranks(first, second)
    u = float(doubled[n0:].sum()) / 2 - n1 * (n1 + 1) / 2
    use_exact = n0 + n1 <= _MOST_EXACT if exact is None else exact
    p = _exact_p(doubled, n1) if use_exact else _normal_log10_p(doubled, n1, u)
    tests = (u, p, math.log10(p), True) if use_exact else (u, 10**p, p, False)
    low, high, reason = _rank_interval(first, second, exact=use_exact, alpha=alpha)
    return RankTest(_median_difference(first, second), low, high, *tests, reason=reason)


def brunner_munzel(control: "ArrayLike", treatment: "ArrayLike", *, alpha: float = 0.05) -> DominanceTest:
    """The Brunner-Munzel test, which allows unequal spread; use it from about 10 units a variant.

    Args:
        control: finite numbers, shape (n,).
        treatment: finite numbers, shape (m,).
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for other shapes, NaN or infinity, or alpha outside (0, 1).

    References:
        Brunner & Munzel (2000), Biometrical Journal 42, 17-25.

    >>> result = brunner_munzel([1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1], [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4])
    >>> (round(result.a12, 4), round(result.p_value, 6))
    (0.789, 0.005786)
    """
    between("alpha", alpha, 0, 1)
    first, second = vector("control", control), vector("treatment", treatment)
    n0, n1 = first.size, second.size
    if not (n0 and n1):
        return DominanceTest(None, None, None, None, None, None, None, "A variant is empty.")
    below0, below1 = _placements(first, second), _placements(second, first)
    a12 = float(below1.mean())
    if min(n0, n1) < 2:
        return DominanceTest(a12, None, None, None, None, None, None, "It needs 2 units or more in each variant.")
    variance0, variance1 = moments(below0).m2 / (n0 - 1) / n0, moments(below1).m2 / (n1 - 1) / n1
    total, df = satterthwaite((variance0, n0 - 1), (variance1, n1 - 1))
    if total == 0:
        reason = "The samples do not overlap, or are constant: there is no spread to test against. Use Mann-Whitney."
        return DominanceTest(a12, None, None, None, None, None, None, reason)
    test = t_test(a12 - 0.5, math.sqrt(total), df, alpha=alpha)
    low, high = (None if end is None else min(max(end + 0.5, 0.0), 1.0) for end in (test.ci_low, test.ci_high))
    return DominanceTest(a12, low, high, test.t, df, test.p_value, test.log10_p)


def doubled_placements(values: "NDArray[np.float64]", others: "NDArray[np.float64]") -> "NDArray[np.int64]":
    """For each value twice how many of the others are below it, equal ones counted once.

    >>> import numpy as np
    >>> doubled_placements(np.array([2.0, 3.0]), np.array([1.0, 2.0]))
    array([3, 4])
    """
    import numpy as np

    ordered = np.sort(others)
    below = np.searchsorted(ordered, values, side="left")
    return np.asarray(below + np.searchsorted(ordered, values, side="right"), dtype=np.int64)


def _placements(values: "NDArray[np.float64]", others: "NDArray[np.float64]") -> "NDArray[np.float64]":
    return doubled_placements(values, others) / (2 * others.size)


def _doubled_ranks(first: "NDArray[np.float64]", second: "NDArray[np.float64]") -> "NDArray[np.int64]":
    """Twice the midranks in the pooled sample, which are whole; control's come first."""
    import numpy as np

    pooled = np.concatenate((first, second))
    return doubled_placements(pooled, pooled) + 1


def _rank_sum_counts(doubled: "NDArray[np.int64]", m: int) -> "NDArray[np.float64]":
    """How many of the subsets of m units have each doubled rank sum, as a distribution."""
    import numpy as np

    counts = np.zeros((m + 1, int(np.sort(doubled)[-m:].sum()) + 1))
    counts[0, 0] = 1.0
    for rank in doubled.tolist():
        if rank < counts.shape[1]:
            counts[1:, rank:] += counts[:-1, :-rank].copy()
    return np.asarray(counts[m] / counts[m].sum())


def _exact_p(doubled: "NDArray[np.int64]", m: int) -> float:
    import numpy as np

    distribution = _rank_sum_counts(doubled, m)
    centre = m * (doubled.size + 1)
    distances = np.abs(np.arange(distribution.size) - centre)
    return min(float(distribution[distances >= abs(int(doubled[-m:].sum()) - centre)].sum()), 1.0)


def _normal_log10_p(doubled: "NDArray[np.int64]", m: int, u: float) -> float:
    import numpy as np

    n = doubled.size
    ties = np.unique(doubled, return_counts=True)[1].astype(float)
    pairs = float(m) * (n - m)
    variance = pairs / 12 * (n + 1 - float((ties**3 - ties).sum()) / (n * (n - 1)))
    if variance <= 0:
        return 0.0
    return two_sided_z(max(abs(u - pairs / 2) - 0.5, 0.0) / math.sqrt(variance)).log10_p


def _median_difference(first: "NDArray[np.float64]", second: "NDArray[np.float64]") -> float:
    pairs = first.size * second.size
    return nth_difference(first, second, (pairs - 1) // 2) / 2 + nth_difference(first, second, pairs // 2) / 2


def _rank_interval(
    first: "NDArray[np.float64]", second: "NDArray[np.float64]", *, exact: bool, alpha: float
) -> tuple[float | None, float | None, str | None]:
    import numpy as np

    n0, n1 = first.size, second.size
    pairs = n0 * n1
    if exact:
        # Without ties, as the interval's coverage is stated for continuous values.
        counts = _rank_sum_counts(2 * np.arange(1, n0 + n1 + 1), n1)[n1 * (n1 + 1) :: 2]
        outside = int(np.searchsorted(np.cumsum(counts), alpha / 2, side="right"))
    else:
        sd = math.sqrt(pairs / 12 * (n0 + n1 + 1))
        outside = math.floor(pairs / 2 - z_quantile(alpha) * sd + 0.5)
    if outside < 1:
        reason = f"n = {n0} and {n1} are too few for an interval of confidence {1 - alpha:g}."
        return None, None, reason
    return nth_difference(first, second, outside - 1), nth_difference(first, second, pairs - outside), None
