"""The call shapes of vendors, as compiled to catalogue.json from sdks/*.toml."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import Any, NamedTuple

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "catalogue.json")


# Whatever stands where, an argument that is named so is the key.
_BY_KEYWORD = ({"keyword": "flag_key"}, {"keyword": "flag_name"}, {"keyword": "key"})


class Rule(NamedTuple):
    """One call shape of one vendor: what sdks/*.toml says of it, in the same words."""

    vendor: str
    tracks: bool
    names: tuple[str, ...]
    shape: str
    receiver: str | None
    needs_import: bool
    key: tuple[dict[str, Any], ...]
    default: tuple[dict[str, Any], ...]
    kind: str
    exposure: str
    key_from: str
    first_literal: str


@lru_cache(maxsize=1)
def _content() -> dict[str, Any]:
    with open(PATH, encoding="utf-8") as file:
        content: dict[str, Any] = json.load(file)
    return content


def packages() -> dict[str, dict[str, list[str]]]:
    """The packages of every vendor, by language."""
    found: dict[str, dict[str, list[str]]] = _content()["packages"]
    return found


@lru_cache(maxsize=32)
def rules_in(language: str) -> dict[str, list[Rule]]:
    """The rules of a language, by the name that is called."""
    found: dict[str, list[Rule]] = {}
    for each in _content()["rules"]:
        if language in each["languages"]:
            rule = _rule(each)
            for name in rule.names:
                found.setdefault(name, []).append(rule)
    return found


def _rule(each: dict[str, Any]) -> Rule:
    return Rule(
        each["vendor"],
        each.get("tracks", False),
        tuple(each["names"]),
        each["shape"],
        each.get("receiver"),
        each.get("needs_import", False),
        (*each.get("key", ()), *(_BY_KEYWORD if _is_called_by_position(each) else ())),
        tuple(each.get("default", ())),
        each.get("kind", "multivariate"),
        each.get("exposure", "none"),
        each.get("key_from", ""),
        each.get("first_literal", ""),
    )


def _is_called_by_position(rule: dict[str, Any]) -> bool:
    return not rule.get("tracks", False) and any("position" in place for place in rule.get("key", ()))
