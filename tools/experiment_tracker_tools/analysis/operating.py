"""What this very plan does before it is run: simulated experiments through the plan's own looks and rules.

Units are drawn as the plan expects them (normal, log-normal, binary); every look asks the deviates that a real look
asks, and the course along the looks is the one that real experiments take. Below 50 units a variant Welch's t stands in
for the exact randomisation test, whose enumeration would take minutes. Metrics are drawn independently of one another;
guardrails do not move. What a guardrail does not say (baseline, sd) is taken from the primary's relative spread.
"""

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis import course
from experiment_tracker_tools.analysis.deviates import Scale, Stats, above_limit, against, estimates, rate_above_limit
from experiment_tracker_tools.analysis.harms import watched_by
from experiment_tracker_tools.analysis.information import planned_units
from experiment_tracker_tools.analysis.points import FIRST_UNITS, grid_of, is_exact
from experiment_tracker_tools.analysis.rules import (
    Grid,
    equivalence_bounds,
    futility_bounds,
    guardrails,
    harm_bounds,
    harm_shares,
    safety_bounds,
    success_alphas,
    success_bounds,
)
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]

SEED = 20261125
_MOST, _LEAST, _DRAWS = 4_000, 200, 400_000
_RARE = 0.05


class Rate(NamedTuple):
    """A simulated figure with its Monte Carlo standard error."""

    value: float
    error: float


class Operating(NamedTuple):
    """What a plan does under no effect, under the mde and under a loss of the mde, in every treatment alike.

    Attributes:
        false_ship: ships something under no effect.
        false_kill: under the mde: rolls back or keeps control.
        false_futile: under the mde: is advised to stop as futile.
        power: ships something under the mde.
        harm_shipped: ships something under a loss of the mde.
        false_rollback: rolls back under no effect.
        trials: units of all variants that it takes under no effect, under the mde and under a loss of it; the advice
            to stop as futile is followed.
        horizon: units of all variants at the end of the plan.
        stand_in: Welch's t stood in for the exact randomisation test.
        experiments: how many were simulated for each of the three.
    """

    false_ship: Rate
    false_kill: Rate
    false_futile: Rate
    power: Rate
    harm_shipped: Rate
    false_rollback: Rate
    trials: tuple[Rate, Rate, Rate]
    horizon: int
    stand_in: bool
    experiments: int

    @property
    def told(self) -> str:
        """In words, the Monte Carlo error in brackets."""
        ships, kills, power = (_percent(rate) for rate in (self.false_ship, self.false_kill, self.power))
        zero, gain, loss = (f"{trials.value:.0f} (±{trials.error:.0f})" for trials in self.trials)
        stand_in = "; Welch's t in place of the exact test" if self.stand_in else ""
        return (
            f"{self.experiments:,} simulated runs of this plan: ships {ships} at no effect, {power} at the mde, "
            f"{_percent(self.harm_shipped)} at -mde; at the mde kills {kills}, advises to stop "
            f"{_percent(self.false_futile)}; rolls back {_percent(self.false_rollback)} at no effect; trials {zero} at "
            f"0, {gain} at mde, {loss} at -mde, of {self.horizon:,}{stand_in}"
        )


def operating(experiment: Experiment) -> Operating | str:
    """The operating characteristics of a plan, or why they cannot be simulated; the same plan is simulated once."""
    first = experiment.history[0].model_copy(update={"at": datetime(2000, 1, 1, tzinfo=UTC)})
    plain = experiment.model_copy(
        update={
            **{"id": "exp-2000-01-01-001", "name": "plan", "owner": "plan", "capture": None, "history": (first,)},
            "plan": experiment.plan.model_copy(update={"salt": "plan"}),
        }
    )
    return _of(plain.model_dump_json())


@lru_cache(maxsize=32)
def _of(plan: str) -> Operating | str:
    experiment = Experiment.model_validate_json(plan)
    mde, primary = experiment.primary.mde, _drawn(experiment.primary, experiment)
    if experiment.plan.method == "bayesian":
        return "the stopping rule of a bayesian plan is not simulated"
    if mde is None or primary is None:
        return f"{experiment.primary.name} needs mde, baseline and sd to be simulated"
    if primary.scale == "rates" and not 0 < primary.mean * (1 + mde) < 1:
        return f"an mde of {mde:g} moves {experiment.primary.name} out of 0 to 1"
    if mde >= 1:
        return f"a loss of {mde:.0%} of {experiment.primary.name} leaves nothing"
    zero, gain, loss = (_ran(experiment, lift) for lift in (0.0, mde, -mde))
    return Operating(
        false_ship=_rate(zero.ships),
        false_kill=_rate(gain.kills),
        false_futile=_rate(gain.futile),
        power=_rate(gain.ships),
        harm_shipped=_rate(loss.ships),
        false_rollback=_rate(zero.rolls_back),
        trials=(_rate(zero.trials), _rate(gain.trials), _rate(loss.trials)),
        horizon=round(sum(planned_units(experiment).values())),
        stand_in=is_exact(experiment),
        experiments=len(zero.ships),
    )


