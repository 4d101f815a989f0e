"""The decision as a pure function of plan and ordered data: every test along the plan's looks, and where they lead."""

from datetime import datetime
from typing import NamedTuple

from experiment_tracker_tools.analysis.asking import Room, success
from experiment_tracker_tools.analysis.course import STATUSES, Course, run
from experiment_tracker_tools.analysis.crossings import Answers, evidence_of, mark_trip
from experiment_tracker_tools.analysis.cut import Entries, deadline_of, until
from experiment_tracker_tools.analysis.harms import Trip, earliest, harm_lines, trips
from experiment_tracker_tools.analysis.lines import Line
from experiment_tracker_tools.analysis.points import Point, points_of
from experiment_tracker_tools.analysis.rooms import closes, pooled, room_of
from experiment_tracker_tools.analysis.rules import success_alphas
from experiment_tracker_tools.analysis.safety import safe_lines, same_lines
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.domain.seen import Status


class Weighed(NamedTuple):
    """What the plan's tests came to.

    Attributes:
        points: the looks that were due.
        room: what the tests were answered from; None without a look.
        lines: every test along the looks.
        trips: event breakers.
        course: where they lead; None without a look.
        tripped: an event breaker tripped before anything else ended it.
        notes: how the tests differ from the plan's first choice.
    """

    points: tuple[Point, ...]
    room: Room | None = None
    lines: tuple[Line, ...] = ()
    trips: tuple[Trip, ...] = ()
    course: Course | None = None
    tripped: bool = False
    notes: tuple[str, ...] = ()

    @property
    def look(self) -> int:
        """Number of the look that everything rests on, -1 without one."""
        return -1 if self.course is None else int(self.course.look[0])

    @property
    def harmed(self) -> bool:
        """Whether anything of the harm budget fired."""
        return self.tripped or (self.course is not None and bool(self.course.harmed[0]))

    @property
    def ended(self) -> bool:
        """Whether the plan has its answer."""
        return self.tripped or (self.course is not None and bool(self.course.ended[0]))

    def decided(self, experiment: Experiment) -> dict[tuple[str, str], int]:
        """By success metric and treatment, the look at which it was rejected, else the last one."""
        if self.course is None:
            return {}
        names = [(metric.name, t.name) for t in experiment.treatments for metric in success_metrics(experiment)]
        looks = self.course.rejected[0].tolist()
        return {name: look if look >= 0 else self.look for name, look in zip(names, looks, strict=True)}

    def statuses(self, experiment: Experiment) -> dict[str, Status]:
        """What each treatment's tests came to."""
        if self.course is None:
            return {variant.name: "open" for variant in experiment.treatments}
        numbers = self.course.status[0].tolist()
        return {v.name: STATUSES[number] for v, number in zip(experiment.treatments, numbers, strict=True)}


def weigh(experiment: Experiment, entries: Entries, *, now: datetime) -> Weighed:
    """Ask every question of the plan at every look that is due."""
    entries = until(entries, deadline_of(experiment))
    points = points_of(experiment, entries, now=now)
    watches = experiment.plan.method != "fixed"
    broken = trips(experiment, entries) if watches else []
    tripped_at = earliest(broken)
    if not points:
        return Weighed((), trips=tuple(broken), tripped=tripped_at is not None)
    room, notes = room_of(experiment, entries, points)
    asked = _asked(room, pooled(experiment, entries, points, room))
    evidence = evidence_of(room, asked, closes=closes(points))
    if tripped_at is not None:
        mark_trip(evidence, points, tripped_at)
    course = run(evidence)
    late = tripped_at is not None and not bool(course.ended[0])
    return Weighed(points, room, asked.lines(), tuple(broken), course, late, notes)


def success_metrics(experiment: Experiment) -> list[Metric]:
    """The metrics that ship, the primary first."""
    further = [metric for metric in experiment.metrics if metric.name in experiment.plan.success_metrics]
    return [experiment.primary, *further]


def _asked(room: Room, whole: Room) -> Answers:
    experiment = room.experiment
    metrics = success_metrics(experiment)
    return Answers(
        [
            [success(room, metric, t.name, alpha=alpha) for t in experiment.treatments for metric in metrics]
            for alpha in success_alphas(experiment)
        ],
        harm_lines(whole) if experiment.plan.method != "fixed" else [],
        [safe_lines(room, treatment.name) for treatment in experiment.treatments],
        [same_lines(room, treatment.name) for treatment in experiment.treatments],
    )
