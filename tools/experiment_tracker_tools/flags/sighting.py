"""One place in one file where a flag is read, switched or declared, or an event is sent."""

from __future__ import annotations

from typing import NamedTuple, Tuple

from experiment_tracker_tools.flags.arguments import Argument, Value

HOMEMADE = "home-made"
Span = Tuple[int, int]


class Sighting(NamedTuple):
    """One place where a flag is read, switched or declared, or an event is sent.

    Attributes:
        offset, end: where the call or member begins and ends.
        form: call, wrapper, member, object, index, component, decorator, environment, or track for events.
        call: name of the function, method or object.
        key: the flag's key or the event's name, where it stands there; None where only a name does.
        name: the constant, member or parameter that stands in the key's place; None for a literal.
        receiver: what it is a member of.
        vendor: whose call shape it is, or home-made.
        kind: boolean, multivariate, experiment, config, toggle, define, event.
        default: source of the fallback value; None where none is given.
        exposure: automatic, by hand or none.
    """

    offset: int
    end: int
    form: str
    call: str
    key: str | None = None
    name: str | None = None
    receiver: str = ""
    vendor: str = HOMEMADE
    kind: str = "boolean"
    default: str | None = None
    exposure: str = "none"


class Call(NamedTuple):
    """A call as it is written."""

    name: str
    receiver: str
    start: int
    given: list[Argument]
    end: int


def told(value: Value) -> tuple[str | None, str | None]:
    """Key and name that a value stands for: a literal is a key, the rest is looked up."""
    return (value.text, None) if value.kind == "literal" else (None, value.text)