@lru_cache(maxsize=64)
def _success(grid: Grid, alpha: float) -> tuple[float, ...]:
    return success_bounds(grid, alpha=alpha)


@lru_cache(maxsize=64)
def _harmful(grid: Grid, alpha: float) -> tuple[float, ...]:
    return harm_bounds(grid, alpha=alpha)


class _Drawn(NamedTuple):
    """How a metric's units are drawn: mean and sd of a unit on the scale of the test."""

    scale: Scale
    mean: float
    sd: float
    sign: int


class _Ended(NamedTuple):
    """What became of the simulated experiments, each shape (E,)."""

    ships: "Flags"
    rolls_back: "Flags"
    kills: "Flags"
    futile: "Flags"
    trials: "Array"


def _ran(experiment: Experiment, lift: float) -> _Ended:
    """Simulated experiments whose treatments all gain `lift` (a fraction; a loss below 0) on the primary."""
    import numpy as np

    sizes, grid = _grid(experiment)
    rng = np.random.default_rng(SEED)
    metrics = [metric for metric in experiment.metrics if metric.role in {"primary", "guardrail"}]
    many = max(_LEAST, min(_MOST, _DRAWS // (sizes.size * len(metrics))))
    samples = {metric.name: _samples(rng, many, experiment, metric, lift=lift, sizes=sizes) for metric in metrics}
    found = course.run(_evidence(experiment, grid, samples))
    wins = course.STATUSES.index("wins")
    look, harmed = found.look.copy(), found.harmed.copy()
    ships = (found.status == wins).any(axis=1) & ~harmed
    kept = (found.status == course.STATUSES.index("worse")).all(axis=1) & ~harmed
    futile = _futile(experiment, grid, samples)
    trials = sizes.sum(axis=1)[np.minimum(look, futile)].astype(float)
    return _Ended(ships, harmed, harmed | kept, futile < look, trials)


def _grid(experiment: Experiment) -> "tuple[NDArray[np.int64], Grid]":
    """Units of every variant at each look, and the looks' grid."""
    import numpy as np

    plan, wanted = experiment.plan, planned_units(experiment)
    times = [time for time in grid_of(experiment) if time <= 1 + 1e-12]
    sizes = np.ceil(np.outer(times, list(wanted.values())) - 1e-9).astype(np.int64)
    least = 2 if is_exact(experiment) else FIRST_UNITS
    fits = (sizes.min(axis=1) >= least) | (np.asarray(times) >= 1)
    sizes, kept = sizes[fits], [time for time, fit in zip(times, fits, strict=True) if fit]
    control, smallest = sizes[:, 0], sizes[:, 1:].min(axis=1)
    speaks = tuple(bool(n >= plan.floor or time >= 1) for n, time in zip(sizes.min(axis=1), kept, strict=True))
    units = tuple((int(a), int(b)) for a, b in zip(control, smallest, strict=True))
    planned = 1 / (1 / control[-1] + 1 / smallest[-1])
    return sizes, Grid(plan.method, tuple(kept), units, speaks, closes=False, planned=float(planned))


def _drawn(metric: Metric, experiment: Experiment) -> _Drawn | None:
    """How a metric's units are drawn; the spread that it does not say is the primary's."""
    sign = 1 if metric.direction == "increase" else -1
    if metric.kind == "binary":
        usual = metric.limit if metric.limit is not None and 0 < metric.limit < 1 else _RARE
        guess = None if metric.role == "primary" else usual if sign < 0 else 1 - usual
        mean = metric.baseline if metric.baseline is not None else guess
        return None if mean is None else _Drawn("rates", mean, 0.0, sign)
    mean, sd = metric.baseline, metric.sd
    if metric.role != "primary" and (not mean or sd is None):
        mean = mean or metric.limit or 1.0
        sd = abs(mean) * _spread(experiment.primary)
    if not mean or sd is None:
        return None
    if metric.kind == "duration":
        log_sd = math.sqrt(math.log1p((sd / mean) ** 2))
        return _Drawn("logs", math.log(mean) - log_sd**2 / 2, log_sd, sign)
    return _Drawn("means", mean, sd, sign)


def _spread(primary: Metric) -> float:
    return primary.sd / abs(primary.baseline) if primary.sd is not None and primary.baseline else 1.0


def _samples(
    rng: "np.random.Generator",
    many: int,
    experiment: Experiment,
    metric: Metric,
    *,
    lift: float,
    sizes: "NDArray[np.int64]",
) -> list[Stats]:
    """Sufficient statistics of every variant at every look, each shape (E, looks)."""
    import numpy as np

    drawn = _drawn(metric, experiment)
    found: list[Stats] = []
    for place in range(len(experiment.variants)):
        if drawn is None:
            break
        moved = 1 + drawn.sign * (lift if place and metric.role == "primary" else 0.0)
        mean = drawn.mean + math.log(moved) if drawn.scale == "logs" else drawn.mean * moved
        steps = np.diff(sizes[:, place], prepend=0)
        if drawn.scale == "rates":
            found.append(_binary(rng, many, mean, steps))
        else:
            found.append(_normal(rng, many, mean, drawn.sd, steps))
    return found


def _binary(rng: "np.random.Generator", many: int, mean: float, steps: "NDArray[np.int64]") -> Stats:
    import numpy as np

    events = np.cumsum(rng.binomial(steps, mean, (many, len(steps))), axis=1)
    n = np.broadcast_to(np.cumsum(steps), events.shape).astype(float)
    rate = events / n
    return Stats(n, rate, n * rate * (1 - rate))


def _normal(rng: "np.random.Generator", many: int, mean: float, sd: float, steps: "NDArray[np.int64]") -> Stats:
    import numpy as np

    shape = (many, len(steps))
    sizes = np.cumsum(steps)
    totals = np.cumsum(rng.standard_normal(shape) * np.sqrt(steps), axis=1)
    inside = np.where(steps > 1, rng.chisquare(np.maximum(steps - 1, 1), shape), 0.0)
    means, old = totals / sizes, sizes - steps
    before = np.concatenate([np.zeros((many, 1)), means[:, :-1]], axis=1)
    fresh = np.diff(totals, axis=1, prepend=0.0) / np.maximum(steps, 1)
    m2 = np.cumsum(inside + (fresh - before) ** 2 * (old * steps / sizes), axis=1)
    return Stats(np.broadcast_to(sizes, shape).astype(float), mean + sd * means, sd * sd * m2)


def _evidence(experiment: Experiment, grid: Grid, samples: dict[str, list[Stats]]) -> course.Evidence:
    import numpy as np

    primary, treatments = experiment.primary, len(experiment.treatments)
    drawn = _drawn(primary, experiment)
    assert drawn is not None
    z = np.stack([_asked(drawn, samples[primary.name], t, 0.0) for t in range(1, treatments + 1)], axis=1)
    bounds = [np.asarray(_success(grid, alpha)) for alpha in success_alphas(experiment)[:treatments]]
    same = np.zeros(z.shape, bool)
    margin = experiment.plan.equivalence_margin or primary.mde
    if experiment.plan.method != "fixed" and margin is not None and 0 < margin < 1:
        edge = np.asarray(equivalence_bounds(grid))
        for t in range(treatments):
            up = _asked(drawn, samples[primary.name], t + 1, -margin) >= edge
            down = -_asked(drawn, samples[primary.name], t + 1, margin) >= edge
            same[:, t] = np.logical_or.accumulate(up, axis=1) & np.logical_or.accumulate(down, axis=1)
    return course.Evidence(
        good=np.stack([np.logical_or.accumulate(z >= each, axis=2) for each in bounds]),
        bad=np.stack([np.logical_or.accumulate(-z >= each, axis=2) for each in bounds]),
        worth=np.logical_or.accumulate(_worth(experiment, drawn, samples[primary.name]), axis=2),
        treatment=tuple(range(treatments)),
        harm=_harm(experiment, grid, samples),
        safe=_safe(experiment, grid, samples),
        same=same,
        closes=experiment.plan.method != "always_valid" or experiment.plan.n_max is not None,
    )


def _asked(drawn: _Drawn, samples: list[Stats], treatment: int, gain: float) -> "Array":
    """The deviates, in the good direction, of H0: the gain is `gain` (a fraction of control)."""
    import numpy as np

    deviates = against(drawn.scale, samples[0], samples[treatment], shift=drawn.sign * gain)
    return np.nan_to_num(drawn.sign * deviates, nan=0.0)


def _worth(experiment: Experiment, drawn: _Drawn, samples: list[Stats]) -> "Flags":
    """Whether the estimate at each look is worth shipping."""
    import numpy as np

    least = math.log1p(experiment.plan.min_worthwhile)
    gains = [drawn.sign * estimates(drawn.scale, samples[0], each).effect for each in samples[1:]]
    worth: Flags = np.stack(gains, axis=1) >= (least if experiment.plan.min_worthwhile else -math.inf)
    return worth


def _harm(experiment: Experiment, grid: Grid, samples: dict[str, list[Stats]]) -> "Flags":
    """Whether any harm test has crossed by each look; breakers that count events are left out."""
    import numpy as np

    fired = np.zeros(np.shape(samples[experiment.primary.name][0].mean), bool)
    names = [variant.name for variant in experiment.variants]
    for share in harm_shares(experiment):
        watched = watched_by(experiment, share)
        if watched is None or not samples.get(watched.metric.name):
            continue
        drawn = _drawn(watched.metric, experiment)
        assert drawn is not None
        found, treatment = samples[watched.metric.name], names.index(share.treatment)
        if watched.tolerated is not None:
            loss = -_asked(drawn, found, treatment, -watched.tolerated)
        elif watched.limit is not None:
            loss = -_within(drawn, found[treatment], watched.limit)
        else:
            continue
        fired |= loss >= np.asarray(_harmful(grid, share.alpha))
    crossed: Flags = np.logical_or.accumulate(fired, axis=1)
    return crossed


def _safe(experiment: Experiment, grid: Grid, samples: dict[str, list[Stats]]) -> "Flags":
    """Whether every guardrail of each treatment has been shown safe by each look."""
    import numpy as np

    many = len(samples[experiment.primary.name][0].mean)
    safe = np.ones((many, len(experiment.treatments), len(grid.times)), bool)
    edge = np.asarray(safety_bounds(grid))
    for metric in guardrails(experiment):
        drawn = _drawn(metric, experiment)
        if drawn is None or not samples.get(metric.name):
            continue
        for t in range(len(experiment.treatments)):
            found = samples[metric.name]
            if metric.margin is not None:
                shown = _asked(drawn, found, t + 1, -metric.margin) >= edge
                safe[:, t] &= np.logical_or.accumulate(shown, axis=1)
            if metric.limit is not None:
                shown = _within(drawn, found[t + 1], metric.limit) >= edge
                safe[:, t] &= np.logical_or.accumulate(shown, axis=1)
    return safe


def _within(drawn: _Drawn, sample: Stats, limit: float) -> "Array":
    """The deviates, in the good direction, of a mean against its limit."""
    import numpy as np

    if drawn.scale == "rates":
        return drawn.sign * rate_above_limit(sample, limit=limit)
    # A limit is of the arithmetic mean; on logs it moves with the spread.
    shift = drawn.sd**2 / 2 if drawn.scale == "logs" else 0.0
    limit = math.log(limit) - shift if drawn.scale == "logs" else limit
    return np.nan_to_num(drawn.sign * above_limit(sample, limit=limit).z, nan=0.0)


def _futile(experiment: Experiment, grid: Grid, samples: dict[str, list[Stats]]) -> "NDArray[np.int64]":
    """The look at which every treatment has become futile; beyond the last one where none has."""
    import numpy as np

    drawn, looks = _drawn(experiment.primary, experiment), len(grid.times)
    assert drawn is not None
    plan = experiment.plan
    if not plan.futility or plan.method != "sequential" or plan.power <= success_alphas(experiment)[0]:
        return np.full(len(samples[experiment.primary.name][0].mean), looks)
    alpha = success_alphas(experiment)[0]
    edge = np.asarray(futility_bounds(grid, alpha=alpha, power=experiment.plan.power))
    found = samples[experiment.primary.name]
    below = np.logical_and.reduce([_asked(drawn, found, t, 0.0) <= edge for t in range(1, len(found))])
    below[:, -1] = False
    return np.where(below.any(axis=1), below.argmax(axis=1), looks)


def _rate(values: "Flags | Array") -> Rate:
    import numpy as np

    kept = np.asarray(values, dtype=float)
    return Rate(float(kept.mean()), float(kept.std()) / math.sqrt(len(kept)))


def _percent(rate: Rate) -> str:
    return f"{rate.value:.1%} (±{rate.error:.1%})"
