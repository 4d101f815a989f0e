"""Health of an experiment's data: defects, outliers, novelty, crossed units, effects too good to be true.

References:
    Iglewicz & Hoaglin (1993), How to Detect and Handle Outliers. Box (1980), JRSS A 143(4), 383-430 (prior predictive
    checks). Kohavi, Tang & Xu (2020), Trustworthy Online Controlled Experiments, chapters 3 (Twyman's law) and 21.
"""

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats.breaker import log_e_rate
from experiment_tracker_tools.stats.checks import at_least, between, finite

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

OUTLIER_AT = 3.5
TWYMAN_AT = 3.0


class DefectShare(NamedTuple):
    """The share of missing or wrong records.

    Attributes:
        verdict: "halt" once the anytime-valid bound passes the limit, "warn" if only the share does, else "ok".
        share: defects over records, a fraction 0 to 1; None without records.
        ci_low: anytime-valid lower bound of the true share.
    """

    verdict: Literal["ok", "warn", "halt"]
    share: float | None
    ci_low: float


def defect_share(defects: int, n: int, *, limit: float = 0.05, error: float = 0.001) -> DefectShare:
    """Judge missing values (limit 5%) or wrong events (accuracy below 95%), at any look.

    Args:
        defects: missing or wrong records so far, 0 to n.
        n: records so far.
        limit: tolerated share, in (0, 1).
        error: probability that a share within the limit is ever halted, in (0, 1).

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Howard et al. (2021), proposition 7 (see `breaker`): halt where the e-value against share <= limit reaches
        1 / error; `ci_low` is the smallest share that it does not refute.

    >>> defect_share(8, 100).verdict, defect_share(90, 1000).verdict
    ('warn', 'halt')
    """
    from scipy.optimize import brentq

    between("limit", limit, 0, 1)
    threshold = -math.log(between("error", error, 0, 1))

    def above(log_share: float) -> float:
        return float(log_e_rate([defects], [n], limit=math.exp(log_share))[0]) - threshold

    ci_low = 0.0
    if above(math.log(1e-12)) > 0:
        top = math.log(min(max(defects / n, 2e-12), 1 - 1e-12))
        ci_low = math.exp(float(brentq(above, math.log(1e-12), top, xtol=1e-12)))
    share = defects / n if n else None
    verdict: Literal["ok", "warn", "halt"] = "ok" if share is None or share <= limit else "warn"
    return DefectShare("halt" if above(math.log(limit)) >= 0 else verdict, share, ci_low)


class Outliers(NamedTuple):
    """Values far from the bulk.

    Attributes:
        indices: positions of the outliers; None where the spread is not defined.
        centre: median, in the metric's unit; None without values.
        scale: 1.4826 times the median absolute deviation, the sd of a normal bulk; None without values.
        reason: why there is no answer; None if there is one.
    """

    indices: tuple[int, ...] | None
    centre: float | None
    scale: float | None
    reason: str | None


def outliers(values: "ArrayLike", *, cut: float = OUTLIER_AT) -> Outliers:
    """Find outliers by the robust z score; give durations as logarithms, or their long right tail is found.

    Args:
        values: finite numbers, shape (n,).
        cut: largest inconspicuous |value - median| / (1.4826 MAD), positive.

    Raises:
        InvalidInput: for a wrong shape, NaN or infinity.

    References:
        Iglewicz & Hoaglin (1993): 0.6745 |value - median| / MAD > 3.5.

    >>> outliers([9.8, 10.1, 10.0, 9.9, 10.2, 30.0]).indices
    (5,)
    """
    import numpy as np

    between("cut", cut, 0, math.inf)
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or not bool(np.all(np.isfinite(sample))):
        raise InvalidInput(
            f"The sample of shape {sample.shape} is not one-dimensional and finite. Count missing values."
        )
    if sample.size == 0:
        return Outliers(None, None, None, "no values")
    centre = float(np.median(sample))
    distance = np.abs(sample - centre)
    scale = 1.4826 * float(np.median(distance))
    if scale == 0:
        return Outliers(None, centre, 0.0, "more than half of the values are equal")
    return Outliers(tuple(np.flatnonzero(distance > cut * scale).tolist()), centre, scale, None)


class Novelty(NamedTuple):
    """The trend of an effect over the periods since the start.

    Attributes:
        slope: change of the effect per doubling of the period's number, in the effect's unit.
        se: its standard error.
        p_value: two-sided, that the effect does not change.
        first: effect of the first third of the periods, weighted by precision.
        last: effect of the last third.
        reason: why there is no answer; None if there is one.
    """

    slope: float | None
    se: float | None
    p_value: float | None
    first: float | None
    last: float | None
    reason: str | None


