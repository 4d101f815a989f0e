"""The figures of one experiment, from its recorded looks alone; report, dashboard and reply show the same ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from experiment_tracker_tools.domain.decision import Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.reports.course import boundary_figures, course_figures
from experiment_tracker_tools.reports.data_plots import Bin, distribution_figures, units_figure
from experiment_tracker_tools.reports.effect_plots import belief_figures, interval_figures, segment_figures
from experiment_tracker_tools.reports.figure import Figure


class Seen(NamedTuple):
    """A recorded look and when it was taken."""

    at: datetime
    look: Look


def figures(
    experiment: Experiment, seen: Sequence[Seen], *, spread: Mapping[str, Mapping[str, Sequence[Bin]]] | None = None
) -> tuple[Figure, ...]:
    """Every figure that the recorded looks allow, the primary's effect first; none before the first look.

    Args:
        experiment: whose plots they are.
        seen: its recorded looks, oldest first.
        spread: values of experiments that are over, counted in bins by metric and variant.
    """
    if not seen:
        return ()
    last, looks = seen[-1].look, [each.look for each in seen]
    return (
        *interval_figures(experiment, last),
        *segment_figures(experiment, last),
        *course_figures(experiment, looks),
        *boundary_figures(experiment, looks),
        *belief_figures(experiment, last),
        *distribution_figures(experiment, spread or {}),
        units_figure(experiment, last),
    )
