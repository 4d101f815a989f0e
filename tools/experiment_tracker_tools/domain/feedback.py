"""What people or agents say about a variant: a rating, never a metric."""

from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.domain.base import Model, Note, Slug, Title, UnitId

Rating = Annotated[int, Field(strict=True, ge=1, le=5)]


class Feedback(Model):
    """One opinion; it is judged, so it never drives an automatic promotion.

    Attributes:
        variant: which variant it is about.
        rating: 1 (bad) to 5 (good).
        note: why, in their words.
        source: who says so, such as user, reviewer or agent.
        unit: the unit that met the variant; its own variant is checked.
    """

    variant: Slug
    rating: Rating
    note: Note = ""
    source: Title | None = None
    unit: UnitId | None = None
