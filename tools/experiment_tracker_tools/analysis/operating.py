"""What this very plan does before it is run: simulated experiments through the plan's own looks and rules.

Units are drawn as the plan expects them (normal, log-normal, binary) and walked by `simulation`, the rule of real
experiments; below 50 units a variant t statistics stand in for the exact randomisation test, whose enumeration would
take minutes. Metrics are drawn independently of one another and only the primary moves. What another metric does not
say (sd, baseline) is taken from the primary's relative spread and half way within its limit. Event breakers are judged
at some eighty places, not after every unit; of a time the mean beside the typical one is left out: it moves with it.
"""

import math
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.deviates import Stats
from experiment_tracker_tools.analysis.information import planned_units
from experiment_tracker_tools.analysis.points import is_exact
from experiment_tracker_tools.analysis.rules import futility_bounds, success_alphas
from experiment_tracker_tools.analysis.simulated_events import Events, breakers_of_events
from experiment_tracker_tools.analysis.simulation import (
    Drawn,
    Looks,
    deviates_of,
    looks_of,
    normal_stats,
    simulate,
    values_of_logs,
)
from experiment_tracker_tools.analysis.supposed import RARE, unit_of
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Sizes = NDArray[np.int64]

SEED = 20261125
_MOST, _LEAST, _DRAWS = 4_000, 200, 400_000
_PLACES = 60


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
        phased: phases of exposure were taken for one.
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
    phased: bool
    experiments: int

    @property
    def told(self) -> str:
        """In words, the Monte Carlo error in brackets."""
        ships, kills, power = (_percent(rate) for rate in (self.false_ship, self.false_kill, self.power))
        zero, gain, loss = (f"{trials.value:.0f} (±{trials.error:.0f})" for trials in self.trials)
        stand_in = "; t in place of the exact test" if self.stand_in else ""
        left_out = "; left out: health gates, correlated metrics" + (", phases" if self.phased else "")
        return (
            f"{self.experiments:,} simulated runs of this plan: ships {ships} at no effect, {power} at the mde, "
            f"{_percent(self.harm_shipped)} at -mde; at the mde kills {kills}, advises to stop "
            f"{_percent(self.false_futile)}; rolls back {_percent(self.false_rollback)} at no effect; trials {zero} at "
            f"0, {gain} at mde, {loss} at -mde, of {self.horizon:,}{stand_in}{left_out}"
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
    mde, primary = experiment.primary.mde, unit_of(experiment.primary, experiment.primary)
    if mde is None or primary is None or not experiment.primary.baseline:
        return (
            f"{experiment.primary.name} needs {_lacking(experiment.primary)} to be simulated; give it with the metric"
        )
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
        phased=len(experiment.plan.phases) > 1,
        experiments=len(zero.ships),
    )


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

    looks, rng = looks_of(experiment), np.random.default_rng(SEED)
    metrics = _tested(experiment)
    many = max(_LEAST, min(_MOST, _DRAWS // (len(looks.times) * len(experiment.variants) * len(metrics))))
    drawn = _samples(rng, many, experiment, metrics, lift=lift, looks=looks)
    events = _events(rng, many, experiment, looks, lift=lift)
    found = simulate(experiment, looks, drawn, events=events)
    futile, look = _futile(experiment, looks, drawn), found.course.look
    sizes = np.sum(list(looks.units.values()), axis=0).astype(float)
    return _Ended(
        ships=found.verdicts == "SHIP",
        rolls_back=found.verdicts == "ROLL_BACK",
        kills=(found.verdicts == "ROLL_BACK") | (found.verdicts == "KEEP_CONTROL"),
        futile=futile < look,
        trials=sizes[np.minimum(look, futile)],
    )


def _tested(experiment: Experiment) -> list[Metric]:
    """The metrics whose statistics decide something."""
    watched = {breaker.metric for breaker in experiment.plan.harm.breakers if breaker.kind != "events"}
    named = {*experiment.plan.success_metrics, *watched}
    return [m for m in experiment.metrics if m.role in {"primary", "guardrail"} or m.name in named]


def _lacking(primary: Metric) -> str:
    """What a primary does not say and a simulation must know."""
    baseline = "a baseline" if primary.baseline is None else "a baseline other than 0"
    wanted = {
        "an mde": primary.mde is None,
        baseline: not primary.baseline,
        "an sd": primary.sd is None and primary.kind != "binary",
    }
    *others, last = (name for name, lacks in wanted.items() if lacks)
    return f"{', '.join(others)} and {last}" if others else last


def _samples(
    rng: "np.random.Generator", many: int, experiment: Experiment, metrics: list[Metric], *, lift: float, looks: Looks
) -> Drawn:
    """Sufficient statistics of every metric and variant at every look."""
    import numpy as np

    found: dict[tuple[str, str], Stats] = {}
    for metric in metrics:
        unit = unit_of(metric, experiment.primary)
        assert unit is not None
        for variant in experiment.variants:
            moved = 1 + unit.sign * (lift if not variant.control and metric.role == "primary" else 0.0)
            mean = unit.mean + math.log(moved) if unit.scale == "logs" else unit.mean * moved
            steps = np.diff(looks.units[variant.name], prepend=0)
            binary = unit.scale == "rates"
            draws = _binary(rng, many, mean, steps) if binary else normal_stats(rng, many, mean, unit.sd, steps)
            found[metric.name, variant.name] = draws
            if unit.scale == "logs" and _has_limit(experiment, metric):
                level = math.exp(mean + unit.sd**2 / 2)
                raw = normal_stats(rng, many, level, level * math.sqrt(math.expm1(unit.sd**2)), steps)
                found[values_of_logs(metric.name), variant.name] = raw
    return found


def _has_limit(experiment: Experiment, metric: Metric) -> bool:
    below = any(each.kind == "below" and each.metric == metric.name for each in experiment.plan.harm.breakers)
    return metric.limit is not None or below


def _events(
    rng: "np.random.Generator", many: int, experiment: Experiment, looks: Looks, *, lift: float
) -> dict[str, Events]:
    """Bad events of every metric that an event breaker watches; without a baseline half of what is tolerated."""
    import numpy as np

    names = {metric.name: metric for metric in experiment.metrics}
    parts = np.unique([*looks.times, *(k / _PLACES for k in range(1, _PLACES + 1))])
    found: dict[str, Events] = {}
    for breaker in breakers_of_events(experiment):
        metric = names[breaker.metric]
        sign = 1 if metric.direction == "increase" else -1
        usual = metric.baseline if sign < 0 or metric.baseline is None else 1 - metric.baseline
        rate = usual if usual is not None else (breaker.limit or 2 * RARE) / 2
        moved = lift if metric.role == "primary" else 0.0
        places, counts = dict[str, "Sizes"](), dict[str, "Sizes"]()
        for variant in experiment.variants:
            places[variant.name] = np.ceil(parts * looks.units[variant.name][-1] - 1e-9).astype(np.int64)
            steps = np.diff(places[variant.name], prepend=0)
            chance = min(max(rate * (1 if variant.control else 1 - moved), 0.0), 1.0)
            counts[variant.name] = np.cumsum(rng.binomial(steps, chance, (many, len(steps))), axis=1)
        found[metric.name] = Events(places, counts)
    return found


def _binary(rng: "np.random.Generator", many: int, mean: float, steps: "Sizes") -> Stats:
    import numpy as np

    events = np.cumsum(rng.binomial(steps, mean, (many, len(steps))), axis=1)
    n = np.broadcast_to(np.cumsum(steps), events.shape).astype(float)
    rate = events / n
    return Stats(n, rate, n * rate * (1 - rate))


def _futile(experiment: Experiment, looks: Looks, drawn: Drawn) -> "Sizes":
    """The look at which every treatment has become futile; beyond the last one where none has."""
    import numpy as np

    plan, alpha, last = experiment.plan, success_alphas(experiment)[0], len(looks.times)
    many = len(next(iter(drawn.values())).mean)
    if not plan.futility or plan.method != "sequential" or plan.power <= alpha:
        return np.full(many, last)
    edge = np.asarray(futility_bounds(looks.grid, alpha=alpha, power=plan.power))
    sign = 1 if experiment.primary.direction == "increase" else -1
    below = np.logical_and.reduce(
        [
            sign * np.nan_to_num(deviates_of(experiment, drawn, experiment.primary, treatment.name)) <= edge
            for treatment in experiment.treatments
        ]
    )
    below[:, -1] = False
    return np.where(below.any(axis=1), below.argmax(axis=1), last)


def _rate(values: "Flags | Array") -> Rate:
    import numpy as np

    kept = np.asarray(values, dtype=float)
    return Rate(float(kept.mean()), float(kept.std()) / math.sqrt(len(kept)))


def _percent(rate: Rate) -> str:
    return f"{rate.value:.1%} (±{rate.error:.1%})"