def novelty(effects: "Sequence[float]", ses: "Sequence[float]") -> Novelty:
    """Does the effect wear off (novelty) or grow (learning)? Weighted regression on the logarithm of the period.

    Args:
        effects: effect of each period (day, block) by itself, in order, at least 3.
        ses: their standard errors, positive.

    Raises:
        InvalidInput: if the lengths differ or a number is out of range.

    References:
        Kohavi, Tang & Xu (2020), chapter 3; weighted least squares with known variances (Cochran 1954).

    >>> round(novelty([0.4, 0.2, 0.1, 0.1], [0.05] * 4).p_value, 6)
    2e-06
    """
    import numpy as np
    from scipy.special import ndtr

    if len(effects) != len(ses):
        raise InvalidInput(f"{len(effects)} effects have {len(ses)} standard errors. Give one a period.")
    y = np.asarray([finite("effect", effect) for effect in effects])
    w: NDArray[np.float64] = np.asarray([between("se", se, 0, math.inf) for se in ses]) ** -2.0
    if y.size < 3:
        return Novelty(None, None, None, None, None, f"{y.size} periods, 3 needed")
    doublings = np.log2(np.arange(1, y.size + 1))
    x = doublings - float(np.dot(w, doublings) / w.sum())
    precision = float(np.dot(w, x * x))
    slope, se = float(np.dot(w, x * y)) / precision, 1 / math.sqrt(precision)
    third = y.size // 3
    first = float(np.dot(w[:third], y[:third]) / w[:third].sum())
    last = float(np.dot(w[-third:], y[-third:]) / w[-third:].sum())
    return Novelty(slope, se, 2 * float(ndtr(-abs(slope / se))), first, last, None)


class CrossedUnits(NamedTuple):
    """Units that met more than one variant.

    Attributes:
        units: different units seen.
        crossed: units seen in two variants or more.
        repeated: records that repeat a unit and variant already seen.
        share: crossed over units, a fraction 0 to 1; None without units.
    """

    units: int
    crossed: int
    repeated: int
    share: float | None


def crossed_units(exposures: "Iterable[tuple[str, str]]") -> CrossedUnits:
    """Count the units that met more than one variant, and the records that repeat an earlier one.

    Args:
        exposures: (unit, variant) of each record.

    References:
        Kohavi, Tang & Xu (2020), chapter 21: such units bias the comparison and hint at a broken assignment.

    >>> crossed_units([("u1", "a"), ("u1", "b"), ("u2", "a"), ("u2", "a")])
    CrossedUnits(units=2, crossed=1, repeated=1, share=0.5)
    """
    seen: dict[str, set[str]] = {}
    repeated = 0
    for unit, variant in exposures:
        met = seen.setdefault(unit, set())
        repeated += variant in met
        met.add(variant)
    crossed = sum(len(met) > 1 for met in seen.values())
    return CrossedUnits(len(seen), crossed, repeated, crossed / len(seen) if seen else None)


class Twyman(NamedTuple):
    """Is the effect too large to be believed at first sight?

    Attributes:
        alarm: True where the effect is further out than `TWYMAN_AT` predictive standard deviations.
        z: effect over its predictive standard deviation.
        p_value: two-sided probability of an effect at least as large, if plausible effects are as stated.
    """

    alarm: bool
    z: float
    p_value: float


def twyman_alarm(effect: float, se: float, *, plausible_sd: float) -> Twyman:
    """Twyman's law: a figure that looks interesting is usually wrong. Check logging before celebrating.

    Args:
        effect: estimated effect or lift.
        se: its standard error, 0 or more.
        plausible_sd: spread of true effects of past experiments, same unit; positive.

    Raises:
        InvalidInput: if a number is out of range.

    References:
        Box (1980): prior predictive check, effect ~ N(0, plausible_sd² + se²). Kohavi, Tang & Xu (2020), chapter 3.

    >>> twyman_alarm(0.5, 0.05, plausible_sd=0.1).alarm, twyman_alarm(0.1, 0.05, plausible_sd=0.1).alarm
    (True, False)
    """
    from scipy.special import ndtr

    spread = math.hypot(between("plausible_sd", plausible_sd, 0, math.inf), at_least("se", se, 0))
    z = finite("effect", effect) / spread
    return Twyman(abs(z) > TWYMAN_AT, z, 2 * float(ndtr(-abs(z))))
