"""The plan's boundaries at its looks, as arrays: what each statistic must reach, for one experiment or for simulations.

Success spends alpha like O'Brien and Fleming on both sides, harm its share of the one budget like Pocock, a guardrail's
safety and each side of equivalence 5% like O'Brien and Fleming. Plans without horizon have always-valid boundaries,
their rates those of e-values.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from experiment_tracker_tools.analysis.deviates import Scale
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.harm import PRIMARY_LOSS, Breaker
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.plan import Method
from experiment_tracker_tools.stats.anytime_t import prior_precision, t_boundary
from experiment_tracker_tools.stats.boundaries import boundaries
from experiment_tracker_tools.stats.checks import Alternative, Sides
from experiment_tracker_tools.stats.futility import futility
from experiment_tracker_tools.stats.looks import z_from_t
from experiment_tracker_tools.stats.normal_mixture import BURN_IN, information, tuned_ratio, z_boundary
from experiment_tracker_tools.stats.spending import OBRIEN_FLEMING, POCOCK, Spending

Watch = Literal["primary", "guardrail", "breaker", "lagging"]
# Goes up with every change after which the same plan and rows may give another verdict or other numbers; a decision
# keeps the one it was made by. 2: rates of always-valid plans by e-values; nested breakers cost nothing.
# 3: rates within strata. 4: lagging ratios have their part of the budget. 5: ratios within strata.
# 6: residuals within strata by their leverage. 7: means within phases.
# 8: at an early end the shares are not tested once more, whether decided yet or not.
# 9: limits of few rates and counts.
RULES = 9
SAFETY_ALPHA = EQUIVALENCE_ALPHA = 0.05
_FUTILITY_LOOKS = 10


class Grid(NamedTuple):
    """The looks that boundaries are for.

    Attributes:
        method: of the plan.
        times: fraction of the planned information at each look.
        units: of control and of the smallest treatment at each look.
        speaks: whether more than harm may be found at each look.
        closes: the last look is final although its time is below 1.
        planned: information in units at time 1.
    """

    method: Method
    times: tuple[float, ...]
    units: tuple[tuple[int, int], ...]
    speaks: tuple[bool, ...]
    closes: bool
    planned: float


class Spent(NamedTuple):
    """The error rate of a test over all looks, on so many sides, and how it is spent along them."""

    alpha: float
    sides: Sides
    spending: Spending


class Share(NamedTuple):
    """One harm test's part of the budget.

    Attributes:
        watch: what it is about: the primary's loss, a guardrail, a breaker or (after the decision) a lagging metric.
        name: of the guardrail, breaker or metric; treatment: which variant.
        alpha: its one-sided error rate.
    """

    watch: Watch
    name: str
    treatment: str
    alpha: float


def by_e_values(grid: Grid, scale: Scale) -> bool:
    """Whether a comparison is judged by e-values: rates of plans without horizon, exact from the first unit on."""
    return grid.method == "always_valid" and scale == "rates"


def success_bounds(grid: Grid, *, alpha: float, scale: Scale) -> tuple[float, ...]:
    """What either side's evidence must reach at each look for a success metric; infinite where it may not speak."""
    return _bounds(grid, Spent(alpha, 2, OBRIEN_FLEMING), grid.speaks, scale)


def harm_bounds(grid: Grid, *, alpha: float, scale: Scale) -> tuple[float, ...]:
    """What the evidence of a loss must reach at each look, from the first look on."""
    return _bounds(grid, Spent(alpha, 1, POCOCK), (True,) * len(grid.times), scale)


def safety_bounds(grid: Grid, *, scale: Scale) -> tuple[float, ...]:
    """What the evidence against a guardrail's bound must reach at each look."""
    return _bounds(grid, Spent(SAFETY_ALPHA, 1, OBRIEN_FLEMING), grid.speaks, scale)


def equivalence_bounds(grid: Grid, *, scale: Scale) -> tuple[float, ...]:
    """What the evidence against each of both margins must reach at each look."""
    return _bounds(grid, Spent(EQUIVALENCE_ALPHA, 1, OBRIEN_FLEMING), grid.speaks, scale)


def futility_bounds(grid: Grid, *, alpha: float, power: float) -> tuple[float, ...]:
    """The z at or below which a gain of the mde has become unlikely at each look (non-binding beta spending)."""
    import numpy as np

    times, lower = _futility(alpha / 2, power)
    found = np.interp(grid.times, times, lower, left=-math.inf)
    return tuple(found.tolist())


