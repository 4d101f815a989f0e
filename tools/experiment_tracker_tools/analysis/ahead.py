"""The price of knowing more: what going on would take and bring, and how many units would resolve it."""

import math
from collections.abc import Sequence
from datetime import datetime

from experiment_tracker_tools.analysis.asking import Room, estimates_along, good_sign
from experiment_tracker_tools.analysis.lines import Line
from experiment_tracker_tools.analysis.phasing import days_at_this_share
from experiment_tracker_tools.analysis.points import Point, grid_of, is_exact
from experiment_tracker_tools.analysis.rules import SAFETY_ALPHA, futility_bounds, success_alphas
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.seen import Ahead
from experiment_tracker_tools.domain.trial import Entry
from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.power_means import n_per_variant
from experiment_tracker_tools.stats.reestimation import conditional_power

_DAY = 86_400
_NEAREST = 1e-4


def is_futile(room: Room, look: int) -> bool:
    """Whether a gain of the mde has become unlikely for every treatment, by the plan's beta spending."""
    plan = room.experiment.plan
    alpha = success_alphas(room.experiment)[0]
    if not plan.futility or plan.method != "sequential" or plan.power <= alpha or room.grid.times[look] >= 1:
        return False
    bound = futility_bounds(room.grid, alpha=alpha, power=plan.power)[look]
    return all(_z(room, treatment.name, look) <= bound for treatment in room.experiment.treatments)


def ahead_of(
    room: Room,
    lines: Sequence[Line],
    point: Point,
    *,
    arrived: int,
    now: datetime,
    phases: Sequence[Entry[PhaseStart]] = (),
) -> Ahead | None:
    """What is left up to the plan's horizon; None where a plan has none, or it is reached.

    The chance is that of the success test, or, where that has its answer, that of the guardrails that it waits for.
    """
    experiment, plan = room.experiment, room.experiment.plan
    if plan.endless or arrived >= plan.horizon:
        return None
    started = experiment.entered("running")
    days = days_at_this_share(experiment, phases, now=now)
    if days is None:
        days = max((now - started.at).total_seconds() / _DAY, 0.0) if started else 0.0
    units = plan.horizon - arrived
    left = units * days / arrived if days > 0 and arrived else None
    return Ahead(units=units, days=None if left is None else round(left, 2), chance=_chance(room, lines, point))


def resolving_n(room: Room, look: int) -> int | None:
    """Units per variant with which the plan's mde is found at its power, given the noise that was seen."""
    experiment = room.experiment
    mde, plan = experiment.primary.mde, experiment.plan
    found = estimates_along(room, experiment.primary, experiment.treatments[0].name)
    se, units = float(found.se[look]), room.grid.units[look]
    if mde is None or se <= 0 or not 0 < mde < 1:
        return None
    sd = se / math.sqrt(1 / units[0] + 1 / units[1])
    effect = abs(math.log1p(good_sign(experiment.primary) * mde)) if bool(found.log[look]) else mde
    try:
        return n_per_variant(effect, sd=sd, alpha=success_alphas(experiment)[0], power=plan.power).n_control
    except InvalidInput:
        return None


def _z(room: Room, treatment: str, look: int) -> float:
    found = estimates_along(room, room.experiment.primary, treatment)
    effect, se = float(found.effect[look]), float(found.se[look])
    return good_sign(room.experiment.primary) * effect / se if se > 0 else 0.0


def _chance(room: Room, lines: Sequence[Line], point: Point) -> float | None:
    """The probability of still crossing, under the trend so far, of the best treatment on its likelier side."""
    look, times = len(room.grid.times) - 1, list(room.grid.times)
    if room.grid.method != "sequential" or point.time >= 1:
        return None
    experiment = room.experiment
    grid = grid_of(experiment) if not is_exact(experiment) else (0.5, 0.75, 1.0)
    times += [time for time in grid if time - times[-1] >= _NEAREST]
    speaking = [t for t, may in zip(times, [*room.grid.speaks, *[True] * (len(times) - look - 1)], strict=True) if may]
    if len(speaking) < 2 or speaking[-1] <= point.time:
        return None
    if times[look] not in speaking:
        return None
    place = speaking.index(times[look])
    if any(line.question == "better" and line.first is not None for line in lines):
        bounds = boundaries(speaking, alpha=SAFETY_ALPHA, sides=1)
        open_ones = [line.statistic[look] for line in lines if line.question == "safe" and line.first is None]
        chances = [conditional_power(z, boundary=bounds, look=place) for z in open_ones if math.isfinite(z)]
        return round(min(1.0, *chances), 3) if chances else None
    bounds = boundaries(speaking, alpha=success_alphas(experiment)[0])
    best = max((_z(room, treatment.name, look) for treatment in experiment.treatments), key=abs)
    return round(min(1.0, conditional_power(abs(best), boundary=bounds, look=place)), 3)
