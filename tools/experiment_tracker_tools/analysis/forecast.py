"""How long an experiment takes and what it costs."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.analysis.wording import number
from experiment_tracker_tools.domain.phase import Phase
from experiment_tracker_tools.domain.variant import Variant


class Forecast(NamedTuple):
    """What a plan needs.

    Attributes:
        units: of all variants together.
        days: until they are there; None where nobody knows how many come in a day.
        cost: of all units; None where nobody said what one costs.
    """

    units: int
    days: float | None
    cost: float | None

    def told(self, *, most_days: float) -> str:
        """In words, with a warning where the units do not come in within the longest runtime."""
        parts = [f"{self.units:,} units in all"]
        if self.days is not None:
            late = f", MORE than the longest runtime of {most_days:g}" if self.days > most_days else ""
            parts.append(f"about {number(self.days)} days{late}")
        if self.cost is not None:
            parts.append(f"cost about {number(self.cost)}")
        return ", ".join(parts)


def forecast(
    variants: Sequence[Variant],
    sample_size: int,
    *,
    units_per_day: float | None,
    cost_per_trial: float | None,
    phases: Sequence[Phase] = (),
) -> Forecast:
    """What `sample_size` units in the smallest variant come to; in phases of exposure only a share of a day's units.

    >>> lineup = [Variant(name="a", share=0.8), Variant(name="b", share=0.2)]
    >>> forecast(lineup, 10, units_per_day=25, cost_per_trial=0.5)
    Forecast(units=50, days=2.0, cost=25.0)
    >>> steps = [Phase(share=0.2, days=1.0), Phase(share=1.0)]
    >>> forecast(lineup, 10, units_per_day=25, cost_per_trial=None, phases=steps).days
    2.8
    """
    least = min(variant.share or 0.0 for variant in variants)
    units = math.ceil(sample_size / least - 1e-9)
    return Forecast(
        units,
        None if units_per_day is None else _days(units, least, units_per_day, phases),
        None if cost_per_trial is None else units * cost_per_trial,
    )


def _days(units: float, least: float, per_day: float, phases: Sequence[Phase]) -> float:
    """Until so many units are there; each phase lasts until its own units and days have come."""
    days = 0.0
    for phase in phases[:-1]:
        rate = phase.share * per_day
        lasts = max((phase.units or 0) / least / rate, phase.days or 0.0)
        if rate * lasts >= units:
            return days + units / rate
        days, units = days + lasts, units - rate * lasts
    return days + units / (per_day * (phases[-1].share if phases else 1.0))
