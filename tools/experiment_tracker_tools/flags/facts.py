"""The first pass: what one file shows by itself, as plain values that can be stored."""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence

from experiment_tracker_tools.flags import gate, holders
from experiment_tracker_tools.flags.catalogue import packages
from experiment_tracker_tools.flags.declared import Thunk, Wrapper, constants, members, thunks, wrappers
from experiment_tracker_tools.flags.detect import sightings
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.keys import Constant
from experiment_tracker_tools.flags.languages import language_of
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.sighting import Sighting
from experiment_tracker_tools.flags.vocabulary import Vocabulary


class Seen(NamedTuple):
    """A sighting with its line."""

    line: int
    what: Sighting


class Listed(NamedTuple):
    """A key that a registry lists: its container, the member's name, the key, and the line."""

    container: str
    name: str
    key: str
    line: int


class Facts(NamedTuple):
    """What a file shows by itself.

    Attributes:
        seen: flag calls, members, events.
        constants: names that stand for texts.
        members: what registries list.
        wrappers, thunks: functions around flag calls.
        vendors: whose packages the file names.
    """

    seen: tuple[Seen, ...] = ()
    constants: tuple[Constant, ...] = ()
    members: tuple[Constant, ...] = ()
    wrappers: tuple[Wrapper, ...] = ()
    thunks: tuple[Thunk, ...] = ()
    vendors: tuple[str, ...] = ()

    def listed(self) -> list[Listed]:
        """The keys of the file's registries."""
        held = [each for each in self.constants if each.container and holders.is_registry(each.container)]
        named = {(each.container, each.name) for each in held}
        others = [each for each in self.members if (each.container, each.name) not in named]
        return [Listed(each.container, each.name, each.value, each.offset) for each in (*held, *others)]


def facts_of(path: str, text: str, vocabulary: Vocabulary = Vocabulary()) -> Facts | None:  # noqa: B008 frozen
    """Read a file by itself; None where nothing in it can be a flag."""
    language = language_of(path)
    if language is None or not gate.may_hold_flags(text):
        return None
    source = Source(text, language)
    evidence = Evidence(source, vocabulary)
    seen = sightings(source, evidence)
    vendors = [vendor for vendor in packages() if evidence.mentions(vendor)]
    listed = members(source)
    held = constants(source) if seen or listed or _holds_keys(path) else []
    return Facts(
        tuple(Seen(source.line_of(each.offset), each) for each in seen),
        tuple(each._replace(offset=source.line_of(each.offset)) for each in held),
        tuple(each._replace(offset=source.line_of(each.offset)) for each in listed),
        tuple(wrappers(source, seen)),
        tuple(thunks(source, seen)),
        tuple(vendors),
    )


def _holds_keys(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return any(word in path.lower() for word in ("flag", "feature", "toggle", "experiment", "gate")) or "const" in name


def stored(facts: Facts) -> list[Any]:
    """Facts as JSON holds them."""
    return [
        [[each.line, *each.what] for each in facts.seen],
        *([list(each) for each in group] for group in (facts.constants, facts.members, facts.wrappers, facts.thunks)),
        list(facts.vendors),
    ]


def restored(content: Sequence[Any]) -> Facts:
    """Facts from what JSON held."""
    seen, held, listed, around, only, vendors = content
    return Facts(
        tuple(Seen(each[0], Sighting(*each[1:])) for each in seen),
        tuple(Constant(*each) for each in held),
        tuple(Constant(*each) for each in listed),
        tuple(Wrapper(*each) for each in around),
        tuple(Thunk(*each) for each in only),
        tuple(vendors),
    )
