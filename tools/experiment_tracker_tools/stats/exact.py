"""Exact tests of two proportions, for counts too small for a normal approximation.

Fisher's test holds both margins fixed; Barnard's and Boschloo's hold only the sample sizes and take the worst rate.
Tables whose statistics differ by rounding only count as tied.

References:
    Boschloo (1970), Statistica Neerlandica 24, 1-9. Suissa & Shuster (1985), J. Royal Statistical Society A 148,
    317-327. Lydersen, Fagerland & Laake (2009), Statistics in Medicine 28, 1159-1175.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.counts import Pair, checked_pair, rate_difference
from experiment_tracker_tools.stats.roots import bracketed_root
from experiment_tracker_tools.stats.unconditional import p_at_difference, worst_probability

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TIE = 1e-9
_WIDTH = 1e-6
_MOST_TABLES = 1_000_000
_MOST_TABLES_INVERTED = 100_000
_MOST_UNITS = 10_000_000


class ExactTest(NamedTuple):
    """An exact test of equal rates.

    Attributes:
        effect: treatment's rate minus control's; None when a variant is empty.
        p_value: two-sided, 0 to 1.
        log10_p: decimal logarithm of the p-value.
        ci_low: lower end of the two-sided 1 - alpha interval of the effect, where the test has one.
        ci_high: its upper end.
        reason: why there is no p-value; None when there is one.
    """

    effect: float | None
    p_value: float | None
    log10_p: float | None
    ci_low: float | None = None
    ci_high: float | None = None
    reason: str | None = None


def fisher(control: Pair, treatment: Pair) -> ExactTest:
    """Fisher's exact test, two-sided by the tables that are at most as likely as the observed one.

    Args:
        control: successes and n.
        treatment: successes and n; together at most ten million units.

    Raises:
        InvalidInput: for counts out of range, or too many units.

    References:
        Fisher (1935), J. Royal Statistical Society 98, 39-82.

    >>> round(fisher((8, 10), (1, 6)).p_value, 6)
    0.034965
    """
    return _conditional(control, treatment, observed_share=1.0)


def fisher_mid_p(control: Pair, treatment: Pair) -> ExactTest:
    """Fisher's test with half the probability of the observed table: less conservative, not strictly exact.

    Args:
        control: successes and n.
        treatment: successes and n; together at most ten million units.

    Raises:
        InvalidInput: for counts out of range, or too many units.

    References:
        Lydersen, Fagerland & Laake (2009), section 3.4.

    >>> round(fisher_mid_p((8, 10), (1, 6)).p_value, 6)
    0.023164
    """
    return _conditional(control, treatment, observed_share=0.5)


def barnard(control: Pair, treatment: Pair) -> ExactTest:
    """Barnard's unconditional test with the pooled z statistic (Suissa and Shuster), two-sided.

    Args:
        control: successes and n.
        treatment: successes and n; (n + 1) of both multiplied at most a million.

    Raises:
        InvalidInput: for counts out of range, or too many units.

    References:
        Barnard (1947), Biometrika 34, 123-138; Suissa & Shuster (1985).

    >>> round(barnard((2, 12), (9, 15)).p_value, 5)
    0.02541
    """
    import numpy as np

    if (without := _checked(control, treatment, most_tables=_MOST_TABLES)) is not None:
        return without
    (x0, n0), (x1, n1) = control, treatment
    rows, columns = np.arange(n0 + 1)[:, None], np.arange(n1 + 1)[None, :]
    pooled = (rows + columns) / (n0 + n1)
    variance = pooled * (1 - pooled) * (1 / n0 + 1 / n1)
    gap = np.abs(columns / n1 - rows / n0)
    z = np.divide(gap, np.sqrt(variance), out=np.zeros_like(gap), where=variance > 0)
    return _result(control, treatment, worst_probability(z >= z[x0, x1] * (1 - _TIE)))


def boschloo(control: Pair, treatment: Pair, *, alpha: float = 0.05) -> ExactTest:
    """Boschloo's unconditional test, twice the smaller one-sided p, with an exact interval that agrees with it.

    The interval inverts Boschloo's test at 0 and Chan and Zhang's exact score test elsewhere, to 1e-6: 0 is in it
    (as an end, at the most) exactly when the p-value is above alpha.

    Args:
        control: successes and n.
        treatment: successes and n; (n + 1) of both multiplied at most 100,000 (315 a variant).
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for counts out of range, too many units, or alpha outside (0, 1).

    References:
        Boschloo (1970); Chan & Zhang (1999), Biometrics 55, 1202-1209.

    >>> result = boschloo((2, 12), (9, 15))
    >>> f"p = {result.p_value:.4f}, [{result.ci_low:.3f}, {result.ci_high:.3f}]"
    'p = 0.0261, [0.052, 0.726]'
    """
    between("alpha", alpha, 0, 1)
    if (without := _checked(control, treatment, most_tables=_MOST_TABLES_INVERTED)) is not None:
        return without
    (x0, n0), (x1, n1) = control, treatment
    failures = (n0 - x0, n0), (n1 - x1, n1)
    p_above = worst_probability(_at_least_as_large(control, treatment))
    p_below = worst_probability(_at_least_as_large(*failures))
    low = _limit(control, treatment, p_above, alpha / 2)
    high = -_limit(*failures, p_below, alpha / 2)
    return _result(control, treatment, min(1.0, 2 * min(p_above, p_below)))._replace(ci_low=low, ci_high=high)


def _limit(control: Pair, treatment: Pair, p_at_zero: float, level: float) -> float:
    """The smallest difference that the one-sided exact tests do not reject at `level`."""
    effect = treatment[0] / treatment[1] - control[0] / control[1]

    def excess(difference: float) -> float:
        return p_at_difference(control, treatment, difference) - level

    low, high = (_WIDTH, effect) if p_at_zero <= level else (-1.0, min(effect, 0.0))
    if excess(low) >= 0:
        return low
    return high if excess(high) <= 0 else bracketed_root(excess, low, high, tolerance=_WIDTH)


def _at_least_as_large(control: Pair, treatment: Pair) -> "NDArray[np.bool_]":
    """The tables whose one-sided Fisher p for a larger treatment rate is at most the observed one."""
    import numpy as np
    from scipy.special import gammaln

    (x0, n0), (x1, n1) = control, treatment

    def log_choose(n: int) -> "NDArray[np.float64]":
        k = np.arange(n + 1)
        return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))

    first, second, both = log_choose(n0), log_choose(n1), log_choose(n0 + n1)
    tails = np.empty((n0 + 1, n1 + 1))
    for successes in range(n0 + n1 + 1):
        columns = np.arange(max(0, successes - n0), min(n1, successes) + 1)
        weights = np.exp(second[columns] + first[successes - columns] - both[successes])
        tails[successes - columns, columns] = np.cumsum(weights[::-1])[::-1]
    return np.asarray(tails <= tails[x0, x1] * (1 + _TIE))


def _conditional(control: Pair, treatment: Pair, *, observed_share: float) -> ExactTest:
    import numpy as np
    from scipy.special import gammaln, logsumexp

    if (without := _checked(control, treatment)) is not None:
        return without
    (x0, n0), (x1, n1) = control, treatment
    successes = x0 + x1
    first = max(0, successes - n0)
    columns = np.arange(first, min(n1, successes) + 1)
    weights = -(
        gammaln(columns + 1)
        + gammaln(n1 - columns + 1)
        + gammaln(successes - columns + 1)
        + gammaln(n0 - successes + columns + 1)
    )
    log_p = weights - logsumexp(weights)
    observed = log_p[x1 - first]
    rarer = log_p <= observed + 1e-7
    rarer[x1 - first] = False
    parts = np.append(log_p[rarer], observed + math.log(observed_share))
    return _result(control, treatment, float(logsumexp(parts)), is_log=True)


def _checked(control: Pair, treatment: Pair, *, most_tables: int | None = None) -> ExactTest | None:
    """The result when there is nothing to test; None when there is."""
    n0, n1 = checked_pair("control", *control)[1], checked_pair("treatment", *treatment)[1]
    if most_tables and (n0 + 1) * (n1 + 1) > most_tables:
        raise InvalidInput(
            f"n = {n0} and {n1} make {(n0 + 1) * (n1 + 1)} tables, more than {most_tables}. Use the score test."
        )
    if n0 + n1 > _MOST_UNITS:
        raise InvalidInput(f"{n0 + n1} units are more than {_MOST_UNITS}. Use the score test.")
    if not (n0 and n1):
        return ExactTest(None, None, None, reason="A variant is empty.")
    return None


def _result(control: Pair, treatment: Pair, p: float, *, is_log: bool = False) -> ExactTest:
    log_p = min(p, 0.0) if is_log else math.log(min(p, 1.0))
    return ExactTest(rate_difference(control, treatment), math.exp(log_p), log_p / math.log(10))
