"""From the name that stands in a key's place to the key."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple

from experiment_tracker_tools.flags import holders, keepers, names
from experiment_tracker_tools.flags.services import last_name
from experiment_tracker_tools.flags.vocabulary import Vocabulary
from experiment_tracker_tools.flags.words import pair_at, words_of

# Parts of a constant that is a flag: NEW_UI_EXPERIMENT.name.
_PARTS = frozenset("name key id value slug flag variant".split())

# What stands before a constant of the class that asks.
_OWN = frozenset("Self self static this".split())


_NAMES_OF_ONE = {("id",), ("key",), ("name",), ("slug",)}


class Constant(NamedTuple):
    """A name that stands for a text: its container, if it has one, its own name, the text, and where."""

    container: str
    name: str
    value: str
    offset: int


def key_asked(
    call: str, name: str, held: Iterable[Constant], vocabulary: Vocabulary, *, receiver: str = ""
) -> str | None:
    """The key that a name stands for where a call asks: one that can ask for nothing else takes any class' member."""
    key = key_of(name, held, vocabulary)
    container, _, last = name.rpartition(".")
    plain = container.rpartition(".")[2]
    # An object that is a flag stands for itself: boolVariation(UseFastSync, workspace).
    itself = not container and last[:1].isupper() and len(last) > 3 and re.search(r"[a-z][A-Z]", last) is not None
    itself = itself or (not container and last.isupper() and len(last) > 3)
    if key is not None or not last[:1].isupper() or not (plain[:1].isupper() or itself):
        return key
    if not names.asks_for_a_flag(call) and keepers.keeps_flags(last_name(receiver)) < 2:
        return key
    return None if holders.is_of_another_trade(plain) or last.endswith(("_FLAGS", "_FEATURES", "_TOGGLES")) else last


def _is_of_one(container: str, name: str) -> bool:
    """Whether a member is a variable's own name or number: toggle.toggleId."""
    words = words_of(name)
    if container[:1].islower() and name in {"rawValue", "value"}:
        return True
    return container[:1].islower() and words[-1:] in _NAMES_OF_ONE and words[:-1] == words_of(container)


def _holds_a_key(member: str) -> bool:
    """Whether a member holds the key of some flag, and is none: tool.FeatureKey."""
    words = words_of(member)
    return not member.isupper() and words[:1] in {("feature",), ("flag",), ("toggle",)} and words[1:] in _NAMES_OF_ONE


def key_of(name: str, held: Iterable[Constant], vocabulary: Vocabulary) -> str | None:
    """The key that a name stands for: by the file's own constants, by the project's, or a registry member's name."""
    parts = name.lstrip(".").split(".")
    if len(parts) > 1 and parts[-1] in _PARTS and parts[-2].isupper() and "_" in parts[-2]:
        parts = parts[:-1]
    last, container = parts[-1], parts[-2] if len(parts) > 1 and parts[-2] not in _OWN else ""
    own = {each.value for each in held if each.name == last and (not container or each.container == container)}
    if len(own) == 1:
        return own.pop()
    if container and (value := vocabulary.keys.get(f"{container}.{last}")) is not None:
        return value
    constant_like = last.isupper() or (last[:1].isupper() and last != last.upper()) or name.startswith(".")
    plain = not constant_like and (not holders.is_registry(container) or _is_of_one(container, last))
    if plain or (container and _holds_a_key(last)):
        return None
    if (value := vocabulary.keys.get(last)) is not None and (constant_like or not container):
        return value
    listed = container in vocabulary.registries or holders.is_registry(container) or holders.is_key_constant(last)
    listed = listed or holders.is_kind_of_flag(container)
    sure = pair_at(words_of(container)) is not None and not last.startswith("ALL")
    if last.isupper() and last.endswith(("_FLAGS", "_FEATURES", "_TOGGLES")) and not sure:
        return None
    return last if listed or sure or name.startswith(".") or (last.isupper() and "_" in last) else None
