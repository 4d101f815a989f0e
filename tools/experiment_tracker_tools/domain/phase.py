"""Phases: the share of the eligible units that takes part grows while an experiment runs."""

from typing import Annotated

from pydantic import AfterValidator, Field

from experiment_tracker_tools.core.text import counted
from experiment_tracker_tools.domain.base import Model, Note, Number, Options

PHASE = "phase"
Fraction = Annotated[float, Field(strict=True, gt=0, le=1)]


class Phase(Options):
    """One step of exposure. The shares of the variants among those who take part are the plan's, in every phase.

    Attributes:
        share: of the eligible units that take part; the others get control and are counted as outside.
        units: units of every variant that came in this phase, before the next one begins.
        days: how long it lasts at least, before the next one begins.
    """

    share: Fraction
    units: Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)] | None = None
    days: Annotated[Number, Field(gt=0, le=3650)] | None = None

    @property
    def told(self) -> str:
        """In words.

        >>> Phase(share=0.1, units=50, days=1.5).told, Phase(share=1.0).told
        ('10% until 50 units a variant and 1.5 days', '100%')
        """
        ends = [] if self.units is None else [f"{counted(self.units, 'unit')} a variant"]
        ends += [] if self.days is None else [f"{self.days:g} day{'' if self.days == 1 else 's'}"]
        return f"{100 * self.share:g}%" + (f" until {' and '.join(ends)}" if ends else "")


def _rising(phases: tuple[Phase, ...]) -> tuple[Phase, ...]:
    shares = [phase.share for phase in phases]
    if shares != sorted(set(shares)):
        raise ValueError(f"the shares of the phases {shares} must rise, so that whoever takes part goes on doing so")
    if endless := [phase.share for phase in phases[:-1] if phase.units is None and phase.days is None]:
        raise ValueError(f"the phase of share {endless[0]:g} never ends: give it units, days or both")
    if phases and (phases[-1].units is not None or phases[-1].days is not None):
        raise ValueError("the last phase lasts to the end of the experiment: leave its units and days out")
    return phases


Phases = Annotated[tuple[Phase, ...], Field(max_length=10), AfterValidator(_rising)]


class PhaseStart(Model):
    """A later phase began here, in the order of what was recorded; the first one began with the experiment.

    Attributes:
        phase: its number, from 2 on.
        share: of the eligible units that take part from here on.
        early: why a person began it before the sealed plan would have.
    """

    phase: Annotated[int, Field(strict=True, ge=2, le=10)]
    share: Fraction
    early: Note = ""
