"""Segments: parts of the units, by an attribute that they had before they met a variant."""

from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.domain.base import Options, Slug


class Segments(Options):
    """In which parts of the units the effect on the primary is told too, once the plan has its answer.

    Attributes:
        by: attributes of the privacy allow-list whose values are declared segments: tested as a family of their own
            (Holm). Every other allowed attribute is explored (Benjamini-Hochberg).
        k: a segment is shown from so many units of every variant on.
    """

    by: Annotated[tuple[Slug, ...], Field(max_length=5)] = ()
    k: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 5
