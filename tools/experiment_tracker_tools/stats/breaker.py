"""Circuit breaker for bad events (crashes, errors, lost data): a binomial e-process, readable after every unit.

H0: the rate is at most `limit`, e.g. three times the baseline. Evidence against it is averaged over the rates above
the limit, half of it near the limit and half over all of them, so that the breaker needs no guess of how bad it will
be: it trips at three failures of three and at a slight excess among a million.

References:
    Howard, Ramdas, McAuliffe & Sekhon (2021), Ann. Statist. 49(2), 1055-1080, proposition 7 (one-sided
    beta-binomial). Lindon & Malek (2022), arXiv 2011.03567 (ratio of two event counts).
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.counts import growing, pairs_of_looks
from experiment_tracker_tools.stats.evalues import to_p

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray


class Breaker(NamedTuple):
    """The breaker after the last look.

    Attributes:
        tripped: True once the e-value has reached 1 / alpha at any look.
        rate: events over units at the last look, a fraction 0 to 1; None without units.
        log_e: natural logarithm of the e-value at the last look.
        p_value: always-valid p-value over all looks against H0: rate <= limit.
        first_trip: index of the look that tripped it; None if none did.
    """

    tripped: bool
    rate: float | None
    log_e: float
    p_value: float
    first_trip: int | None


def log_e_rate(events: "ArrayLike", n: "ArrayLike", *, limit: float) -> "NDArray[np.float64]":
    """Natural logarithm of the e-value against H0: rate <= limit.

    Args:
        events: bad events since the start, one entry a look, shape (looks,).
        n: units since the start, as many as events or more, shape (looks,).
        limit: tolerated rate, in (0, 1).

    Returns:
        One logarithm a look, shape (looks,).

    Raises:
        InvalidInput: for counts that no process has, or a limit outside (0, 1).

    References:
        Howard et al. (2021), proposition 7, with two priors above the limit: Beta(1, max(1, 1 / limit - 1)), whose
        spread is of the limit's own size, and the uniform; the e-value is the mean of both.

    >>> log_e_rate([12], [100], limit=0.03).round(3).tolist()
    [6.01]
    """
    between("limit", limit, 0, 1)
    return _log_e(*_checked_path(events, n), limit)


def log_e_apart(events: "ArrayLike", n: "ArrayLike", *, limit: float) -> "NDArray[np.float64]":
    """The same for counts that need not be of one path, such as many simulated ones, of any shape.

    Args:
        events: bad events, each of 0 to n; n: units, of the same shape.
        limit: tolerated rate, in (0, 1).

    >>> log_e_apart([[12], [0]], [[100], [100]], limit=0.03).round(3).tolist()
    [[6.01], [-2.063]]
    """
    import numpy as np

    between("limit", limit, 0, 1)
    x, total = np.asarray(events, dtype=np.float64), np.asarray(n, dtype=np.float64)
    # Simulated counts repeat: each pair is computed once. A complex number is a pair that sorts fast.
    unique, index = np.unique((x + 1j * total).ravel(), return_inverse=True)
    return np.asarray(_log_e(unique.real, unique.imag, limit)[index].reshape(x.shape))


def _log_e(x: "NDArray[np.float64]", total: "NDArray[np.float64]", limit: float) -> "NDArray[np.float64]":
    import numpy as np

    null = x * math.log(limit) + (total - x) * math.log1p(-limit)
    gains = [
        _log_upper_beta(1 + x, b + total - x, limit) - _log_upper_beta(np.ones(1), np.full(1, b), limit)
        for b in (max(1.0, 1 / limit - 1), 1.0)
    ]
    return np.asarray(np.logaddexp(gains[0], gains[1]) - math.log(2) - null, dtype=np.float64)


def breaker(events: "ArrayLike", n: "ArrayLike", *, limit: float, alpha: float) -> Breaker:
    """Judge a stream of bad events over all looks so far.

    Args:
        events: bad events since the start, one entry a look, shape (looks,).
        n: units since the start, shape (looks,).
        limit: tolerated rate, in (0, 1), e.g. 3 times the baseline.
        alpha: probability of a false trip over the whole life, in (0, 1), from the plan's budget.

    Raises:
        InvalidInput: for counts that no process has, or a number outside (0, 1).

    References:
        Ville (1939): P(e >= 1 / alpha at any look) <= alpha.

    >>> breaker([0, 2, 9], [50, 100, 150], limit=0.03, alpha=0.05).first_trip is None
    True
    >>> breaker([0, 2, 15], [50, 100, 150], limit=0.03, alpha=0.05).first_trip
    2
    """
    threshold = -math.log(between("alpha", alpha, 0, 1))
    path = log_e_rate(events, n, limit=limit)
    x, total = _checked_path(events, n)
    tripped = bool((path >= threshold).any())
    rate = float(x[-1] / total[-1]) if total[-1] else None
    p_value = to_p(float(path.max()))
    return Breaker(tripped, rate, float(path[-1]), p_value, int((path >= threshold).argmax()) if tripped else None)


def share_of_events(rate_ratio: float, *, share: float) -> float:
    """Share of all events that the treatment may have when its rate is `rate_ratio` times the control's.

    With it the breaker compares two variants that run at once: `events` are the treatment's, `n` both variants'
    events, `limit` this share. Exact for Poisson counts, close for rare events.

    Args:
        rate_ratio: tolerated ratio of treatment's to control's rate, positive.
        share: treatment's share of the units, in (0, 1).

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Lindon & Malek (2022): given their sum, two Poisson counts are binomial.

    >>> share_of_events(3.0, share=0.5)
    0.75
    """
    weighted = between("rate_ratio", rate_ratio, 0, math.inf) * between("share", share, 0, 1)
    return weighted / (weighted + 1 - share)


def _checked_path(events: "ArrayLike", n: "ArrayLike") -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    x, total = pairs_of_looks(("events", "n"), events, n)
    growing("events", x)
    growing("units without an event", total - x)
    return x, total


def _log_upper_beta(a: "NDArray[np.float64]", b: "NDArray[np.float64]", limit: float) -> "NDArray[np.float64]":
    """Logarithm of the integral of p^(a-1) (1-p)^(b-1) over (limit, 1), also where that is below the smallest float."""
    import numpy as np
    from scipy.special import betaincc, betaln

    upper = betaincc(a, b, limit)
    tiny = upper < 1e-280
    result = betaln(a, b) + np.log(np.where(tiny, 1.0, upper))
    for i in np.flatnonzero(tiny).tolist():
        result[i] = _log_upper_series(float(a[i]), float(b[i]), 1 - limit)
    return np.asarray(result, dtype=np.float64)


def _log_upper_series(a: float, b: float, x: float) -> float:
    """Power series of the incomplete beta function around x = 0 (DLMF 8.17.8); its terms shrink by at least `ratio`."""
    import numpy as np
    from scipy.special import logsumexp

    ratio = (a + b) * x / (b + 1)
    k = np.arange(math.ceil(-45 / math.log(ratio)))
    terms = np.concatenate([[0.0], np.cumsum(np.log((a + b + k) * x / (b + 1 + k)))])
    return b * math.log(x) + a * math.log1p(-x) - math.log(b) + float(logsumexp(terms))
