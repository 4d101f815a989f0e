"""What several priors make of a look: beside the decision, never OR-ed with it."""

import math

from experiment_tracker_tools.analysis.asking import (
    Room,
    convinced_bounds,
    estimates_along,
    good_sign,
    posterior_deviates,
)
from experiment_tracker_tools.analysis.deviates import estimates
from experiment_tracker_tools.analysis.lines import scale_of, stats_along
from experiment_tracker_tools.analysis.simulation import looks_of, normal_stats
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seen import Believed, Panel, Prior
from experiment_tracker_tools.stats.bayes_best import best_mean
from experiment_tracker_tools.stats.bayes_normal import FLAT, Normal, describe_effect, normal_posterior, sceptical_prior

READY = 0.8
_USUAL_MDE = 0.1
_WIDER = 2.0
SEED = 20261126
_SIMULATED = 4_000


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
    seen = estimates_along(room, room.experiment.primary, room.experiment.treatments[0].name)
    se, (control, treatment) = float(seen.se[look]), room.grid.units[look]
    return stopping_error(room.experiment, sd=se / math.sqrt(1 / control + 1 / treatment)) if se > 0 else None


def stopping_error(experiment: Experiment, *, sd: float) -> float:
    """How often a posterior probability beyond `convinced`, on either side, stops a bayesian plan without an effect.

    Simulated at the plan's looks, each with the spread that its own units show: of few units that is often too
    small, and a rule that takes it for the truth stops up to twice as often as one that knew it would.

    Args:
        experiment: with one treatment, or of several equal ones the first.
        sd: of a unit, on the scale of the gain.
    """
    import numpy as np

    looks, rng = looks_of(experiment), np.random.default_rng(SEED)
    names = (experiment.control.name, experiment.treatments[0].name)
    steps = [np.diff(looks.units[name], prepend=0) for name in names]
    control, treatment = (normal_stats(rng, _SIMULATED, 0.0, sd, each) for each in steps)
    seen = posterior_deviates(estimates("logs", control, treatment), experiment, sign=1)
    return round(float((np.abs(seen) >= convinced_bounds(looks.grid, experiment)).any(axis=1).mean()), 4)
