"""What a comparison's test has at its looks: normal deviates; for rates of plans without horizon logs of e-values.

Either is signed so that larger answers yes, and belongs to the boundary that `rules` gives for the same grid and scale.
The rates' e-values are exact at every n; their blocks are what came between two looks.
"""

from typing import TYPE_CHECKING

from experiment_tracker_tools.analysis.deviates import Scale, Stats, against
from experiment_tracker_tools.analysis.lines import against_limit
from experiment_tracker_tools.analysis.rules import Grid, by_e_values
from experiment_tracker_tools.domain.metric import Metric
from experiment_tracker_tools.stats.breaker import log_e_apart
from experiment_tracker_tools.stats.rate_ratio import Side, log_e_ratio, ratio_limits

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def evidence(grid: Grid, scale: Scale, control: Stats, treatment: Stats, *, shift: float, sign: int) -> "Array":
    """Against H0: the lift is `shift` or less (sign +1), or `shift` or more (sign -1)."""
    if not by_e_values(grid, scale):
        return sign * against(scale, control, treatment, shift=shift)
    side: Side = "above" if sign > 0 else "below"
    return log_e_ratio(_counted(control), _counted(treatment), ratio=1 + shift, side=side)


def beyond_limit(grid: Grid, metric: Metric, sample: Stats, *, limit: float, sign: int) -> "Array":
    """Against H0: a variant's mean is `limit` or less (sign +1), or `limit` or more (sign -1)."""
    if metric.kind != "binary" or not by_e_values(grid, "rates"):
        return sign * against_limit(metric, sample, limit=limit)
    hits, units = _counted(sample)
    return log_e_apart(hits if sign > 0 else units - hits, units, limit=limit if sign > 0 else 1 - limit)


def lift_limits(control: Stats, treatment: Stats, *, alpha: float) -> tuple[float, float]:
    """Limits of the lift of always-valid rates, at every look at once; -1 and infinity where nothing is excluded."""
    low, high = ratio_limits(_counted(control), _counted(treatment), alpha=alpha)
    return low - 1, high - 1


def _counted(sample: Stats) -> "tuple[Array, Array]":
    import numpy as np

    return np.rint(sample.mean * sample.n), sample.n
