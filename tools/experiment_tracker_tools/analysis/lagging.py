"""Lagging metrics against a decision: does what became known later contradict it?

A metric is judged from its due day on, along the units in the order in which their values came, by the boundaries of a
plan without horizon: whoever asks when, the answer is a function of the ordered values. Its error rate is its share of
the one budget of harm, so that the in-run tests and this one together keep that budget. After SHIP the winner's loss is
asked for; after a verdict that keeps control a gain of any treatment, and a loss of one that was promoted nevertheless,
each at half of the share.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.asking import good_sign
from experiment_tracker_tools.analysis.deviates import Scale, Stats, stats
from experiment_tracker_tools.analysis.evidence import evidence
from experiment_tracker_tools.analysis.information import planned_units
from experiment_tracker_tools.analysis.lines import of_ratio
from experiment_tracker_tools.analysis.points import FIRST_UNITS
from experiment_tracker_tools.analysis.rules import Grid, harm_bounds, harm_shares
from experiment_tracker_tools.analysis.wording import number
from experiment_tracker_tools.domain.decision import Contradiction, Verdict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.trial import Entry, Ratio, Trial
from experiment_tracker_tools.stats.normal_mixture import information
from experiment_tracker_tools.stats.samples import bivariate_moments, moments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

_EVERY_UNIT, _STEP = 100, 1.05
# What keeps control; ITERATE and INVESTIGATE are open as they are, and ROLL_BACK has its harm.
KEEPS: tuple[Verdict, ...] = ("EQUIVALENT", "KEEP_CONTROL", "DO_NOT_SHIP", "INCONCLUSIVE", "STOP_FUTILE")


class Known(NamedTuple):
    """A unit's first value of a lagging metric, with the position of the entry that told it.

    Of a ratio it is the numerator, and `per` the denominator.
    """

    seq: int
    variant: str
    value: float
    per: float = 1.0


class Asked(NamedTuple):
    """What would contradict a decision: a metric of a treatment that is worse (else better), at an error rate."""

    metric: Metric
    treatment: str
    worse: bool
    alpha: float


def asked_of(experiment: Experiment, verdict: Verdict, winner: str | None, promoted: str | None) -> tuple[Asked, ...]:
    """Every question whose yes contradicts a decision.

    Args:
        experiment: with its plan.
        verdict, winner: what was decided.
        promoted: the treatment that stands in control's place, whatever the verdict.
    """
    metrics = {metric.name: metric for metric in experiment.metrics}
    shares = [share for share in harm_shares(experiment) if share.watch == "lagging"]
    if verdict == "SHIP":
        return tuple(Asked(metrics[s.name], s.treatment, True, s.alpha) for s in shares if s.treatment == winner)  # noqa: FBT003
    if verdict not in KEEPS:
        return ()
    return tuple(Asked(metrics[s.name], s.treatment, s.treatment == promoted, s.alpha / 2) for s in shares)


def known_of(metric: Metric, entries: Sequence[Entry[Trial]]) -> list[Known]:
    """The first value of every unit that has one, in the order in which they came."""
    found: dict[str, Known] = {}
    for entry in sorted(entries, key=lambda each: each.seq):
        value = entry.content.metrics.get(metric.name)
        if value is not None:
            unit = entry.content.unit or f"trial {entry.seq}"
            parts = (value.numerator, value.denominator) if isinstance(value, Ratio) else (float(value),)
            found.setdefault(unit, Known(entry.seq, entry.content.variant, *parts))
    return list(found.values())


def contradiction(experiment: Experiment, asked: Asked, known: Sequence[Known]) -> Contradiction | None:
    """The first look at which the values contradict the decision; None while none does."""
    control = experiment.control.name
    pair = [each for each in known if each.variant in {control, asked.treatment}]
    scale: Scale = "rates" if asked.metric.kind == "binary" else "logs" if asked.metric.kind == "duration" else "means"
    looks = list(_looks(pair, control, least=1 if scale == "rates" else FIRST_UNITS))
    if not looks:
        return None
    import numpy as np

    sides = [_stats(asked.metric, pair, name, looks, scale) for name in (control, asked.treatment)]
    grid = _grid(experiment, asked.treatment, sides)
    sign = good_sign(asked.metric) * (-1 if asked.worse else 1)
    shift = sign * experiment.plan.harm.tolerated_loss if asked.worse else 0.0
    seen = evidence(grid, scale, *sides, shift=shift, sign=sign)
    bounds = np.asarray(harm_bounds(grid, alpha=asked.alpha, scale=scale))
    crossed = np.flatnonzero(np.nan_to_num(seen, nan=-np.inf) >= bounds)
    if not crossed.size:
        return None
    look = int(crossed[0])
    seen_by = [[each for each in pair[: looks[look]] if each.variant == v] for v in (control, asked.treatment)]
    means = [sum(each.value for each in known) / sum(each.per for each in known) for known in seen_by]
    return Contradiction(
        metric=asked.metric.name,
        treatment=asked.treatment,
        worse=asked.worse,
        n_control=int(sides[0].n[look]),
        n_treatment=int(sides[1].n[look]),
        mean_control=means[0],
        mean_treatment=means[1],
        statistic=float(seen[look]),
        boundary=float(bounds[look]),
        through_seq=pair[looks[look] - 1].seq,
    )


def told(experiment: Experiment, found: Contradiction) -> str:
    """A contradiction with its numbers and the budget that it is paid from."""
    metric = next(metric for metric in experiment.metrics if metric.name == found.metric)
    rate = metric.kind == "binary"
    means = [f"{mean:.1%}" if rate else number(mean) for mean in (found.mean_control, found.mean_treatment)]
    return (
        f"{found.metric} of {found.treatment} is {'worse' if found.worse else 'better'}: {means[1]} against control's "
        f"{means[0]} ({found.n_treatment} and {found.n_control} units), {'log e' if rate else 'z'} = "
        f"{found.statistic:.2f} reaches its boundary {found.boundary:.2f}, which holds at every look."
    )


def _looks(known: Sequence[Known], control: str, *, least: int) -> Iterator[int]:
    """The numbers of values at which is looked: all up to 100, then every twentieth part more."""
    look, treated, of_control = 0, 0, 0
    for place, each in enumerate(known, 1):
        of_control += each.variant == control
        treated += each.variant != control
        if min(of_control, treated) >= least and place >= look:
            yield place
            look = place + 1 if place < _EVERY_UNIT else int(place * _STEP) + 1


def _stats(metric: Metric, known: Sequence[Known], variant: str, looks: Sequence[int], scale: Scale) -> Stats:
    import numpy as np

    mine: Flags = np.asarray([each.variant == variant for each in known])
    values, per = (np.asarray(part, dtype=float) for part in zip(*((x.value, x.per) for x in known), strict=True))
    if scale == "logs":
        values = np.log(values)

    def at(look: int) -> tuple[float, float, float]:
        there = mine[:look]
        if metric.kind == "ratio":
            return of_ratio(bivariate_moments(values[:look][there], per[:look][there]))
        found = moments(values[:look][there])
        return float(found.n), found.mean, found.m2

    return stats(*zip(*map(at, looks), strict=True))


def _grid(experiment: Experiment, treatment: str, sides: Sequence[Stats]) -> Grid:
    wanted: Mapping[str, float] = planned_units(experiment)
    planned = information(wanted[experiment.control.name], wanted[treatment])
    units = [(int(n), int(m)) for n, m in zip(sides[0].n.tolist(), sides[1].n.tolist(), strict=True)]
    times = tuple(information(n, m) / planned for n, m in units)
    return Grid("always_valid", times, tuple(units), (True,) * len(units), closes=False, planned=planned)
