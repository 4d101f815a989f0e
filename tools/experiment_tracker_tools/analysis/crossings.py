"""Which test crosses at which look: from the lines of one experiment to the flags that its course is walked by."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.analysis.after import unbiased
from experiment_tracker_tools.analysis.asking import Room, Success, good_sign
from experiment_tracker_tools.analysis.course import Evidence
from experiment_tracker_tools.analysis.lines import Line
from experiment_tracker_tools.analysis.points import Point

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]


class Answers(NamedTuple):
    """Every question's line.

    Attributes:
        levels: success hypotheses (treatment by treatment, the primary first), at each error rate that they can have.
        harms: of all treatments.
        safe: by treatment; same: both sides of equivalence, by treatment.
    """

    levels: Sequence[Sequence[Success]]
    harms: Sequence[Line]
    safe: Sequence[Sequence[Line]]
    same: Sequence[Sequence[Line]]

    def lines(self) -> tuple[Line, ...]:
        """All of them, success at its first error rate."""
        parts = [each for part in (*self.safe, *self.same) for each in part]
        return (*(found.line for found in self.levels[0]), *self.harms, *parts)


def evidence_of(room: Room, asked: Answers, *, closes: bool) -> Evidence:
    """The flags of one experiment."""
    import numpy as np

    looks, metrics = len(room.grid.times), len(asked.levels[0]) // len(room.experiment.treatments)
    return Evidence(
        np.stack([np.stack([_from(found.good, looks) for found in row]) for row in asked.levels])[:, None],
        np.stack([np.stack([_from(found.bad, looks) for found in row]) for row in asked.levels])[:, None],
        np.stack([_worth(room, [row[h] for row in asked.levels]) for h in range(len(asked.levels[0]))])[None],
        tuple(number // metrics for number in range(len(asked.levels[0]))),
        np.logical_or.reduce([_from(each.first, looks) for each in asked.harms] or [np.zeros(looks, bool)])[None],
        np.stack([_all(part, looks, none=True) for part in asked.safe])[None],
        np.stack([_all(part, looks, none=False) for part in asked.same])[None],
        closes,
    )


def mark_trip(evidence: Evidence, points: Sequence[Point], seq: int) -> None:
    """A breaker that tripped between two looks ends the experiment at the later one."""
    for look, point in enumerate(points):
        if point.seq >= seq:
            evidence.harm[0, look:] = True
            return


def _from(first: int | None, looks: int) -> "Flags":
    """True from a look on."""
    import numpy as np

    return np.asarray(np.arange(looks) >= (looks if first is None else first))


def _all(lines: Sequence[Line], looks: int, *, none: bool) -> "Flags":
    import numpy as np

    found: Flags = np.logical_and.reduce([_from(each.first, looks) for each in lines] or [np.full(looks, none)])
    return found


def _worth(room: Room, levels: Sequence[Success]) -> "Flags":
    """Whether the median-unbiased gain at the looks at which a hypothesis can be rejected is worth shipping."""
    import numpy as np

    least, looks = room.experiment.plan.min_worthwhile, len(room.grid.times)
    found = np.ones(looks, bool)
    if least == 0:
        return found
    for success_at in levels:
        if (look := success_at.good) is not None:
            metric = next(m for m in room.experiment.metrics if m.name == success_at.line.name)
            gain = unbiased(room, metric, success_at.line.treatment, look)
            found[look:] = gain is not None and good_sign(metric) * gain.lift >= least
    return found
