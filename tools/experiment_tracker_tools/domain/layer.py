"""A hash layer: experiments that may not meet each other take disjoint slices of one line of units."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from experiment_tracker_tools.domain.base import Number, Options, Slug


class Layer(Options):
    """A slice of a layer; units outside of it get control and are not counted.

    Attributes:
        name: of the layer; experiments of one layer are kept apart.
        start: where the slice begins on [0, 1).
        end: where it ends, itself not included.
    """

    name: Slug
    start: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    end: Annotated[Number, Field(gt=0, le=1)]

    @model_validator(mode="after")
    def _is_a_slice(self) -> Self:
        if self.start >= self.end:
            raise ValueError(f"layer {self.name} starts at {self.start:g} and ends at {self.end:g}: nothing is in it")
        return self

    def is_apart_from(self, other: "Layer") -> bool:
        """Whether no unit is in both.

        >>> Layer(name="a", end=0.5).is_apart_from(Layer(name="a", start=0.5, end=1.0))
        True
        """
        return self.name == other.name and (self.end <= other.start or other.end <= self.start)
