"""What an experiment taught: a sentence that outlives it, and whether the experiment speaks for or against it."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from experiment_tracker_tools.domain.base import Model, Statement

Stance = Literal["supports", "contradicts"]
# A sentence is its own name, so that what a caller sends is as short as it can be.
Stances = Annotated[
    Mapping[Statement, Stance],
    Field(max_length=10),
    WithJsonSchema({"type": "object", "description": "{sentence: supports | contradicts}"}),
]


class Learning(Model):
    """A sentence and how the experiment that it is recorded with stands to it.

    Attributes:
        statement: what was learned, in one sentence.
        stance: whether this experiment supports or contradicts it.
    """

    statement: Statement
    stance: Stance = "supports"


def same_statement(statement: str) -> str:
    """What two wordings share that differ in case, spaces or the full stop only.

    >>> same_statement("Short prompts  cost less.") == same_statement("short prompts cost less")
    True
    """
    return " ".join(statement.split()).rstrip(".").casefold()
