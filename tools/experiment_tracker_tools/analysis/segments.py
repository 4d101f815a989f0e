"""The effect on the primary in parts of the units, once the plan has its answer: declared ones, and explored ones.

A unit's segment is the first value of the attribute that was recorded for it. An attribute whose values the variants do
not share alike may have been changed by them, and is left out. What has fewer than the plan's k units of a variant is
not shown, nor a single part whose numbers the others would tell by subtraction. Phases of exposure are told likewise:
nobody's attribute, but when a unit came; explored, as a family of their own.

References:
    Cochran (1954), Biometrics 10, for effects that differ. Hung, Wang & O'Neill (2007), Statistics in Medicine 26: what
    is tested after an early stop needs the boundary of its look. Samarati & Sweeney (1998), for k-anonymity.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.comparison import Pair, compare
from experiment_tracker_tools.analysis.cut import Entries, deadline_of, last_seq, until
from experiment_tracker_tools.analysis.deviates import Estimates, estimates
from experiment_tracker_tools.analysis.effects import nominal_at
from experiment_tracker_tools.analysis.lines import scale_of, stats_along
from experiment_tracker_tools.analysis.points import Point
from experiment_tracker_tools.analysis.series import (
    Reduced,
    Values,
    in_order,
    reduced,
    samples_of,
    unit_name,
    values_of,
)
from experiment_tracker_tools.analysis.weighing import Weighed
from experiment_tracker_tools.domain.decision import Segment, Standing
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.phase import PHASE
from experiment_tracker_tools.domain.privacy import CONSENT
from experiment_tracker_tools.stats.meta_analysis import homogeneity_p_value
from experiment_tracker_tools.stats.multiplicity import adjust_p_values
from experiment_tracker_tools.stats.tails import upper_chi_square

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

# What hooks note of how a run went: the variant may have caused it.
OUTCOMES = ("ended", "served", CONSENT)
MOST_VALUES, MOST_SEGMENTS = 20, 60
_CHANGED = 0.001


class Segmented(NamedTuple):
    """Segments, the declared ones first, the most significant first; and what is not shown, in words."""

    segments: tuple[Segment, ...] = ()
    notes: tuple[str, ...] = ()


def segments_of(experiment: Experiment, entries: Entries, found: Weighed, standing: Standing) -> Segmented:
    """The segments of a look: none before there is an answer, so that nobody can wait for a lucky one."""
    entries = until(entries, deadline_of(experiment))
    alpha = nominal = experiment.plan.alpha
    if standing == "exploratory":
        last = last_seq(entries)
        point = Point(last, last, 1.0, (), speaks=True, final=True)
        return segmented(experiment, entries, point, alpha=alpha, nominal=nominal, planned=False)
    if standing == "interim" or found.room is None:
        return Segmented()
    if experiment.plan.method != "fixed":
        nominal = nominal_at(found.room, found.look, alpha=alpha) or alpha
    return segmented(experiment, entries, found.points[found.look], alpha=alpha, nominal=nominal, planned=True)


def segmented(
    experiment: Experiment, entries: Entries, point: Point, *, alpha: float, nominal: float, planned: bool
) -> Segmented:
    """Every treatment's effect in every segment, by declared and explored attributes.

    Args:
        experiment: with its plan.
        entries: what was recorded.
        point: the look that ended it.
        alpha: error rate of a family of segments.
        nominal: what a declared segment's p-value must be below at this look; alpha where the plan looks once.
        planned: whether the plan has its answer; else everything is exploratory.
    """
    names = [name for name in _attributes(experiment) if name not in OUTCOMES]
    if not (names or entries.phases) or entries.aggregates:
        return Segmented()
    values = values_of(experiment, entries, experiment.primary)
    found = reduced(experiment, values, experiment.primary, point)
    declared, rest = list[Segment](), list[Segment]()
    notes: list[str] = []
    for name in names:
        parts, told = _parts(experiment, _values_by_unit(entries, name), found)
        notes += [f"Segments by {name}: {told}."] if told else []
        if planned and name in experiment.plan.segments.by:
            declared += _by(experiment, values, found, name, parts, alpha=nominal)
        else:
            rest += _by(experiment, values, found, name, parts, alpha=alpha)
    by_phase = _by(experiment, values, found, PHASE, _phases(experiment, values, found), alpha=alpha)
    done = [*_confirmed(declared, alpha=alpha, nominal=nominal), *_explored(by_phase), *_explored(rest)]
    return Segmented(tuple(done[:MOST_SEGMENTS]), tuple(notes))


def _phases(experiment: Experiment, values: Values, found: Reduced) -> "Mapping[str, Flags]":
    """Which of a look's units came in each phase of exposure, where every variant has units in it."""
    came = values.phases[found.units]
    parts: dict[str, Flags] = {}
    for number, phase in enumerate(experiment.plan.phases):
        part = came == number
        if len(set(found.variants[part].tolist())) == len(experiment.variants):
            parts[f"{number + 1} ({100 * phase.share:g}%)"] = part
    return parts


def _attributes(experiment: Experiment) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*experiment.plan.segments.by, *experiment.plan.privacy.attributes]))


