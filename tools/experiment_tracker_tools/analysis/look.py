"""One look: what a fixed plan may see of the recorded entries at this moment."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from experiment_tracker_tools.analysis.comparison import Pair, compare
from experiment_tracker_tools.analysis.cut import Cut, Entries, cut, in_force
from experiment_tracker_tools.analysis.samples import (
    ZERO_WHERE_MISSING,
    Sample,
    sample_of_aggregates,
    sample_of_units,
    units_of,
)
from experiment_tracker_tools.domain.decision import Estimate, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.srm import chi_square_srm


def alpha_of(experiment: Experiment) -> float:
    """The error rate of one comparison: the plan's alpha, shared equally by the treatments (Bonferroni)."""
    return experiment.plan.alpha / len(experiment.treatments)


def look_at(experiment: Experiment, entries: Entries, *, now: datetime) -> Look:
    """Look at an experiment as its plan allows: health always, effects only when the look is final or exploratory."""
    chosen = cut(experiment, entries, now=now)
    samples = {metric.name: _samples(experiment, chosen.used, metric) for metric in experiment.metrics}
    primary = samples[experiment.primary.name]
    shown = chosen.standing != "interim"
    return Look(
        units=chosen.units,
        planned=experiment.plan.sample_size,
        standing=chosen.standing,
        through_seq=chosen.through_seq,
        srm_p=_srm(experiment, entries, chosen),
        missing={name: sample.missing for name, sample in primary.items() if sample.missing},
        estimates=_estimates(experiment, samples) if shown else (),
        notes=_notes(experiment, chosen),
    )


def _samples(experiment: Experiment, used: Entries, metric: Metric) -> dict[str, Sample]:
    posts = [post for post in in_force(used.aggregates) if post.metric == metric.name]
    if posts:
        return {v.name: sample_of_aggregates([p for p in posts if p.variant == v.name]) for v in experiment.variants}
    return {v.name: sample_of_units(units_of(used.trials, used.exposures, v.name), metric) for v in experiment.variants}


def _estimates(experiment: Experiment, samples: dict[str, dict[str, Sample]]) -> tuple[Estimate, ...]:
    alpha = alpha_of(experiment)
    ordered = sorted(experiment.metrics, key=lambda metric: metric.role != "primary")
    return tuple(
        compare(metric, variant.name, Pair(of[experiment.control.name], of[variant.name]), alpha=alpha)
        for metric in ordered
        for variant in experiment.treatments
        if (of := samples[metric.name])
    )


def _srm(experiment: Experiment, entries: Entries, chosen: Cut) -> float | None:
    """The check on arrived units; while the experiment runs, on the units that we assigned ourselves only."""
    counts = chosen.units
    if chosen.standing == "interim":
        assigned = [entry.content for entry in entries.exposures if entry.provenance == "command"]
        counts = {v.name: sum(exposure.variant == v.name for exposure in assigned) for v in experiment.variants}
    if not sum(counts.values()):
        return None
    shares = [variant.share or 0.0 for variant in experiment.variants]
    return chi_square_srm([counts[variant.name] for variant in experiment.variants], shares).p_value


def _notes(experiment: Experiment, chosen: Cut) -> tuple[str, ...]:
    notes: list[str] = []
    planned = experiment.plan.sample_size
    if chosen.standing == "exploratory":
        notes.append(
            f"Stopped before the plan allowed it ({_counted(chosen.units)} of {planned} a variant): the numbers are "
            "exploratory and cannot ship."
        )
    elif chosen.standing == "final" and any(n < planned for n in chosen.units.values()):
        notes.append(f"The runtime ended at {_counted(chosen.units)} of {planned} planned units a variant.")
    elif chosen.waiting:
        notes.append(f"The planned units are there, but {chosen.waiting}.")
    if chosen.open_periods:
        shown = ", ".join(chosen.open_periods[:3]) + (", ..." if len(chosen.open_periods) > 3 else "")
        notes.append(f"Not counted, because not every variant has posted them: {shown}.")
    if experiment.primary.kind not in ZERO_WHERE_MISSING and chosen.standing != "interim":
        lost = Counter(_unanswered(chosen.used))
        counted = _counted({variant.name: lost[variant.name] for variant in experiment.variants})
        if lost:
            notes.append(
                f"Exposed units without an outcome are missing from {experiment.primary.name} ({counted}): "
                "numbers that differ by variant can bias the result."
            )
    return tuple(notes)


def _unanswered(used: Entries) -> Sequence[str]:
    """The variant of every exposed unit that has no outcome."""
    answered = {entry.content.unit for entry in used.trials}
    return [entry.content.variant for entry in used.exposures if entry.content.unit not in answered]


def _counted(units: dict[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in units.items())
