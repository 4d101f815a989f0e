"""Which of several winners ships, and where metrics contradict each other."""

import math
from collections.abc import Sequence

from experiment_tracker_tools.analysis.feedback import LEAST_RATINGS
from experiment_tracker_tools.analysis.reasons import metric_of
from experiment_tracker_tools.domain.decision import Estimate, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seen import Believed
from experiment_tracker_tools.stats.shrinkage import shrink

CONFLICT = 0.05
_SURE = 0.95
_HALF_WIDTH = 1.959964


def chosen_winner(experiment: Experiment, look: Look, winners: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The winner of lowest expected loss, the cheaper where two are equivalent; and why, where there was a choice."""
    losses = {b.treatment: b.loss for b in _flat(look) if b.treatment in winners}
    gains = {name: _gain(experiment, look, name) for name in winners}
    ranked = sorted(winners, key=lambda name: (losses.get(name, math.inf), -gains[name]))
    best = ranked[0]
    shrunk = _shrunk(experiment, look, best)
    if len(ranked) == 1:
        return best, shrunk
    alike = [name for name in ranked if name == best or _equivalent(experiment, look, best, name)]
    costs = _costs(experiment, look)
    cheapest = min(alike, key=lambda name: (costs.get(name, math.inf), ranked.index(name)))
    if cheapest != best:
        why = f"{best} and {cheapest} are equivalent; {cheapest} is the cheaper by {experiment.plan.cheaper_by}."
        return cheapest, (why, *_shrunk(experiment, look, cheapest))
    told = ", ".join(f"{name} {losses[name]:.2g}" for name in ranked if name in losses)
    return best, (f"Lowest expected loss of the passing variants ({told}, of control).", *shrunk)


def in_conflict(experiment: Experiment, look: Look) -> tuple[str, ...]:
    """What contradicts a gain: guardrails that lose, or other metrics that move both ways; empty without."""
    worse = [each for each in look.estimates if _moved(experiment, each) < 0 and each.metric != experiment.primary.name]
    better = [each for each in look.estimates if _moved(experiment, each) > 0]
    gained = {name for name, status in look.statuses.items() if status == "waits"}
    told: list[str] = []
    for loss in worse:
        won = loss.treatment in gained or any(each.treatment == loss.treatment for each in better)
        if won:
            told.append(f"{loss.metric} of {loss.treatment} got worse (p = {loss.p_value:.2g}) while others gained.")
    return tuple(told)


def liked_less(look: Look, winner: str) -> str | None:
    """What people say against a winner; None where they do not."""
    opinion = look.opinions.get(winner)
    if opinion is None or opinion.worse_p is None or opinion.worse_p >= CONFLICT or opinion.mean is None:
        return None
    return f"Ratings are worse under {winner}: mean {opinion.mean:.1f} of {opinion.ratings}, p = {opinion.worse_p:.2g}."


def well_liked(experiment: Experiment, look: Look, treatments: Sequence[str]) -> str | None:
    """The treatment of a flat result that people rate at the plan's threshold or above; None without one."""
    least = experiment.plan.iterate_rating
    rated = [(name, look.opinions[name]) for name in treatments if name in look.opinions]
    enough = [(o.mean, o.ratings, name) for name, o in rated if o.mean is not None and o.ratings >= LEAST_RATINGS]
    if not enough or max(enough)[0] < least:
        return None
    mean, ratings, name = max(enough)
    return f"{name} is rated {mean:.1f} by {ratings}, at or above the plan's {least:g}, while the metric is flat."


def _moved(experiment: Experiment, each: Estimate) -> int:
    """+1 for a significant gain, -1 for a significant loss; exploratory ones after adjustment."""
    p = each.adjusted_p if each.label == "exploratory" else each.p_value
    if p is None or p >= CONFLICT:
        return 0
    effect = each.lift if each.lift is not None else each.effect or 0.0
    good = effect if metric_of(experiment, each).direction == "increase" else -effect
    return (good > 0) - (good < 0)


def _gain(experiment: Experiment, look: Look, name: str) -> float:
    sign = 1 if experiment.primary.direction == "increase" else -1
    of_primary = (e for e in look.estimates if e.metric == experiment.primary.name and e.treatment == name)
    found = next(of_primary, None)
    return 0.0 if found is None else sign * (found.lift if found.lift is not None else found.effect or 0.0)


def _flat(look: Look) -> list[Believed]:
    return [] if look.panel is None else [b for b in look.panel.believed if b.prior == "flat"]


def _spread(look: Look, name: str) -> tuple[float, float] | None:
    """Centre and standard deviation of a treatment's gain under the flat prior."""
    found = next((b for b in _flat(look) if b.treatment == name), None)
    return (
        None
        if found is None
        else ((found.ci_low + found.ci_high) / 2, (found.ci_high - found.ci_low) / 2 / _HALF_WIDTH)
    )


def _equivalent(experiment: Experiment, look: Look, one: str, other: str) -> bool:
    from scipy.special import ndtr

    margin = experiment.plan.equivalence_margin or experiment.primary.mde
    first, second = _spread(look, one), _spread(look, other)
    if margin is None or first is None or second is None:
        return False
    gap, sd = first[0] - second[0], math.hypot(first[1], second[1])
    return sd > 0 and float(ndtr((margin - gap) / sd) - ndtr((-margin - gap) / sd)) >= _SURE


def _costs(experiment: Experiment, look: Look) -> dict[str, float]:
    metric = next((m for m in experiment.metrics if m.name == experiment.plan.cheaper_by), None)
    if metric is None:
        return {}
    sign = 1 if metric.direction == "decrease" else -1
    found = [each for each in look.estimates if each.metric == metric.name and each.mean_treatment is not None]
    return {each.treatment: sign * (each.mean_treatment or 0.0) for each in found}


def _shrunk(experiment: Experiment, look: Look, winner: str) -> tuple[str, ...]:
    """The winner's gain drawn towards the others', because it was picked for being large."""
    names = [treatment.name for treatment in experiment.treatments]
    spreads = [_spread(look, name) for name in names]
    known = [spread for spread in spreads if spread is not None and spread[1] > 0]
    if len(known) < 2 or len(known) != len(names):
        return ()
    found = shrink([centre for centre, _ in known], [sd for _, sd in known])
    place = names.index(winner)
    return (f"Shrunk for having been picked of {len(names)}, its gain is {found.effects[place]:.1%}.",)
