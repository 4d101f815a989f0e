"""What a verb tells the server about itself: a tool is a plain function with a card pinned to it."""

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Reply = TypeVar("Reply")


class ToolCard(NamedTuple):
    """How a tool is announced to MCP clients.

    Attributes:
        title: name for people.
        read_only: it changes nothing that a person would miss.
        destructive: it can overwrite or undo earlier work.
        idempotent: repeating the same call changes nothing more.
        open_world: it reaches beyond this machine.
        asks_a_person: a person confirms every call.
        most_bytes: of its reply, by default.
    """

    title: str
    read_only: bool
    destructive: bool
    idempotent: bool
    open_world: bool
    asks_a_person: bool
    most_bytes: int


def tool(
    title: str,
    *,
    read_only: bool = False,
    destructive: bool = False,
    idempotent: bool = False,
    open_world: bool = False,
    asks_a_person: bool = False,
    most_bytes: int = 1024,
) -> Callable[[Callable[Parameters, Reply]], Callable[Parameters, Reply]]:
    """Pin a card to a verb; the function itself stays as it was."""
    card = ToolCard(title, read_only, destructive, idempotent, open_world, asks_a_person, most_bytes)

    def pin(verb: Callable[Parameters, Reply]) -> Callable[Parameters, Reply]:
        _CARDS[verb.__name__] = card
        return verb

    return pin


_CARDS: dict[str, ToolCard] = {}


def card_of(name: str) -> ToolCard:
    """The card of the verb of that name."""
    return _CARDS[name]