def _values_by_unit(entries: Entries, name: str) -> list[str | None]:
    """The first value of an attribute that was recorded for each unit, in the order in which units arrived."""
    known: dict[str, int] = {}
    found: list[str | None] = []
    for entry in in_order(entries):
        unit = known.setdefault(unit_name(entry), len(known))
        if unit == len(found):
            found.append(None)
        if found[unit] is None and name in entry.content.attributes:
            found[unit] = _told(entry.content.attributes[name])
    return found


def _told(value: bool | float | str) -> str:  # noqa: FBT001 an attribute's value
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else f"{value:g}"


def _parts(
    experiment: Experiment, by_unit: Sequence[str | None], found: Reduced
) -> "tuple[Mapping[str, Flags], str | None]":
    """Which of a look's units each segment holds, and what is not shown."""
    import numpy as np

    labels: list[str | None] = [by_unit[unit] for unit in found.units.tolist()]
    names = [name for name, _ in Counter(label for label in labels if label is not None).most_common()]
    if len(names) < 2:
        return {}, None
    if len(names) > MOST_VALUES:
        return {}, f"{len(names)} different values, too many to be segments"
    parts = {name: np.array([label == name for label in labels]) for name in names}
    counts = np.array(
        [np.bincount(found.variants[part], minlength=len(experiment.variants)) for part in parts.values()]
    )
    if (p := _unlike(counts)) < _CHANGED:
        return {}, f"the variants do not share its values alike (p = {p:.2g}); it may be an effect, not a cause"
    k = experiment.plan.segments.k
    small = [name for name, row in zip(names, counts, strict=True) if row.min() < k]
    left = [name for name in names if name not in small]
    if len(small) == 1 and left:
        small.append(left.pop())
    told = f"{len(small)} not shown, so that none of fewer than {k} units a variant can be told" if small else None
    return {name: parts[name] for name in left}, told


def _unlike(counts: "NDArray[np.int64]") -> float:
    """The p-value of segments and variants being independent (Pearson's chi-square)."""
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0, keepdims=True) / counts.sum()
    held = expected.min(axis=1) > 0
    statistic = float(((counts - expected)[held] ** 2 / expected[held]).sum())
    df = (int(held.sum()) - 1) * (counts.shape[1] - 1)
    return upper_chi_square(statistic, df).p_value if df > 0 else 1.0


def _by(
    experiment: Experiment, values: Values, found: Reduced, name: str, parts: "Mapping[str, Flags]", *, alpha: float
) -> list[Segment]:
    """The segments of one attribute, with whether the effect differs between them."""
    if len(parts) < 2:
        return []
    primary, control = experiment.primary, experiment.control.name
    within = {value: samples_of(experiment, values, primary, _only(found, part)) for value, part in parts.items()}
    scale, shown = scale_of(primary, list(within.values())), list[Segment]()
    for treatment in (variant.name for variant in experiment.treatments):
        each = [
            (stats_along([s], control, scale=scale), stats_along([s], treatment, scale=scale)) for s in within.values()
        ]
        differs = _heterogeneous([estimates(scale, *pair) for pair in each])
        for value, samples in within.items():
            estimate = compare(primary, treatment, Pair(samples[control], samples[treatment]), alpha=alpha)
            told = estimate.model_copy(update={"label": "exploratory"})
            shown.append(Segment(attribute=name, value=value[:120], estimate=told, differs_p=differs))
    return shown


def _only(found: Reduced, part: "Flags") -> Reduced:
    return Reduced(
        found.units[part],
        found.x[part],
        found.y[part],
        found.variants[part],
        found.entered[part],
        0 * found.missing,
    )


def _heterogeneous(found: Sequence[Estimates]) -> float | None:
    """Cochran's Q: the p-value of one effect in all segments."""
    known = [(float(e.effect[0]), float(e.se[0])) for e in found if float(e.se[0]) > 0]
    if len(known) < 2:
        return None
    return homogeneity_p_value(*zip(*known, strict=True))


def _confirmed(segments: Sequence[Segment], *, alpha: float, nominal: float) -> list[Segment]:
    """Declared segments: Holm among them, held against the boundary of the look."""
    interval = "fixed" if nominal == alpha else "repeated"
    adjusted = adjust_p_values([each.estimate.p_value for each in segments]) if segments else ()
    scaled = [None if p is None else min(1.0, p * alpha / nominal) for p in adjusted]
    return _with(
        [_changed(each, label="confirmatory", confidence=1 - alpha, interval=interval) for each in segments], scaled
    )


def _explored(segments: Sequence[Segment]) -> list[Segment]:
    return _with(segments, adjust_p_values([e.estimate.p_value for e in segments], method="bh")) if segments else []


def _with(segments: Sequence[Segment], adjusted: Sequence[float | None]) -> list[Segment]:
    """The segments with their corrected p-values, the smallest first."""
    done = [_changed(each, adjusted_p=p) for each, p in zip(segments, adjusted, strict=True)]
    return sorted(done, key=lambda each: 2.0 if each.estimate.adjusted_p is None else each.estimate.adjusted_p)


def _changed(segment: Segment, **changes: float | str | None) -> Segment:
    return segment.model_copy(update={"estimate": segment.estimate.model_copy(update=changes)})
