"""Rates compared within strata: the score test of one ratio, or one difference, that all strata share.

Strata count by n0 n1 / N (Cochran; Mantel & Haenszel), so that the statistic grows by independent steps from look to
look and its sign is that of the effect within strata. With few strata the variance is that of the most likely rates of
each under the hypothesis (Miettinen & Nurminen), times N / (N - 1): for equal rates it is the hypergeometric one at any
size, so that pairs give McNemar's test and the rest Mantel and Haenszel's; for other hypotheses tiny strata make it
larger than it need be. With many it is the sum of squares of the strata's own gaps, which asks for nothing within them.

References:
    Miettinen & Nurminen (1985), Statistics in Medicine 4, 213-226, section on stratified series. Cochran (1954),
    Biometrics 10, 417-451. Mantel & Haenszel (1959), JNCI 22, 719-748. Greenland & Robins (1985), Biometrics 41, 55-68,
    for the shared ratio and difference. McNemar (1947), Psychometrika 12, 153-157.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.checks import between
from experiment_tracker_tools.stats.proportions import ProportionTest
from experiment_tracker_tools.stats.rate_ratio import nearest
from experiment_tracker_tools.stats.score import crossing, rates_at_difference
from experiment_tracker_tools.stats.tails import two_sided_z, z_quantile
from experiment_tracker_tools.stats.within_strata import CLUSTERS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_LARGEST = 1 - 1e-12  # of ratio / (1 + ratio)


class Counts(NamedTuple):
    """One variant's successes and units in each stratum.

    Attributes:
        x: successes, shape (..., strata); n: units, likewise, 0 where the stratum has none.
        clusters: strata, counted as if they were of one size, from which on their own gaps tell the variance.
    """

    x: "Array"
    n: "Array"
    clusters: int = CLUSTERS


class SharedRatio(NamedTuple):
    """Mantel and Haenszel's ratio of rates and its interval.

    Attributes:
        ratio: treatment's over control's; None where control has no success in a stratum that counts.
        ci_low, ci_high: of the two-sided interval; None where the data allow any.
        reason: why something is missing; None when nothing is.
    """

    ratio: float | None
    ci_low: float | None
    ci_high: float | None
    reason: str | None = None


def counts_by_stratum(x: "ArrayLike", n: "ArrayLike", *, clusters: int = CLUSTERS) -> Counts:
    """Successes and units by stratum from anything that is an array.

    Raises:
        InvalidInput: for shapes that differ, or successes that are not among the units.

    >>> counts_by_stratum([1, 2], [10, 10]).n
    array([10., 10.])
    """
    import numpy as np

    successes, units = np.asarray(x, dtype=np.float64), np.asarray(n, dtype=np.float64)
    if successes.shape != units.shape or successes.ndim == 0:
        raise InvalidInput("Successes and units need one entry a stratum. Give arrays of one shape.")
    if ((successes < 0) | (successes > units)).any():
        raise InvalidInput("Successes are below 0 or above the units of a stratum. Give at most one a unit.")
    return Counts(successes, units, clusters)


def score_within(control: Counts, treatment: Counts, *, ratio: "ArrayLike" = 1.0) -> "Array":
    """The score statistic of H0: treatment's rate is `ratio` times control's in every stratum; NaN without variation.

    Args:
        control: by stratum, the last axis.
        treatment: the same strata.
        ratio: under the hypothesis, above 0; broadcasts with what is before the strata.

    >>> few, many = counts_by_stratum([2, 30], [20, 60]), counts_by_stratum([9, 40], [30, 60])
    >>> round(float(score_within(few, many)), 3)
    2.407
    """
    import numpy as np

    r = np.asarray(ratio, dtype=np.float64)[..., None]
    weights, rate_c, rate_t = _parts(control, treatment)
    gaps = weights * (rate_t - r * rate_c)
    near_c, near_t = nearest(rate_c, control.n, rate_t, treatment.n, ratio=r)
    near_c = np.minimum(near_c, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = r * r * near_c * (1 - near_c) / control.n + near_t * (1 - near_t) / treatment.n
    return _standardised(gaps, weights, spread, control, treatment)


def shared_rates(control: Counts, treatment: Counts) -> "tuple[Array, Array]":
    """Both variants' rates averaged over the strata by their weights; their ratio and difference are the shared ones.

    >>> few, many = counts_by_stratum([2, 30], [20, 60]), counts_by_stratum([9, 40], [30, 60])
    >>> [round(float(rate), 4) for rate in shared_rates(few, many)]
    [0.3857, 0.5619]
    """
    import numpy as np

    weights, rate_c, rate_t = _parts(control, treatment)
    with np.errstate(invalid="ignore"):
        means = [np.asarray((weights * rate).sum(axis=-1) / weights.sum(axis=-1)) for rate in (rate_c, rate_t)]
    return means[0], means[1]


def strata_compared(control: Counts, treatment: Counts) -> int:
    """How many strata have units of both.

    >>> strata_compared(counts_by_stratum([0, 1, 2], [0, 10, 10]), counts_by_stratum([1, 1, 1], [10, 10, 10]))
    2
    """
    return int(((control.n > 0) & (treatment.n > 0)).any(axis=tuple(range(control.n.ndim - 1))).sum())


def are_many(control: Counts, treatment: Counts) -> bool:
    """Whether the strata's own gaps tell the variance: `clusters` of them or more, with none that outweighs the rest.

    >>> are_many(counts_by_stratum([1] * 20, [2] * 20), counts_by_stratum([1] * 20, [2] * 20))
    True
    >>> are_many(counts_by_stratum([1] * 20, [2] * 19 + [900]), counts_by_stratum([1] * 20, [2] * 19 + [900]))
    False
    """
    return bool(_many(_parts(control, treatment)[0], control.clusters).all())


def difference_within(control: Counts, treatment: Counts, *, alpha: float = 0.05) -> ProportionTest:
    """The score test of equal rates within strata, with the interval of the shared difference that inverts it.

    Args:
        control: by stratum, shape (strata,).
        treatment: the same strata.
        alpha: 1 - confidence of the two-sided interval, 0 to 1 exclusive.

    Raises:
        InvalidInput: for alpha outside (0, 1).

    >>> few, many = counts_by_stratum([2, 30], [20, 60]), counts_by_stratum([9, 40], [30, 60])
    >>> found = difference_within(few, many)
    >>> f"{found.effect:.3f} [{found.ci_low:.3f}, {found.ci_high:.3f}], p = {found.p_value:.3f}"
    '0.176 [0.033, 0.310], p = 0.016'
    """
    level = z_quantile(between("alpha", alpha, 0, 1))
    effect = _effect(control, treatment)
    if effect is None:
        return ProportionTest(None, None, None, None, None, None, "No stratum has units of both variants.")

    def score(difference: float) -> float:
        return _score_at(control, treatment, difference)

    low, high = crossing(score, level, -1.0, effect), crossing(score, -level, effect, 1.0)
    z = float(score_within(control, treatment))
    if math.isnan(z):
        reason = "No stratum has both outcomes: there is nothing to compare."
        return ProportionTest(effect, low, high, None, None, None, reason)
    return ProportionTest(effect, low, high, z, *two_sided_z(z))


def ratio_within(control: Counts, treatment: Counts, *, alpha: float = 0.05) -> SharedRatio:
    """The shared ratio of the rates, with the interval that inverts the score test.

    Args:
        control: by stratum, shape (strata,).
        treatment: the same strata.
        alpha: 1 - confidence, 0 to 1 exclusive.

    Raises:
        InvalidInput: for alpha outside (0, 1).

    >>> few, many = counts_by_stratum([2, 30], [20, 60]), counts_by_stratum([9, 40], [30, 60])
    >>> [round(each, 3) for each in ratio_within(few, many)[:3]]
    [1.457, 1.071, 2.022]
    """
    level = z_quantile(between("alpha", alpha, 0, 1))
    rate_c, rate_t = (float(rate) for rate in shared_rates(control, treatment))
    if not rate_c + rate_t > 0:
        return SharedRatio(None, None, None, "No unit succeeded in a stratum of both variants: any ratio fits.")

    def score(fraction: float) -> float:
        z = float(score_within(control, treatment, ratio=fraction / (1 - fraction)))
        return 0.0 if math.isnan(z) else z

    middle = min(max(rate_t / (rate_c + rate_t), 1 - _LARGEST), _LARGEST)
    low = crossing(score, level, 1 - _LARGEST, middle) if rate_t else 0.0
    high = crossing(score, -level, middle, _LARGEST) if rate_c else 1.0
    return SharedRatio(
        rate_t / rate_c if rate_c else None,
        low / (1 - low) if low > 1 - _LARGEST else 0.0,
        high / (1 - high) if high < _LARGEST else None,
        None if high < _LARGEST else "The control's successes are too few to bound the ratio from above.",
    )


def _parts(control: Counts, treatment: Counts) -> "tuple[Array, Array, Array]":
    """The weights of the strata, 0 where one variant has no unit, and both rates."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.nan_to_num(control.n * treatment.n / (control.n + treatment.n))
        rates = [np.where(each.n > 0, each.x / each.n, 0.0) for each in (control, treatment)]
    return weights, rates[0], rates[1]


