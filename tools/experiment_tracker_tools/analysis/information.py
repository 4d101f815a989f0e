"""Information in units: how much of the plan's comparison is there after each arrival, from counts alone."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.domain.experiment import Experiment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Arrived(NamedTuple):
    """Counts and information after each ledger position at which a unit arrived.

    Attributes:
        seqs: positions, increasing, shape (arrivals,).
        units: units by variant in the plan's order, shape (arrivals, variants).
        information: fraction of the planned information of the comparison that has least, shape (arrivals,).
    """

    seqs: "NDArray[np.int64]"
    units: "NDArray[np.float64]"
    information: "NDArray[np.float64]"

    def first_full(self) -> int | None:
        """The position at which the planned information was first there."""
        import numpy as np

        full = np.flatnonzero(self.information >= 1 - 1e-12)
        return int(self.seqs[full[0]]) if full.size else None


def planned_units(experiment: Experiment) -> dict[str, float]:
    """Units by variant at which the information is complete, in the planned shares."""
    least = min(variant.share or 0.0 for variant in experiment.variants)
    return {v.name: experiment.plan.horizon * (v.share or 0.0) / least for v in experiment.variants}


def arrived(experiment: Experiment, arrivals: Mapping[str, Sequence[tuple[int, int]]]) -> Arrived:
    """Put the arrivals of all variants, each (units, position), into one line."""
    import numpy as np

    steps = [arrivals[variant.name] for variant in experiment.variants]
    rows = np.array([(seq, v, units) for v, line in enumerate(steps) for units, seq in line if seq], dtype=np.int64)
    if not rows.size:
        return Arrived(np.zeros(0, np.int64), np.zeros((0, len(steps))), np.zeros(0))
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    units = np.zeros((len(rows), len(steps)))
    units[np.arange(len(rows)), rows[:, 1]] = rows[:, 2]
    units = np.maximum.accumulate(units, axis=0)
    last = np.append(rows[1:, 0] != rows[:-1, 0], True)
    return Arrived(rows[last, 0], units[last], _fractions(experiment, units[last]))


def _fractions(experiment: Experiment, units: "NDArray[np.float64]") -> "NDArray[np.float64]":
    import numpy as np

    wanted = np.array(list(planned_units(experiment).values()))
    planned = wanted[0] * wanted[1:] / (wanted[0] + wanted[1:])
    total = np.maximum(units[:, :1] + units[:, 1:], 1)
    return np.asarray((units[:, :1] * units[:, 1:] / total / planned).min(axis=1))
