"""From recorded entries and due looks to what a plan's questions are answered from."""

from collections.abc import Mapping, Sequence

from experiment_tracker_tools.analysis.asking import Room
from experiment_tracker_tools.analysis.blocks import blocks_of, places_of
from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.analysis.exact import Blocks
from experiment_tracker_tools.analysis.information import planned_units
from experiment_tracker_tools.analysis.points import Point, is_exact
from experiment_tracker_tools.analysis.rules import Grid
from experiment_tracker_tools.analysis.series import Samples, reduced, series, values_of
from experiment_tracker_tools.core.text import counted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.health import MEASURED
from experiment_tracker_tools.stats.normal_mixture import information


def closes(points: Sequence[Point]) -> bool:
    """Whether the last look is the plan's final one, and may speak."""
    return points[-1].final and points[-1].speaks


def room_of(experiment: Experiment, entries: Entries, points: Sequence[Point]) -> tuple[Room, tuple[str, ...]]:
    """What a plan's questions are answered from, and how its tests differ from its first choice."""
    planned = list(planned_units(experiment).values())
    ends = closes(points)
    grid = Grid(
        experiment.plan.method,
        tuple(point.time for point in points),
        tuple((point.units[0], min(point.units[1:])) for point in points),
        tuple(point.speaks for point in points),
        ends and points[-1].time < 1,
        information(planned[0], min(planned[1:])),
    )
    along = {metric.name: series(experiment, entries, points, metric) for metric in experiment.metrics}
    blocks, notes = _blocks(experiment, entries, points) if is_exact(experiment) else ({}, ())
    within = _phase_note(entries, points[-1]) or _within_note(experiment, along)
    return Room(experiment, grid, along, blocks), (*notes, *within)


def pooled(experiment: Experiment, entries: Entries, points: Sequence[Point], room: Room) -> Room:
    """The room in which phases of exposure are one: harm is asked of all units together."""
    return room_of(experiment, entries._replace(phases=()), points)[0] if entries.phases else room


def _within_note(experiment: Experiment, along: Mapping[str, Sequence[Samples]]) -> tuple[str, ...]:
    """What a reader must know where variants are compared within strata."""
    inside = along[experiment.primary.name][-1][experiment.control.name].inside
    if inside is None or inside.strata < 2:
        return ()
    if experiment.plan.order == "abba":
        return (f"Compared within {inside.strata} blocks in the order ABBA or BAAB: a steady drift is no noise.",)
    about = (
        f"{inside.strata} of them stand for more of their kind, so the spread of the effect between them counts."
        if inside.clustered
        else "with fewer than 20 of them the result is about these."
    )
    return (f"Compared within {inside.strata} strata (such as tasks): how far these lie apart is no noise; {about}",)


def _phase_note(entries: Entries, point: Point) -> tuple[str, ...]:
    """What a reader must know where the units came in phases."""
    later = sum(entry.seq <= point.seq for entry in entries.phases)
    if not later:
        return ()
    phases = f"{later + 1} phases of exposure"
    return (f"Compared within {phases}, then put together: what changed between them is no effect. Harm: all units.",)


def _late_note(metric: str, treatment: str, late: int) -> tuple[str, ...]:
    """What a reader must know where outcomes came after the look that read their units."""
    if not late:
        return ()
    return (
        f"{counted(late, 'value')} of {metric} ({treatment} and control) changed after the look that read them: the "
        "randomisation test has them as they were, a unit without an outcome as 0. Record outcomes as they come.",
    )


def _blocks(
    experiment: Experiment, entries: Entries, points: Sequence[Point]
) -> tuple[dict[tuple[str, str], Blocks], tuple[str, ...]]:
    """The blocks of every comparison of the plan."""
    found: dict[tuple[str, str], Blocks] = {}
    notes: list[str] = []
    for metric in experiment.metrics:
        if metric.kind == "ratio" or any(entry.content.metric == metric.name for entry in entries.aggregates):
            notes.append(f"{metric.name} is tested by its t statistic: only single values can be re-randomised.")
            continue
        values = values_of(experiment, entries, metric)
        looks = [reduced(experiment, values, metric, point) for point in points]
        for number, treatment in enumerate(experiment.treatments, 1):
            blocks = blocks_of(
                values,
                looks,
                points,
                places=places_of(experiment, number),
                treatment=number,
                logs=metric.kind == "duration",
                closes=closes(points),
            )
            if blocks is None:
                notes.append(f"{metric.name} of {treatment.name} is tested by its t statistic: variants came in bulk.")
            else:
                found[metric.name, treatment.name] = blocks
                notes.extend(_late_note(metric.name, treatment.name, blocks.late))
    if found and not any(entry.provenance in MEASURED for entry in entries.exposures):
        notes.append("Variants were claimed, not assigned here: the randomisation test supposes that chance chose.")
    return found, tuple(notes)
