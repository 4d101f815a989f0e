"""What a planned experiment is worth doing before others, and whether experimenting suits the change at all."""

from typing import Annotated, Literal

from pydantic import Field

from experiment_tracker_tools.domain.base import Number, Options

Nature = Literal["bug_fix", "documentation", "urgent", "low_risk", "novel"]
Points = Annotated[Number, Field(ge=1, le=10)]


class Priority(Options):
    """Three judgements, 1 to 10; their mean orders the backlog.

    Attributes:
        impact: how much it would change.
        confidence: how likely it works.
        ease: how little it takes.
    """

    impact: Points
    confidence: Points
    ease: Points

    @property
    def score(self) -> float:
        """Their mean.

        >>> Priority(impact=9, confidence=6, ease=6).score
        7.0
        """
        return (self.impact + self.confidence + self.ease) / 3
