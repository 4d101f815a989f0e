"""Which entries a plan's last look analyses: a pure function of the plan and the ledger's order, whoever asks and when.

Units enter until a fixed plan has the planned number in every variant, another plan its planned information; what
comes later never changes the result, so nobody can go on until a lucky streak. Before that, and after an early stop,
this look is not there. Posted periods enter once every variant has posted them: whose numbers are sent first must not
look like a sample ratio mismatch.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from experiment_tracker_tools.analysis.information import arrived
from experiment_tracker_tools.analysis.samples import ZERO_WHERE_MISSING, units_of
from experiment_tracker_tools.domain.decision import Standing
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Trial


class Entries(NamedTuple):
    """What an experiment recorded, each kind in ledger order; phases: where later phases of exposure began."""

    trials: Sequence[Entry[Trial]]
    exposures: Sequence[Entry[Exposure]]
    aggregates: Sequence[Entry[Aggregate]]
    phases: Sequence[Entry[PhaseStart]] = ()


class Arrival(NamedTuple):
    """A variant had this many units after this ledger position."""

    units: int
    seq: int


class Cut(NamedTuple):
    """What is analysed.

    Attributes:
        standing: interim shows no effect; final is the plan's one look; exploratory is an early stop.
        through_seq: the last unit that enters arrived here.
        units: units per variant that arrived by then (with an outcome, where a missing one is not a zero).
        used: the entries that are analysed.
        waiting: why an interim look waits although the planned units are there.
        open_periods: posted periods that are not used, because a variant has not posted them.
    """

    standing: Standing
    through_seq: int
    units: dict[str, int]
    used: Entries
    waiting: str | None = None
    open_periods: tuple[str, ...] = ()


def cut(experiment: Experiment, entries: Entries, *, now: datetime) -> Cut:
    """Choose the entries that the plan's last look analyses."""
    deadline = deadline_of(experiment)
    entries = until(entries, deadline)
    arrivals = arrivals_of(experiment, entries)
    closing = _closing(experiment, arrivals)
    full = closing is not None
    through = last_seq(entries) if closing is None else closing
    stopped = experiment.entered("analyzing")
    closed_at = stopped.at if stopped else now
    early = _too_early(experiment, closed_at)
    waiting = early or (None if stopped else _outcomes_to_come(experiment, entries, through))
    standing: Standing = "interim"
    if closed_at > deadline or (full and not waiting):
        standing, waiting = "final", None
    elif stopped:
        standing = "exploratory"
    return Cut(
        standing,
        through,
        {name: _units_by(steps, through) for name, steps in arrivals.items()},
        entering(experiment, entries, through),
        waiting if full else None,
        tuple(sorted(_open_periods(experiment, entries.aggregates, through))),
    )


def deadline_of(experiment: Experiment) -> datetime:
    """When the longest runtime ends."""
    return _after_start(experiment, experiment.plan.max_runtime_days)


def earliest_verdict(experiment: Experiment) -> datetime:
    """When the shortest runtime ends."""
    return _after_start(experiment, experiment.plan.min_runtime_days)


def last_seq(entries: Entries) -> int:
    """The newest position of all entries, 0 without any."""
    return max((entry.seq for kind in entries for entry in kind), default=0)


def in_force(aggregates: Sequence[Entry[Aggregate]]) -> list[Aggregate]:
    """The newest post of every variant, metric and period."""
    newest: dict[tuple[str | None, str, str], Aggregate] = {}
    for entry in aggregates:
        newest[_slice(entry)] = entry.content
    return list(newest.values())


def _after_start(experiment: Experiment, days: float) -> datetime:
    started = next((step for step in experiment.history if step.state == "running"), experiment.history[-1])
    return started.at + timedelta(days=days)


def until(entries: Entries, deadline: datetime) -> Entries:
    """The entries that came before the deadline."""
    return Entries(
        [entry for entry in entries.trials if entry.at <= deadline],
        [entry for entry in entries.exposures if entry.at <= deadline],
        [entry for entry in entries.aggregates if entry.at <= deadline],
        [entry for entry in entries.phases if entry.at <= deadline],
    )


def arrivals_of(experiment: Experiment, entries: Entries) -> dict[str, list[Arrival]]:
    """By variant, how many units there were after each ledger position at which the number changed."""
    names = [variant.name for variant in experiment.variants]
    primary = experiment.primary
    posts = [entry for entry in entries.aggregates if entry.content.metric == primary.name]
    if posts:
        return _arrivals_of_posts(names, posts)
    exposures: Sequence[Entry[Exposure]] = entries.exposures if primary.kind in ZERO_WHERE_MISSING else ()
    firsts = {name: sorted(units_of(entries.trials, exposures, name).first_seq.values()) for name in names}
    return {name: [Arrival(n, seq) for n, seq in enumerate(seqs, 1)] for name, seqs in firsts.items()}


