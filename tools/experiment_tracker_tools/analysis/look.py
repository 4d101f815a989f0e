"""One look: what a plan may see of the recorded entries at this moment, and what its tests have come to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from experiment_tracker_tools.analysis.ahead import ahead_of, is_futile, resolving_n
from experiment_tracker_tools.analysis.cut import Cut, Entries, cut, last_seq
from experiment_tracker_tools.analysis.effects import labelled, plain, running, stopped, with_safety
from experiment_tracker_tools.analysis.feedback import tabulated, worse_under
from experiment_tracker_tools.analysis.harms import harm_told
from experiment_tracker_tools.analysis.health import gates
from experiment_tracker_tools.analysis.lines import tested
from experiment_tracker_tools.analysis.panel import panel_of
from experiment_tracker_tools.analysis.points import Point
from experiment_tracker_tools.analysis.rules import success_alphas
from experiment_tracker_tools.analysis.sample_ratio import told_shares
from experiment_tracker_tools.analysis.samples import ZERO_WHERE_MISSING
from experiment_tracker_tools.analysis.secondaries import secondaries
from experiment_tracker_tools.analysis.segments import segments_of
from experiment_tracker_tools.analysis.series import Samples, series
from experiment_tracker_tools.analysis.suspicions import too_good, wearing_off
from experiment_tracker_tools.analysis.weighing import Weighed, weigh
from experiment_tracker_tools.domain.decision import Estimate, Look, Standing
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.health import Finding
from experiment_tracker_tools.domain.seen import Opinion, Tested


def alpha_of(experiment: Experiment) -> float:
    """The error rate of one comparison before any other was rejected."""
    return success_alphas(experiment)[0]


class Beside(NamedTuple):
    """What a look takes in beside the entries that are tested.

    Attributes:
        amended: trials that no longer count because they were recorded wrongly, by variant.
        feedback: what people said of the variants.
        deviations: what was not as planned, in words.
    """

    amended: Mapping[str, int]
    feedback: Sequence[Feedback] = ()
    deviations: tuple[str, ...] = ()


NOTHING_BESIDE = Beside({})


def look_at(experiment: Experiment, entries: Entries, *, now: datetime, beside: Beside = NOTHING_BESIDE) -> Look:
    """Look at an experiment as its plan allows: health always, of a fixed plan effects only at its one look."""
    chosen = cut(experiment, entries, now=now)
    found = weigh(experiment, entries, now=now)
    standing = _standing(found, chosen)
    point = found.points[found.look] if standing == "final" and found.look >= 0 else None
    units = _units(experiment, point) if point else chosen.units
    parts = segments_of(experiment, entries, found, standing)
    early = point is not None and not point.final
    health = gates(experiment, _until_point(entries, point), now, amended=beside.amended, early=early)
    look = Look(
        units=units,
        planned=experiment.plan.sample_size,
        standing=standing,
        through_seq=point.seq if point else chosen.through_seq,
        srm_p=health.srm_p,
        missing=_missing(found, experiment),
        estimates=_estimates(experiment, entries, found, standing),
        notes=(
            *_notes(experiment, chosen, standing, units, closed=point is None or _is_underrun(point)),
            *found.notes,
            *parts.notes,
        ),
        deviations=beside.deviations,
        health=health,
        opinions=_opinions(experiment, beside.feedback),
        segments=parts.segments,
    )
    if experiment.plan.method == "fixed" and standing == "interim":
        return look
    shares = told_shares(experiment, entries) if early else None
    doubts = (*((shares,) if shares else ()), *_doubts(experiment, entries, found, standing))
    doubted = health.model_copy(update={"warnings": (*health.warnings, *doubts)})
    return look.model_copy(update={"health": doubted, **_findings(experiment, found, standing, chosen, now)})


def _doubts(experiment: Experiment, entries: Entries, found: Weighed, standing: Standing) -> tuple[Finding, ...]:
    """What the effect itself makes suspicious; a trend is asked for once, when the plan has its answer."""
    if found.room is None or standing == "exploratory":
        return ()
    trends = wearing_off(experiment, entries, found.room, found.points[found.look]) if standing == "final" else ()
    return (*too_good(found.room, found.look), *trends)


def _units(experiment: Experiment, point: Point) -> dict[str, int]:
    return dict(zip((variant.name for variant in experiment.variants), point.units, strict=True))


def _standing(found: Weighed, chosen: Cut) -> Standing:
    if found.ended:
        return "final"
    if chosen.standing == "final":
        return "interim" if found.points and not found.points[-1].final else "final"
    return chosen.standing


def _findings(
    experiment: Experiment, found: Weighed, standing: Standing, chosen: Cut, now: datetime
) -> dict[str, object]:
    """What the plan's tests add to a look."""
    changes: dict[str, object] = {"statuses": found.statuses(experiment), "harms": _harms(found)}
    if found.room is None:
        return changes | {"tests": _tests(found, ())}
    point, times = found.points[found.look], found.room.grid.times
    changes |= {
        "information": times[found.look],
        "looks": found.look + 1,
        "tests": _tests(found, times),
        "panel": panel_of(found.room, found.look),
    }
    if standing == "final":
        return changes | {"resolving_n": resolving_n(found.room, found.look)}
    arrived = min(chosen.units.values())
    ahead = ahead_of(found.room, found.lines, point, arrived=arrived, now=now, phases=chosen.used.phases)
    if _is_mostly_open(experiment, chosen):
        return changes | {"ahead": ahead and ahead.model_copy(update={"chance": None})}
    return changes | {"futile": is_futile(found.room, found.look), "ahead": ahead}


