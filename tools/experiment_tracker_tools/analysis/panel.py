"""What several priors make of a look: beside the decision, never OR-ed with it."""

import math
from collections.abc import Sequence

from experiment_tracker_tools.analysis.asking import Room, estimates_along, good_sign
from experiment_tracker_tools.analysis.lines import scale_of, stats_along
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seen import Believed, Panel, Prior
from experiment_tracker_tools.stats.bayes_best import best_mean
from experiment_tracker_tools.stats.bayes_normal import FLAT, Normal, describe_effect, normal_posterior, sceptical_prior
from experiment_tracker_tools.stats.recursion import crossing

READY = 0.8
_USUAL_MDE = 0.1
_WIDER = 2.0


def panel_of(room: Room, look: int) -> Panel:
    """P(better), expected loss and credible interval of every treatment under every prior, and P(best)."""
    believed = [found for treatment in room.experiment.treatments for found in _of(room, treatment.name, look)]
    chosen: Prior = "stated" if room.experiment.plan.belief else "flat"
    needed = room.experiment.plan.ready_at or READY
    ready = any(found.p_better >= needed for found in believed if found.prior == chosen)
    return Panel(
        believed=tuple(believed),
        p_best=_best(room, look) if believed else {},
        ready=ready,
        error=_error(room, look) if room.grid.method == "bayesian" and believed else None,
    )


def priors_of(experiment: Experiment) -> dict[Prior, Normal]:
    """The flat prior, the plan's own and one twice as wide if it has one, and a sceptic's who gives the mde 5%."""
    belief, mde = experiment.plan.belief, experiment.primary.mde or _USUAL_MDE
    stated: dict[Prior, Normal] = {}
    if belief is not None:
        stated = {"stated": Normal(belief.mean, belief.sd), "widened": Normal(belief.mean, _WIDER * belief.sd)}
    return {"flat": FLAT, **stated, "sceptical": sceptical_prior(mde)}


def _of(room: Room, treatment: str, look: int) -> list[Believed]:
    primary = room.experiment.primary
    found, sign = estimates_along(room, primary, treatment), good_sign(primary)
    effect, se = sign * float(found.effect[look]), float(found.se[look])
    if se <= 0:
        return []
    told: list[Believed] = []
    for name, prior in priors_of(room.experiment).items():
        seen = describe_effect(normal_posterior(effect, se, prior=prior))
        ends = sorted(_lift(sign * end, log=bool(found.log[look])) * sign for end in (seen.ci_low, seen.ci_high))
        told.append(
            Believed(
                treatment=treatment,
                prior=name,
                p_better=round(seen.p_better, 6),
                gain=float(f"{_lift(sign * seen.mean, log=bool(found.log[look])) * sign:.4g}"),
                loss=float(f"{seen.loss_treatment:.4g}"),
                ci_low=float(f"{ends[0]:.4g}"),
                ci_high=float(f"{ends[1]:.4g}"),
            )
        )
    return told


def _lift(value: float, *, log: bool) -> float:
    return math.expm1(min(value, 700.0)) if log else value


def _best(room: Room, look: int) -> dict[str, float]:
    primary, names = room.experiment.primary, [variant.name for variant in room.experiment.variants]
    along = room.along[primary.name]
    # Within strata a rate's level is a mean like any other.
    scale, posteriors = scale_of(primary, along), list[Normal]()
    scale = "means" if scale == "rates" else scale
    for name in names:
        seen = stats_along(along, name, scale=scale)
        n, mean, m2 = float(seen.n[look]), float(seen.mean[look]), float(seen.m2[look])
        if n < 2 or m2 <= 0:
            return {}
        posteriors.append(Normal(good_sign(primary) * mean, math.sqrt(m2 / (n - 1) / n)))
    return {name: round(p, 4) for name, p in zip(names, best_mean(posteriors).p_best, strict=True)}


def _error(room: Room, look: int) -> float | None:
    """The chance that the rule stops on either side where there is no effect, with the noise seen so far."""
    belief, primary = room.experiment.plan.belief, room.experiment.primary
    found = estimates_along(room, primary, room.experiment.treatments[0].name)
    se = float(found.se[look])
    if belief is None or se <= 0:
        return None
    total = se * math.sqrt(room.grid.times[look])
    times = [t for t in (k / room.experiment.plan.looks for k in range(1, room.experiment.plan.looks + 1)) if t >= 0.05]
    return stopping_error(times, total=total, mean=belief.mean, sd=belief.sd, convinced=belief.convinced)


def stopping_error(times: Sequence[float], *, total: float, mean: float, sd: float, convinced: float) -> float:
    """How often a posterior probability beyond `convinced`, on either side, stops an experiment without an effect.

    Args:
        times: information fractions of the looks.
        total: standard error of the gain at information 1.
        mean: of the prior; sd: of the prior.
        convinced: posterior probability that stops.

    >>> round(stopping_error([1.0], total=0.1, mean=0.0, sd=1000.0, convinced=0.975), 3)
    0.05
    """
    from scipy.special import ndtri

    needed, upper, lower = float(ndtri(convinced)), list[float](), list[float]()
    for time in times:
        se = total / math.sqrt(time)
        weight = sd**2 / (sd**2 + se**2)
        lean = (1 - weight) * mean / (math.sqrt(weight) * se)
        upper.append((needed - lean) / math.sqrt(weight))
        lower.append((-needed - lean) / math.sqrt(weight))
    crossed = crossing(times, lower, upper)
    return math.fsum(crossed.above) + math.fsum(crossed.below)
