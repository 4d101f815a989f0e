"""What a look's own effect makes suspicious: a gain too good to be true, and one that wears off. Neither halts.

References:
    Box (1980), JRSS A 143(4), 383-430, prior predictive check. Kohavi, Tang & Xu (2020), chapter 3, Twyman's law and
    novelty.
"""

import math
from typing import TYPE_CHECKING

from experiment_tracker_tools.analysis.asking import Room, estimates_along, good_sign
from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.lines import scale_of
from experiment_tracker_tools.analysis.points import Point
from experiment_tracker_tools.analysis.series import reduced, values_of
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.health import Finding
from experiment_tracker_tools.stats.health import Novelty, novelty, twyman_alarm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NOVELTY_AT = 0.01
# Of a plan that says neither mde nor belief: gains of up to about 50% of a time are believed.
_USUAL_EFFECT = 0.25
_UNITS_OF_PERIOD, _LEAST_PERIODS, _MOST_PERIODS = 20, 3, 10


def too_good(room: Room, look: int) -> tuple[Finding, ...]:
    """Gains far beyond what the plan expects: its stated prior or its mde, whichever is wider."""
    experiment, primary = room.experiment, room.experiment.primary
    found: list[Finding] = []
    for treatment in experiment.treatments:
        seen = estimates_along(room, primary, treatment.name)
        gain, se = good_sign(primary) * float(seen.effect[look]), float(seen.se[look])
        usual = plausible(experiment, log=bool(seen.log[look]))
        alarm = twyman_alarm(gain, se, plausible_sd=usual)
        if gain <= 0 or not alarm.alarm:
            continue
        shown = abs(math.expm1(good_sign(primary) * gain)) if bool(seen.log[look]) else gain
        told = (
            f"{treatment.name}: a gain of {shown:.0%} is too good to be true (z = {alarm.z:.1f}, plausible "
            f"±{usual:.2g}): check how it was measured and assigned first."
        )
        numbers = {"z": alarm.z, "plausible_sd": usual}
        found.append(Finding(gate="too_good", told=told, numbers=numbers))
    return tuple(found)


def plausible(experiment: Experiment, *, log: bool) -> float:
    """The spread of gains that the plan expects, on the scale of the test."""
    primary, belief = experiment.primary, experiment.plan.belief
    if primary.mde is None:
        return belief.sd if belief else _USUAL_EFFECT
    size = abs(math.log1p(good_sign(primary) * primary.mde)) if log and primary.mde < 1 else primary.mde
    return max(size, belief.sd if belief else 0.0)


def wearing_off(experiment: Experiment, entries: Entries, room: Room, point: Point) -> tuple[Finding, ...]:
    """Gains that change as units come in, asked once, at the final look, of up to ten periods of equal size."""
    primary = experiment.primary
    posted = any(entry.content.metric == primary.name for entry in entries.aggregates)
    if primary.kind == "ratio" or posted:
        return ()
    units = reduced(experiment, values_of(experiment, entries, primary), primary, point)
    logs = scale_of(primary, room.along[primary.name]) == "logs"
    found: list[Finding] = []
    for number, treatment in enumerate(experiment.treatments, 1):
        trend = _trend(units.x, units.variants, units.entered, treatment=number, logs=logs)
        if trend is None or trend.p_value is None or trend.p_value >= NOVELTY_AT:
            continue
        sign = good_sign(primary)
        first, last = sign * (trend.first or 0.0), sign * (trend.last or 0.0)
        way = "wears off" if last < first else "grows"
        told = (
            f"The gain of {treatment.name} in {primary.name} {way} as units come in: {first:.3g} in the first third, "
            f"{last:.3g} in the last (p = {trend.p_value:.2g})."
        )
        found.append(Finding(gate="novelty", told=told, numbers={"p_value": trend.p_value, "first": first}))
    return tuple(found)


def _trend(
    x: "Array", variants: "NDArray[np.int64]", entered: "NDArray[np.int64]", *, treatment: int, logs: bool
) -> Novelty | None:
    """The trend over periods in order of arrival; the noise is that of all units, the same in every period."""
    import numpy as np

    mine = np.flatnonzero((variants == 0) | (variants == treatment))
    order = mine[np.argsort(entered[mine], kind="stable")]
    y, treated = np.log(x[order]) if logs else x[order], variants[order] == treatment
    fewest = int(min(treated.sum(), (~treated).sum()))
    periods = min(_MOST_PERIODS, fewest // _UNITS_OF_PERIOD)
    if periods < _LEAST_PERIODS:
        return None
    noise = [float(y[side].var(ddof=1)) for side in (~treated, treated)]
    effects, ses = list[float](), list[float]()
    for part in np.array_split(np.arange(len(y)), periods):
        sides = [y[part][~treated[part]], y[part][treated[part]]]
        if min(len(side) for side in sides) < 2:
            return None
        effects.append(float(sides[1].mean() - sides[0].mean()))
        ses.append(math.sqrt(sum(v / len(side) for v, side in zip(noise, sides, strict=True))))
    return novelty(effects, ses) if min(ses) > 0 else None