def _arrivals_of_posts(names: Sequence[str], posts: Sequence[Entry[Aggregate]]) -> dict[str, list[Arrival]]:
    arrivals: dict[str, list[Arrival]] = {name: [Arrival(0, 0)] for name in names}
    newest: dict[str, dict[str, int]] = {name: {} for name in names}
    for entry in posts:
        newest[entry.content.variant][entry.content.period] = entry.content.n
        complete = _in_all(newest.values())
        for name, periods in newest.items():
            units = sum(n for period, n in periods.items() if period in complete)
            if units != arrivals[name][-1].units:
                arrivals[name].append(Arrival(units, entry.seq))
    return arrivals


def _in_all(periods: Iterable[Iterable[str]]) -> set[str]:
    return set[str].intersection(*map(set, periods))


def _open_periods(experiment: Experiment, aggregates: Sequence[Entry[Aggregate]], through: int) -> set[str]:
    """Periods of the primary that some variant has posted by then, and some has not."""
    posted: dict[str, set[str]] = {variant.name: set() for variant in experiment.variants}
    for entry in aggregates:
        if entry.seq <= through and entry.content.metric == experiment.primary.name:
            posted[entry.content.variant].add(entry.content.period)
    return set[str]().union(*posted.values()) - _in_all(posted.values())


def _closing(experiment: Experiment, arrivals: dict[str, list[Arrival]]) -> int | None:
    """The position at which the planned units, or the planned information, were there."""
    if experiment.plan.endless:
        return None
    if experiment.plan.method != "fixed":
        return arrived(experiment, arrivals).first_full()
    reached = [_seq_of(steps, experiment.plan.sample_size) for steps in arrivals.values()]
    return None if None in reached else max(seq or 0 for seq in reached)


def _seq_of(steps: Sequence[Arrival], planned: int) -> int | None:
    return next((step.seq for step in steps if step.units >= planned), None)


def _units_by(steps: Sequence[Arrival], through: int) -> int:
    return next((step.units for step in reversed(steps) if step.seq <= through), 0)


def _too_early(experiment: Experiment, closed_at: datetime) -> str | None:
    earliest = earliest_verdict(experiment)
    return f"the plan's minimum runtime ends {earliest:%Y-%m-%d %H:%M} UTC" if closed_at < earliest else None


def _outcomes_to_come(experiment: Experiment, entries: Entries, through: int) -> str | None:
    if experiment.primary.kind not in ZERO_WHERE_MISSING:
        return None
    answered = {entry.content.unit for entry in entries.trials}
    open_units = sum(e.seq <= through and e.content.unit not in answered for e in entries.exposures)
    if not open_units:
        return None
    return f"{open_units} exposed units may still get an outcome: stop the experiment once their time has passed"


def entering(experiment: Experiment, entries: Entries, through: int) -> Entries:
    """The entries of the units that had arrived by a position, with outcomes that came later."""
    exposures = [entry for entry in entries.exposures if entry.seq <= through]
    answers = _closing_trial(entries, through)
    met = {entry.content.unit for entry in exposures} if experiment.primary.kind in ZERO_WHERE_MISSING else set[str]()
    trials = [e for e in entries.trials if e.seq <= through or (e.content.unit in met and e.seq <= answers)]
    return Entries(trials, exposures, _used_posts(experiment, entries.aggregates, through), entries.phases)


def _closing_trial(entries: Entries, through: int) -> float:
    """The ledger position at which the last exposed unit got its first outcome; infinite while one has none."""
    first: dict[str | None, int] = {}
    for entry in entries.trials:
        first.setdefault(entry.content.unit, entry.seq)
    met = [first.get(entry.content.unit, math.inf) for entry in entries.exposures if entry.seq <= through]
    return max(met, default=0)


def _used_posts(
    experiment: Experiment, aggregates: Sequence[Entry[Aggregate]], through: int
) -> Sequence[Entry[Aggregate]]:
    """The posts that had come by then; a metric that is posted after the primary enters with the primary's period."""
    left_out, primary = _open_periods(experiment, aggregates, through), experiment.primary.name
    used = [entry for entry in aggregates if entry.seq <= through and entry.content.period not in left_out]
    entered = {entry.content.period for entry in used if entry.content.metric == primary}
    there = {_slice(entry) for entry in used}
    later: dict[tuple[str | None, str, str], Entry[Aggregate]] = {}
    for entry in aggregates:
        others = entry.content.metric != primary and entry.content.period in entered
        if entry.seq > through and others and _slice(entry) not in there:
            later.setdefault(_slice(entry), entry)
    return [*used, *later.values()]


def _slice(entry: Entry[Aggregate]) -> tuple[str | None, str, str]:
    return entry.content.metric, entry.content.period, entry.content.variant
