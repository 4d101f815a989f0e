"""Every question of a plan, asked along its looks: by deviates against boundaries, or by the randomisation test."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.deviates import Estimates, Scale, estimates
from experiment_tracker_tools.analysis.evidence import evidence
from experiment_tracker_tools.analysis.exact import Answer, Blocks, ask
from experiment_tracker_tools.analysis.exact import Question as Exact
from experiment_tracker_tools.analysis.lines import Line, line, scale_of, stats_along
from experiment_tracker_tools.analysis.rules import (
    EQUIVALENCE_ALPHA,
    SAFETY_ALPHA,
    Grid,
    equivalence_bounds,
    harm_bounds,
    safety_bounds,
    success_bounds,
)
from experiment_tracker_tools.analysis.series import Samples
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.belief import Belief
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.seen import Question
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, POCOCK

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


class Room(NamedTuple):
    """What questions are answered from.

    Attributes:
        experiment: with its plan.
        grid: the looks.
        along: samples by metric at each look.
        blocks: by metric and treatment, for the comparisons that the randomisation test decides.
    """

    experiment: Experiment
    grid: Grid
    along: Mapping[str, Sequence[Samples]]
    blocks: Mapping[tuple[str, str], Blocks]


class Asked(NamedTuple):
    """A one-sided question.

    Attributes:
        question, name, treatment: see `Line`.
        metric: that is compared.
        shift: lift under the hypothesis, a fraction of control.
        sign: +1 where a larger treatment answers yes, -1 where a smaller one does.
        alpha: of harm; the others have their own.
        scale: another than the metric's own.
    """

    question: Question
    name: str
    treatment: str
    metric: Metric
    shift: float
    sign: int
    alpha: float = EQUIVALENCE_ALPHA
    scale: Scale | None = None


class Success(NamedTuple):
    """A success hypothesis along the looks: the good side's line, and the look of each side's crossing at an alpha."""

    line: Line
    good: int | None
    bad: int | None


def good_sign(metric: Metric) -> int:
    """+1 where larger is better, -1 where smaller is."""
    return 1 if metric.direction == "increase" else -1


def one_sided(room: Room, asked: Asked) -> Line:
    """A one-sided question along the looks."""
    blocks = room.blocks.get((asked.metric.name, asked.treatment)) if asked.scale is None else None
    if blocks is not None and (found := _exactly(room, asked, blocks)) is not None:
        return found
    scale = asked.scale or scale_of(asked.metric, room.along[asked.metric.name])
    statistic = _evidence(room, asked.metric, asked.treatment, scale, shift=asked.shift, sign=asked.sign)
    bounds = _bounds(room.grid, asked, scale)
    return line(asked.question, asked.name, asked.treatment, statistic=statistic, boundary=bounds)


def success(room: Room, metric: Metric, treatment: str, *, alpha: float) -> Success:
    """A success hypothesis at one error rate, two-sided; the line is signed so that larger is better."""
    import numpy as np

    sign = good_sign(metric)
    blocks = room.blocks.get((metric.name, treatment))
    if blocks is not None:
        answer = ask(blocks, Exact(alpha, 2, OBRIEN_FLEMING))
        good = answer.above == (sign > 0)
        found = _line_of(room, ("better", metric.name, treatment), answer, sides=2, side=1 if good else -1)
        first = _speaking(room, answer.look)
        return Success(found._replace(first=first), first if good else None, None if good else first)
    if room.grid.method == "bayesian":
        statistic, bounds = convinced_along(room, metric, treatment)
        other = -statistic
    else:
        scale = scale_of(metric, room.along[metric.name])
        statistic = _evidence(room, metric, treatment, scale, shift=0.0, sign=sign)
        other = _evidence(room, metric, treatment, scale, shift=0.0, sign=-sign)
        bounds = np.asarray(success_bounds(room.grid, alpha=alpha, scale=scale))
    above, below = np.flatnonzero(statistic >= bounds), np.flatnonzero(other >= bounds)
    good_at = int(above[0]) if above.size else None
    bad_at = int(below[0]) if below.size else None
    firsts = [at for at in (good_at, bad_at) if at is not None]
    first = min(firsts) if firsts else None
    if good_at is not None and bad_at is not None:
        good_at, bad_at = (good_at, None) if good_at < bad_at else (None, bad_at)
    seen = Line("better", metric.name, treatment, tuple(statistic.tolist()), tuple(bounds.tolist()), first)
    return Success(seen, good_at, bad_at)


def estimates_along(room: Room, metric: Metric, treatment: str) -> Estimates:
    """A treatment's gain over control at each look, on the scale on which it is about normal."""
    along = room.along[metric.name]
    scale = scale_of(metric, along)
    control = stats_along(along, room.experiment.control.name, scale=scale)
    return estimates(scale, control, stats_along(along, treatment, scale=scale))


