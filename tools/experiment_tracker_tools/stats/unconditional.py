"""The largest probability that two binomial samples fall in a region of tables, over the unknown rate.

References:
    Suissa & Shuster (1985), J. Royal Statistical Society A 148, 317-327. Röhmel & Mansmann (1999), Biometrical
    Journal 41, 149-170 (the region's probability is monotone in the difference).
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_ZOOMS = 5
_PEAKS = 3
_TIE = 1e-8


def worst_probability(region: "NDArray[np.bool_]", *, difference: float = 0.0) -> float:
    """The largest P(table in region) over all control rates, treatment's rate being that plus `difference`.

    A grid, dense where the binomial is narrow, then closer and closer around its highest peaks.

    Args:
        region: which tables belong, shape (n_control + 1, n_treatment + 1), indexed by the successes.
        difference: -1 to 1.

    >>> import numpy as np
    >>> round(worst_probability(np.eye(2, dtype=bool)), 6)
    1.0
    """
    import numpy as np

    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    n0, n1 = region.shape[0] - 1, region.shape[1] - 1
    weights = region.astype(float)

    def at(angles: "NDArray[np.float64]") -> "NDArray[np.float64]":
        rates = low + (high - low) * np.sin(angles) ** 2
        return np.asarray(((_binomial(n0, rates) @ weights) * _binomial(n1, np.clip(rates + difference, 0, 1))).sum(1))

    angles = np.linspace(0, math.pi / 2, int(64 + 12 * math.sqrt(n0 + n1)))
    values = at(angles)
    best = float(values.max())
    step = float(angles[1])
    for peak in angles[np.argsort(values)[-_PEAKS:]]:
        centre, width = float(peak), step
        for _ in range(_ZOOMS):
            closer = np.clip(centre + width * np.linspace(-1, 1, 13), 0, math.pi / 2)
            near = at(closer)
            centre, width = float(closer[near.argmax()]), width / 6
            best = max(best, float(near.max()))
    return min(best, 1.0)


def _binomial(n: int, rates: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Binomial probabilities, shape (rates, n + 1)."""
    import numpy as np
    from scipy.special import gammaln, xlog1py, xlogy

    k = np.arange(n + 1)
    log_choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.asarray(np.exp(log_choose + xlogy(k, rates[:, None]) + xlog1py(n - k, -rates[:, None])))


def p_at_difference(control: tuple[int, int], treatment: tuple[int, int], difference: float) -> float:
    """The exact one-sided p-value of H0: p1 - p0 <= difference, tables ordered by the score statistic.

    Args:
        control: successes and n, n above 0.
        treatment: likewise.
        difference: -1 to 1.

    References:
        Chan & Zhang (1999), Biometrics 55, 1202-1209.

    >>> round(p_at_difference((0, 10), (5, 10), 0.0), 6)
    0.00639
    """
    (x0, n0), (x1, n1) = control, treatment
    z = _scores(n0, n1, difference)
    return worst_probability(z >= z[x0, x1] - _TIE * (1 + abs(z[x0, x1])), difference=difference)


def _scores(n0: int, n1: int, difference: float) -> "NDArray[np.float64]":
    """The score statistic of every table at a difference; as score.score_at_difference, for all tables at once."""
    import numpy as np

    x0, x1 = np.meshgrid(np.arange(n0 + 1.0), np.arange(n1 + 1.0), indexing="ij")
    total = n0 + n1
    flip = 2 * (x0 + x1) > total
    shift = np.where(flip, -difference, difference)
    few0, few1 = np.where(flip, n0 - x0, x0), np.where(flip, n1 - x1, x1)
    l2 = ((n1 + 2 * n0) * shift - total - few0 - few1) / total
    l1 = ((n0 * shift - total - 2 * few0) * shift + few0 + few1) / total
    l0 = few0 * shift * (1 - shift) / total
    q = (l2 / 3) ** 3 - l1 * l2 / 6 + l0 / 2
    p = np.copysign(np.sqrt(np.maximum((l2 / 3) ** 2 - l1 / 3, 0)), q)
    with np.errstate(divide="ignore", invalid="ignore"):
        angle = (math.pi + np.arccos(np.clip(np.nan_to_num(q / p**3), -1, 1))) / 3
        p0 = 2 * p * np.cos(angle) - l2 / 3
        for _ in range(2):
            slope = (3 * p0 + 2 * l2) * p0 + l1
            p0 -= np.where(slope == 0, 0.0, (((p0 + l2) * p0 + l1) * p0 + l0) / np.where(slope == 0, 1.0, slope))
        p0 = np.clip(p0, np.maximum(0, -shift), np.minimum(1, 1 - shift))
        p1 = np.clip(p0 + shift, 0, 1)
        z = (x1 / n1 - x0 / n0 - difference) / np.sqrt(p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1)
    return np.asarray(np.nan_to_num(z, nan=0.0, posinf=1e300, neginf=-1e300))