def _tests(found: Weighed, times: Sequence[float]) -> tuple[Tested, ...]:
    lines = tuple(tested(line, times, through=found.look) for line in found.lines)
    events = tuple(
        Tested(
            question="harm",
            name=trip.share.name,
            treatment=trip.share.treatment,
            statistic=trip.log_e,
            boundary=trip.boundary,
            at=None if trip.seq is None else times[found.look] if times else 0.0,
        )
        for trip in found.trips
    )
    return lines + events


def _harms(found: Weighed) -> tuple[str, ...]:
    """What fired, with its numbers."""
    if not found.harmed:
        return ()
    lines = [(line, line.first) for line in found.lines if line.question == "harm"]
    reached = [(line, first) for line, first in lines if first is not None and first <= found.look]
    told = [harm_told(found.room, line, first) for line, first in reached] if found.room is not None else []
    told += [f"{trip.share.name} of {trip.share.treatment}: {trip.told}." for trip in found.trips if trip.seq]
    return tuple(told)


def _estimates(experiment: Experiment, entries: Entries, found: Weighed, standing: Standing) -> tuple[Estimate, ...]:
    fixed = experiment.plan.method == "fixed"
    if standing == "exploratory":
        raw = plain(experiment, _everything(experiment, entries), alpha=alpha_of(experiment))
        return labelled(experiment, raw, planned=False)
    if found.room is None or (fixed and standing == "interim"):
        return ()
    tested = secondaries(experiment, found)
    if standing == "interim":
        shown = running(found.room, found.look)
    else:
        decided = found.decided(experiment) | {name: each.look for name, each in tested.items()}
        shown = stopped(found.room, found.look, decided)
    return labelled(experiment, with_safety(shown, found.lines, found.look), planned=True, tested=tested)


def _everything(experiment: Experiment, entries: Entries) -> dict[str, Samples]:
    last = last_seq(entries)
    point = Point(last, last, 1.0, (), speaks=True, final=True)
    return {metric.name: series(experiment, entries, [point], metric)[0] for metric in experiment.metrics}


def _missing(found: Weighed, experiment: Experiment) -> dict[str, int]:
    if found.room is None:
        return {}
    samples = found.room.along[experiment.primary.name][found.look]
    return {name: sample.missing for name, sample in samples.items() if sample.missing}


def _until_point(entries: Entries, point: Point | None) -> Entries:
    """What had come by the look that ended the experiment: later entries do not change its health."""
    if point is None or point.final:
        return entries
    trials = [entry for entry in entries.trials if entry.seq <= point.as_of]
    exposures = [entry for entry in entries.exposures if entry.seq <= point.as_of]
    aggregates = [entry for entry in entries.aggregates if entry.seq <= point.as_of]
    return Entries(trials, exposures, aggregates, entries.phases)


def _opinions(experiment: Experiment, feedback: Sequence[Feedback]) -> dict[str, Opinion]:
    names = [variant.name for variant in experiment.variants]
    found: dict[str, Opinion] = {}
    for name, ratings in tabulated(feedback, names).items():
        if ratings.n:
            worse = None if name == names[0] else worse_under(feedback, control=names[0], treatment=name).p_value
            found[name] = Opinion(ratings=ratings.n, mean=ratings.mean, worse_p=worse)
    return found


def _is_underrun(point: Point) -> bool:
    return point.final and point.time < 1


def _notes(
    experiment: Experiment, chosen: Cut, standing: Standing, units: dict[str, int], *, closed: bool
) -> tuple[str, ...]:
    notes: list[str] = []
    planned = experiment.plan.horizon
    if standing == "exploratory":
        notes.append(
            f"Stopped before the plan allowed it ({_counted(units)} of {planned} a variant): the numbers are "
            "exploratory and cannot ship."
        )
    elif standing == "final" and closed and any(n < planned for n in units.values()):
        notes.append(f"The runtime ended at {_counted(units)} of {planned} planned units a variant.")
    elif standing != "final" and chosen.waiting:
        notes.append(f"The planned units are there, but {chosen.waiting}.")
    if chosen.open_periods:
        shown = ", ".join(chosen.open_periods[:3]) + (", ..." if len(chosen.open_periods) > 3 else "")
        notes.append(f"Not counted, because not every variant has posted them: {shown}.")
    if standing == "interim" and _is_mostly_open(experiment, chosen):
        met = len(chosen.used.exposures)
        notes.append(
            f"{len(_unanswered(chosen.used))} of {met} units that met a variant have no outcome yet and count as 0: "
            "nothing is advised before half of them have one."
        )
    if experiment.primary.kind not in ZERO_WHERE_MISSING and standing != "interim":
        lost = Counter(_unanswered(chosen.used))
        counted = _counted({variant.name: lost[variant.name] for variant in experiment.variants})
        if lost:
            notes.append(
                f"Exposed units without an outcome are missing from {experiment.primary.name} ({counted}): "
                "numbers that differ by variant can bias the result."
            )
    return tuple(notes)


def _is_mostly_open(experiment: Experiment, chosen: Cut) -> bool:
    """Whether a unit without an outcome counts as 0, and more than half of those that met a variant are such."""
    if experiment.primary.kind not in ZERO_WHERE_MISSING:
        return False
    return 2 * len(_unanswered(chosen.used)) > len(chosen.used.exposures)


def _unanswered(used: Entries) -> Sequence[str]:
    """The variant of every exposed unit that has no outcome."""
    answered = {entry.content.unit for entry in used.trials}
    return [entry.content.variant for entry in used.exposures if entry.content.unit not in answered]


def _counted(units: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in units.items())
