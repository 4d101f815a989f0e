"""Runs after a promotion, held against the winner's trials before it by tests that hold however often one looks.

Amounts are compared by the anytime-valid t sequence (on logs where all are positive), rates by two beta-binomial ones.
The looks are a grid of units, whoever asks; the first that shows a loss beyond the tolerated one stands.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.samples import Units, unit_values, units_of
from experiment_tracker_tools.analysis.wording import number
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.trial import Entry, Trial
from experiment_tracker_tools.stats.anytime_t import anytime_t
from experiment_tracker_tools.stats.beta_binomial import two_proportion_sequence
from experiment_tracker_tools.stats.samples import moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_EVERY_UNIT, _STEP = 50, 1.05


class Change(NamedTuple):
    """One metric after the promotion against the winner's trials.

    Attributes:
        metric: its name; n_before, n_after: units; before, after: their arithmetic means, in the metric's unit.
        worse: a loss beyond the tolerated one is shown.
        told: all of it in words, with the interval that holds at every look.
    """

    metric: str
    n_before: int
    n_after: int
    before: float
    after: float
    worse: bool
    told: str


class Loss(NamedTuple):
    """A loss, positive where it is worse: a fraction of the mean before for amounts, a difference for rates.

    Attributes:
        n: units after the promotion that it rests on.
        loss: its estimate; low, high: bounds that hold at every look, infinite where nothing is excluded.
        worse: it is beyond the tolerated one, at this look for the first time.
    """

    n: int
    loss: float = math.nan
    low: float = -math.inf
    high: float = math.inf
    worse: bool = False


def changes_since(
    experiment: Experiment, winner: str, entries: Entries, after: Sequence[Entry[Trial]]
) -> tuple[Change, ...]:
    """The primary and every guardrail that has values before and after; the plan's alpha is shared by all of them."""
    before = units_of(entries.trials, entries.exposures, winner)
    since = units_of(after, (), winner)
    watched = [(metric, _values(before, metric)) for metric in experiment.metrics if _is_watched(metric)]
    watched = [(metric, values) for metric, values in watched if len(values) > 1]
    alpha = experiment.plan.aftercare.alpha / max(len(watched), 1)
    found = (_change(experiment, metric, values, _values(since, metric), alpha=alpha) for metric, values in watched)
    return tuple(change for change in found if change is not None)


def _is_watched(metric: Metric) -> bool:
    return metric.role in {"primary", "guardrail"} and metric.kind != "ratio"


def _values(units: Units, metric: Metric) -> "Array":
    import numpy as np

    return np.asarray(unit_values(units, metric), dtype=float)


def _change(experiment: Experiment, metric: Metric, before: "Array", after: "Array", *, alpha: float) -> Change | None:
    if not len(after):
        return None
    tolerated = experiment.plan.aftercare.tolerated_loss if metric.margin is None else metric.margin
    shown = loss_shown(metric, before, after, tolerated=tolerated, alpha=alpha)
    seen = after[: shown.n]
    told = _told(metric, before, seen, shown, tolerated)
    return Change(metric.name, len(before), shown.n, float(before.mean()), float(seen.mean()), shown.worse, told)


def loss_shown(metric: Metric, before: "Array", after: "Array", *, tolerated: float, alpha: float) -> Loss:
    """The first look that shows a loss beyond the tolerated one, else the last look that there is.

    Args:
        metric: which way is better, and whether its values are amounts or 0 and 1.
        before: the winner's units, shape (n,), n above 1.
        after: units since, in the order in which they came, shape (m,), m above 0.
        tolerated: loss that is no harm, 0 or more.
        alpha: chance of ever showing one beyond it where there is none.
    """
    losses = _rates if metric.kind == "binary" else _amounts
    shown = Loss(0)
    for n in _looks(len(after)):
        shown = losses(metric, before, after[:n], alpha=alpha)
        if shown.low > tolerated:
            return shown._replace(worse=True)
    return shown


def _looks(n: int) -> Iterator[int]:
    """The numbers of units at which is looked: all up to 50, then every twentieth part more."""
    look = 1
    while look <= n:
        yield look
        look = look + 1 if look < _EVERY_UNIT else max(look + 1, int(look * _STEP))


def _amounts(metric: Metric, before: "Array", after: "Array", *, alpha: float) -> Loss:
    import numpy as np

    logs = min(before.min(), after.min()) > 0
    first, second = (np.log(before), np.log(after)) if logs else (before, after)
    found = anytime_t(moments(first), moments(second), planned_information=len(before) / 2, alpha=alpha)
    ends = [found.effect, found.ci_low, found.ci_high]
    if None in ends:
        return Loss(len(after))
    scale = abs(float(before.mean()))
    effect, *limits = (_lift(float(end or 0.0), logs=logs, scale=scale) for end in ends)
    return _signed(metric, effect, *limits, n=len(after))


def _lift(effect: float, *, logs: bool, scale: float) -> float:
    if logs:
        return math.expm1(min(effect, 700.0))
    return effect / scale if scale else math.copysign(math.inf, effect) if effect else 0.0


def _rates(metric: Metric, before: "Array", after: "Array", *, alpha: float) -> Loss:
    counts = int(before.sum()), len(before), int(after.sum()), len(after)
    found = two_proportion_sequence(*counts, planned_n=len(before), alpha=alpha)
    return _signed(metric, found.estimate or 0.0, found.ci_low, found.ci_high, n=len(after))


def _signed(metric: Metric, effect: float, low: float, high: float, *, n: int) -> Loss:
    return Loss(n, effect, low, high) if metric.direction == "decrease" else Loss(n, -effect, -high, -low)


def _told(metric: Metric, before: "Array", after: "Array", shown: Loss, tolerated: float) -> str:
    rate = metric.kind == "binary"
    unit = " points" if rate else "%"
    means = f"{metric.name} {_mean(before, rate=rate)} before the promotion, {_mean(after, rate=rate)} after it"
    counts = f"{len(before)} and {len(after)} units"
    if not (math.isfinite(shown.low) or math.isfinite(shown.high)):
        return f"{means} ({counts}: nothing can be excluded yet)"
    ends = f"{_points(shown.low)} to {_points(shown.high)}, at every look"
    return f"{means}: {_points(shown.loss)}{unit} worse ({ends}; {counts}; tolerated {_points(tolerated)})"


def _mean(values: "Array", *, rate: bool) -> str:
    mean = float(values.mean())
    return f"{mean:.0%}" if rate else number(mean)


def _points(fraction: float) -> str:
    return f"{100 * fraction:+.0f}" if math.isfinite(fraction) else ("unbounded" if fraction > 0 else "unbounded below")