def convinced_along(room: Room, metric: Metric, treatment: str) -> "tuple[Array, Array]":
    """Of a bayesian plan: the deviate of P(better) under the stated prior at each look, and what it must reach."""
    found = estimates_along(room, metric, treatment)
    statistic = posterior_deviates(found, room.experiment, sign=good_sign(metric))
    return statistic, convinced_bounds(room.grid, room.experiment)


def posterior_deviates(found: Estimates, experiment: Experiment, *, sign: int) -> "Array":
    """The deviates of P(better) under the plan's prior, of one experiment or of many."""
    import numpy as np

    belief = _belief(experiment)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = belief.sd**2 / (belief.sd**2 + found.se**2)
        mean = weight * sign * found.effect + (1 - weight) * belief.mean
        statistic = np.where(found.se > 0, mean / (np.sqrt(weight) * found.se), np.nan)
    return np.asarray(statistic)


def convinced_bounds(grid: Grid, experiment: Experiment) -> "Array":
    """What these must reach at each look."""
    import numpy as np
    from scipy.special import ndtri

    return np.asarray(np.where(grid.speaks, float(ndtri(_belief(experiment).convinced)), np.inf))


def _belief(experiment: Experiment) -> Belief:
    if (belief := experiment.plan.belief) is None:
        raise InvalidInput("A bayesian plan has no stated prior. Plan it with belief.")
    return belief


def _evidence(room: Room, metric: Metric, treatment: str, scale: Scale, *, shift: float, sign: int) -> "Array":
    along = room.along[metric.name]
    control = stats_along(along, room.experiment.control.name, scale=scale)
    return evidence(room.grid, scale, control, stats_along(along, treatment, scale=scale), shift=shift, sign=sign)


def _bounds(grid: Grid, asked: Asked, scale: Scale) -> tuple[float, ...]:
    if asked.question == "harm":
        return harm_bounds(grid, alpha=asked.alpha, scale=scale)
    return safety_bounds(grid, scale=scale) if asked.question == "safe" else equivalence_bounds(grid, scale=scale)


def _exactly(room: Room, asked: Asked, blocks: Blocks) -> Line | None:
    """By the randomisation test, where the hypothesis is no effect, or a ratio and the values are logarithms."""
    if asked.shift and scale_of(asked.metric, room.along[asked.metric.name]) != "logs":
        return None
    harm = asked.question == "harm"
    alpha = asked.alpha if harm else SAFETY_ALPHA
    shift = math.log1p(asked.shift) if asked.shift else 0.0
    answer = ask(blocks, Exact(alpha, 1, POCOCK if harm else OBRIEN_FLEMING, shift, asked.sign))
    found = _line_of(room, (asked.question, asked.name, asked.treatment), answer, sides=1, side=1)
    return found if harm else found._replace(first=_speaking(room, answer.look))


def _speaking(room: Room, look: int | None) -> int | None:
    """The first look from that one on that may speak: the crossing stays until it may."""
    if look is None:
        return None
    return next((place for place in range(look, len(room.grid.times)) if room.grid.speaks[place]), None)


def _line_of(room: Room, names: tuple[Question, str, str], answer: Answer, *, sides: int, side: int) -> Line:
    from scipy.special import ndtri

    looks = len(room.grid.times)
    z = math.nan if answer.p_value is None else side * -float(ndtri(min(answer.p_value / sides, 1 - 1e-12)))
    bound = -float(ndtri(answer.spent / sides)) if answer.spent > 0 else math.inf
    return Line(*names, (z,) * looks, (bound,) * looks, answer.look)