def success_alphas(experiment: Experiment) -> tuple[float, ...]:
    """The error rate of each success hypothesis after none, one, two ... of the others were rejected.

    A primary with confirmatory secondaries passes its own to them, not to the others.
    """
    hypotheses = len(experiment.treatments) * (1 + len(experiment.plan.success_metrics))
    if experiment.plan.method == "fixed" or experiment.plan.confirmatory:
        return (experiment.plan.alpha / hypotheses,) * hypotheses
    return tuple(experiment.plan.alpha / (hypotheses - rejected) for rejected in range(hypotheses))


def harm_shares(experiment: Experiment) -> tuple[Share, ...]:
    """The budget of harm, shared by weight among the primary's loss, guardrails, breakers and lagging metrics.

    A breaker on a loss of the primary beyond the tolerated one takes nothing of it: it can only trip where the
    primary's own test does, which asks for less at the same error rate (closed testing, Marcus, Peritz & Gabriel 1976).
    """
    harm = experiment.plan.harm
    weights: list[tuple[Watch, str, float]] = [
        ("primary", PRIMARY_LOSS, harm.primary_weight),
        *(("guardrail", metric.name, harm.guardrail_weight) for metric in guardrails(experiment)),
        *(("breaker", each.name, each.weight) for each in harm.breakers if not is_nested(experiment, each)),
        *(("lagging", metric.name, harm.lagging_weight) for metric in lagging(experiment)),
    ]
    total = sum(weight for *_, weight in weights) * len(experiment.treatments)
    free = [each.name for each in harm.breakers if is_nested(experiment, each)]
    weights.extend(("breaker", name, harm.primary_weight) for name in free)
    return tuple(
        Share(watch, name, treatment.name, harm.budget * weight / total)
        for watch, name, weight in weights
        if weight > 0
        for treatment in experiment.treatments
    )


def is_nested(experiment: Experiment, breaker: Breaker) -> bool:
    """Whether a breaker trips only where the primary's own harm test has."""
    harm, limit = experiment.plan.harm, breaker.limit or 0.0
    own = breaker.kind == "loss" and breaker.metric == experiment.primary.name
    return own and harm.primary_weight > 0 and limit >= harm.tolerated_loss


def guardrails(experiment: Experiment) -> tuple[Metric, ...]:
    """The metrics that must not get worse."""
    return tuple(metric for metric in experiment.metrics if metric.role == "guardrail")


def lagging(experiment: Experiment) -> tuple[Metric, ...]:
    """The metrics that may contradict a decision once they are known."""
    return tuple(metric for metric in experiment.metrics if metric.role == "lagging")


def _bounds(grid: Grid, spent: Spent, speaks: Sequence[bool], scale: Scale) -> tuple[float, ...]:
    alpha, sides, spending = spent
    places = [place for place, may in enumerate(speaks) if may]
    found = [math.inf] * len(grid.times)
    if not places:
        return tuple(found)
    if grid.method == "always_valid":
        for place in places:
            # Ville (1939): an e-process reaches 1 / alpha with probability alpha at most; each side has its half.
            found[place] = math.log(sides / alpha) if by_e_values(grid, scale) else _always(grid, place, alpha, sides)
        return tuple(found)
    times = [grid.times[place] for place in places]
    upper = boundaries(times, alpha=alpha, sides=sides, spending=spending, closes=grid.closes).upper
    for place, z in zip(places, upper, strict=True):
        found[place] = z
    return tuple(found)


def _always(grid: Grid, place: int, alpha: float, sides: Sides) -> float:
    """Always valid: from 50 units a variant the asymptotic sequence, below the t mixture (both sides at 2 alpha)."""
    smallest, time = min(grid.units[place]), grid.times[place]
    alternative: Alternative = "two_sided" if sides == 2 else "greater"
    if smallest >= BURN_IN:
        return z_boundary(tuned_ratio(alpha, alternative=alternative) * time, alpha=alpha, alternative=alternative)
    control, treatment = grid.units[place]
    both, df = alpha * 2 / sides, control + treatment - 2
    if df < 1 or smallest < 2:
        return math.inf
    phi = prior_precision(grid.planned, alpha=both)
    t = t_boundary(df=df, r=phi / (phi + information(control, treatment)), alpha=both)
    return float(z_from_t(t, df)) if math.isfinite(t) else math.inf


@lru_cache(maxsize=64)
def _futility(alpha: float, power: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    times = tuple(k / _FUTILITY_LOOKS for k in range(1, _FUTILITY_LOOKS + 1))
    found = futility(times, alpha=alpha, power=power)
    return found.times, found.lower
