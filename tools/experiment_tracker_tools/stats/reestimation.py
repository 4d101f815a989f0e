"""Looking ahead from an interim look, and changing the sample size without paying for it.

`blinded_n` needs no correction: it never sees which variant a unit had. `promising_zone` sees the effect and therefore
needs `inverse_normal`: the stages are combined with the weights that were planned, whatever their sizes became.

References:
    Kieser & Friede (2003), Statistics in Medicine 22(23), 3571-3581 (one-sample variance).
    Lan & Wittes (1988), Biometrics 44(2), 579-585 (conditional power).
    Spiegelhalter, Freedman & Blackburn (1986), Controlled Clinical Trials 7(1), 8-17 (predictive power).
    Mehta & Pocock (2011), Statistics in Medicine 30(28), 3267-3284 (promising zone).
    Cui, Hung & Wang (1999), Biometrics 55(3), 853-857. Lehmacher & Wassmer (1999), Biometrics 55(4), 1286-1290.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.stats import power_means
from experiment_tracker_tools.stats.bayes_normal import Normal
from experiment_tracker_tools.stats.boundaries import Boundary
from experiment_tracker_tools.stats.checks import Sides, at_least, between, finite
from experiment_tracker_tools.stats.power_means import SampleSize
from experiment_tracker_tools.stats.quadrature import even_panels
from experiment_tracker_tools.stats.recursion import crossing

if TYPE_CHECKING:
    from experiment_tracker_tools.stats.samples import Moments


def blinded_n(
    pooled: "Moments",
    effect: float,
    *,
    planned: int,
    at_most: int,
    alpha: float = 0.05,
    power: float = 0.8,
    allocation: float = 1.0,
    sides: Sides = 2,
) -> SampleSize:
    """The units needed, with the variance of all units so far, taken together without regard to their variant.

    Args:
        pooled: moments of every unit so far, both variants in one sample, at least 2 units.
        effect: the planned effect, in the metric's unit; not what was seen.
        planned: units planned in control; the number never falls below it.
        at_most: units in control that can be afforded, at least `planned`.
        alpha: error rate in (0, 1).
        power: wanted, in (alpha, 1).
        allocation: n_treatment / n_control.
        sides: 2 or 1.

    Raises:
        InvalidInput: for fewer than two units, no variance, or a number outside its range.

    >>> from experiment_tracker_tools.stats.samples import moments_from_sd
    >>> blinded_n(moments_from_sd(40, 10.0, 1.3), 0.5, planned=64, at_most=200)[:2]
    (108, 108)
    """
    between("at_most", at_most, planned - 1, math.inf)
    if not pooled.sd:
        raise InvalidInput("The units so far have no variance. Wait for more of them.")
    needed = power_means.n_per_variant(
        effect, sd=pooled.sd, alpha=alpha, power=power, allocation=allocation, sides=sides
    ).n_control
    control = min(max(needed, planned), at_most)
    treatment = math.ceil(control * allocation - 1e-9)
    reached = power_means.power(
        abs(effect), n_control=control, n_treatment=treatment, sd=pooled.sd, alpha=alpha, sides=sides
    )
    return SampleSize(control, treatment, reached)


def conditional_power(z: float, *, boundary: Boundary, look: int, drift: float | None = None) -> float:
    """The probability of still crossing the upper boundary, given the data so far.

    Args:
        z: statistic at the look.
        boundary: of all looks, those to come included.
        look: number of the look in the boundary, 0 for the first; not the last.
        drift: expected z at information 1 from here on; None for the trend seen so far.

    Raises:
        InvalidInput: if no look follows, or z is not finite.

    >>> from experiment_tracker_tools.stats.boundaries import boundaries
    >>> round(conditional_power(1.5, boundary=boundaries([0.5, 1.0]), look=0), 4)
    0.5855
    """
    time = _time(boundary, look)
    trend = finite("z", z) / math.sqrt(time)
    return _crossing_ahead(z, boundary, look, trend if drift is None else finite("drift", drift))


def predictive_power(z: float, *, boundary: Boundary, look: int, prior: Normal | None = None) -> float:
    """Conditional power averaged over what is believed about the effect, the data so far included.

    Args:
        z: statistic at the look.
        boundary: of all looks, those to come included.
        look: number of the look in the boundary, 0 for the first; not the last.
        prior: of the drift, the expected z at information 1; None for a flat one.

    Raises:
        InvalidInput: if no look follows, or a number is outside its range.

    >>> from experiment_tracker_tools.stats.boundaries import boundaries
    >>> round(predictive_power(1.5, boundary=boundaries([0.5, 1.0]), look=0), 4)
    0.5607
    """
    import numpy as np

    time = _time(boundary, look)
    precision, weighted = time, finite("z", z) * math.sqrt(time)
    if prior is not None:
        belief = 1 / between("prior sd", prior.sd, 0, math.inf) ** 2
        precision, weighted = precision + belief, weighted + finite("prior mean", prior.mean) * belief
    mean, sd = weighted / precision, 1 / math.sqrt(precision)
    drifts, weights = even_panels(mean - 8 * sd, mean + 8 * sd, width=7 * min(sd, 1.0))
    density = np.exp(-0.5 * ((drifts - mean) / sd) ** 2) / (sd * math.sqrt(2 * math.pi))
    powers = [_crossing_ahead(z, boundary, look, float(drift)) for drift in drifts]
    return float(weights @ (density * powers))


class Promise(NamedTuple):
    """What the interim data say about going on.

    Attributes:
        zone: "unfavourable", "promising" or "favourable".
        conditional_power: under the trend, with the planned size.
        information: at the end, as a fraction of the planned: 1 outside the promising zone.
        reached: conditional power under the trend with that information.
    """

    zone: Literal["unfavourable", "promising", "favourable"]
    conditional_power: float
    information: float
    reached: float


def promising_zone(
    z: float, *, time: float, critical: float, at_most: float, power: float = 0.8, least: float = 0.5
) -> Promise:
    """Whether more units are worth their cost, and how many; the end is tested by `inverse_normal` at `critical`.

    Args:
        z: statistic at the interim look.
        time: its information fraction, in (0, 1).
        critical: boundary on z at the end.
        at_most: largest information that can be afforded, as a multiple of the planned, 1 or more.
        power: conditional power aimed at; above it the zone is favourable.
        least: conditional power below which the zone is unfavourable.

    Raises:
        InvalidInput: for a number outside its range.

    >>> found = promising_zone(1.5, time=0.5, critical=1.97, at_most=2)
    >>> found.zone, round(found.information, 3), round(found.reached, 3)
    ('promising', 1.506, 0.8)
    """
    from scipy.special import ndtr, ndtri

    between("time", time, 0, 1)
    between("power", power, between("least", least, 0, 1), 1)
    at_least("at_most", at_most, 1)
    trend = finite("z", z) / math.sqrt(time)
    need = (finite("critical", critical) - math.sqrt(time) * z) / math.sqrt(1 - time)

    def reached(information: float) -> float:
        return float(ndtr(trend * math.sqrt(information - time) - need))

    now = reached(1.0)
    if now < least:
        return Promise("unfavourable", now, 1.0, now)
    if now >= power:
        return Promise("favourable", now, 1.0, now)
    wanted = time + ((need + float(ndtri(power))) / trend) ** 2 if trend > 0 else math.inf
    information = min(wanted, at_most)
    return Promise("promising", now, information, reached(information))


def inverse_normal(stages: Sequence[float], *, times: Sequence[float]) -> tuple[float, ...]:
    """The cumulative statistic after each stage, with the weights of the planned stages, valid for any real sizes.

    Args:
        stages: z of the data of each stage alone.
        times: information fractions planned for the ends of these stages, increasing.

    Raises:
        InvalidInput: if the lengths differ, or the times do not increase from above 0.

    >>> [round(z, 4) for z in inverse_normal([1.0, 2.0], times=[0.5, 1.0])]
    [1.0, 2.1213]
    """
    if len(stages) != len(times) or not stages:
        raise InvalidInput(f"{len(stages)} stages do not fit {len(times)} planned times. Give one time a stage.")
    score, before, cumulative = 0.0, 0.0, list[float]()
    for z, time in zip(stages, times, strict=True):
        between("time", time, before, math.inf)
        score += math.sqrt(time - before) * finite("z", z)
        cumulative.append(score / math.sqrt(time))
        before = time
    return tuple(cumulative)


def _time(boundary: Boundary, look: int) -> float:
    if not 0 <= look < len(boundary.times) - 1:
        raise InvalidInput(f"look = {look!r} has no look after it among {len(boundary.times)}. Give an interim look.")
    return boundary.times[look]


def _crossing_ahead(z: float, boundary: Boundary, look: int, drift: float) -> float:
    """The process starts anew at the look: what has been reached comes off the boundaries to come."""
    reached, start = z * math.sqrt(boundary.times[look]), boundary.times[look]
    times = [time - start for time in boundary.times[look + 1 :]]

    def ahead(side: Sequence[float]) -> list[float]:
        later = zip(times, side[look + 1 :], strict=True)
        return [(limit * math.sqrt(start + time) - reached) / math.sqrt(time) for time, limit in later]

    return math.fsum(crossing(times, ahead(boundary.lower), ahead(boundary.upper), drift=drift).above)
