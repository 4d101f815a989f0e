"""Replies short enough to be read: what a model pays for every call is bounded, whatever names and numbers it chose."""

import json
from collections import Counter
from typing import Any, NamedTuple, cast

from experiment_tracker_tools.domain.base import Model

JsonObject = dict[str, Any]
# Cut short, these would be wrong or useless: ids, tokens, and the text that a person confirms.
_WHOLE = {
    "experiment",
    "state",
    "variant",
    "winner",
    "uri",
    "next_action",
    "question",
    "confirm",
    "commit",
    "reverts",
    "summary",
}


class _Caps(NamedTuple):
    """Most entries of a list, most entries of a mapping, most characters of a text."""

    items: int
    names: int
    characters: int


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_STEPS = (
    _Caps(8, 12, 400),
    _Caps(6, 8, 240),
    _Caps(4, 6, 160),
    _Caps(3, 4, 120),
    _Caps(2, 3, 100),
    _Caps(1, 2, 80),
    _Caps(1, 2, 50),
    _Caps(1, 1, 40),
)


def brief(reply: Model, *, most: int) -> tuple[JsonObject, str]:
    """A reply's fields without nulls and defaults; lists, mappings and texts are cut evenly until `most` bytes hold.

    What was cut is counted under `left_out`; the resource that `uri` names holds it.

    Returns:
        The fields, and the same as compact JSON.
    """
    content = reply.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    found, text = content, text_of(content)
    for caps in _STEPS:
        if len(text.encode()) <= most:
            break
        left_out = Counter[str]()
        found = _cut(reply, content, caps, left_out)
        if left_out := +left_out:
            found["left_out"] = dict(left_out)
        text = text_of(found)
    return found, text


def text_of(content: JsonObject) -> str:
    """The fields as compact JSON.

    >>> text_of({"a": [1, 2]})
    '{"a":[1,2]}'
    """
    return _compact(content)


def _cut(model: Model, content: JsonObject, caps: _Caps, left_out: Counter[str]) -> JsonObject:
    return {name: _cut_field(name, getattr(model, name), each, caps, left_out) for name, each in content.items()}


def _cut_field(name: str, value: object, shown: Any, caps: _Caps, left_out: Counter[str]) -> Any:
    if isinstance(value, str):
        return shown if name in _WHOLE or len(shown) <= caps.characters else f"{shown[: caps.characters]}…"
    if isinstance(value, dict):
        left_out[name] += max(0, len(shown) - caps.names)
        return {key: shown[key] for key in list(shown)[: caps.names]}
    if not isinstance(value, tuple) or not any(
        isinstance(each, Model | str) for each in cast("tuple[object, ...]", value)
    ):
        return shown
    left_out[name] += max(0, len(shown) - caps.items)
    pairs = list(zip(cast("tuple[object, ...]", value), shown, strict=True))[: caps.items]
    return [
        _cut(each, told, caps, left_out) if isinstance(each, Model) else _cut_field("", each, told, caps, left_out)
        for each, told in pairs
    ]