def _standardised(gaps: "Array", weights: "Array", spread: "Array", control: Counts, treatment: Counts) -> "Array":
    """The sum of the strata's gaps by its standard error: from their own sizes where many count, else from `spread`."""
    import numpy as np

    # What rounding leaves of a gap that is none must not become a variance.
    gaps = np.where(np.abs(gaps) > 1e-12 * weights, gaps, 0.0)
    units = control.n + treatment.n
    with np.errstate(divide="ignore", invalid="ignore"):
        parts: Array = np.where(weights > 0, weights**2 * spread * units / (units - 1), 0.0)
        own: Array = np.asarray((gaps**2).sum(axis=-1))
        variance: Array = np.where(_many(weights, control.clusters), own, parts.sum(axis=-1))
        z = gaps.sum(axis=-1) / np.sqrt(variance)
    return np.asarray(np.where(variance > 1e-300, z, np.nan), dtype=np.float64)


def _many(weights: "Array", clusters: int) -> "NDArray[np.bool_]":
    import numpy as np

    return np.asarray(weights.sum(axis=-1) ** 2 >= (clusters - 1e-9) * (weights**2).sum(axis=-1))


def _effect(control: Counts, treatment: Counts) -> float | None:
    """The shared difference of the rates."""
    rate_c, rate_t = shared_rates(control, treatment)
    found = float(rate_t - rate_c)
    return None if math.isnan(found) else found


def _score_at(control: Counts, treatment: Counts, difference: float) -> float:
    """The score statistic of H0: rates differ by `difference` in every stratum; infinite where H0 has no variation."""
    import numpy as np

    weights, rate_c, rate_t = _parts(control, treatment)
    spread = np.zeros(len(weights))
    for k in np.flatnonzero(weights > 0).tolist():
        (x0, n0), (x1, n1) = ((round(each.x[k]), round(each.n[k])) for each in (control, treatment))
        p0, p1 = rates_at_difference((x0, n0), (x1, n1), difference)
        spread[k] = p0 * (1 - p0) / n0 + p1 * (1 - p1) / n1
    gaps = weights * (rate_t - rate_c - difference)
    z = float(_standardised(gaps, weights, spread, control, treatment))
    total = float(gaps.sum())
    return z if not math.isnan(z) else math.copysign(math.inf, total) if abs(total) > 1e-12 * weights.sum() else 0.0
