"""How much of the traffic a flag serves, and whether an edit changes it: JSON, YAML and calls that set it."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator, Mapping, NamedTuple, cast

_FILES = r"(?i)(?:flag|feature|toggle|experiment|unleash|flipt|split|rollout)[^/]*\.(?:json|ya?ml)$|[./]flagd/"
_SHARE = (
    r"(?i)^(?:percent(?:age)?s?|rollout|rollout_?percent(?:age)?|weight|weights|traffic|allocation|fractional|"
    r"coverage)$"
)
_YAML_SHARE = (
    r"(?i)^\s*(?:-\s*)?[\"']?(?:\w*percent(?:age)?|rollout|weight|traffic|allocation|"
    r"coverage)[\"']?\s*[:=]\s*(\d[\d.]*)"
)
_YAML_KEY = r"^(\s*)(?:-\s*(?:key|name)\s*:\s*)?[\"']?([A-Za-z][\w.\-]{2,})[\"']?\s*:?\s*(?:#.*)?$"
_CALLS = r"(?:[pP]ercentage|[rR]ollout)\w*\s*\(?\s*[:\"'](?P<key>[A-Za-z][\w.\-]+)[\"']?\s*,\s*(?P<share>\d[\d.]*)"


class Rollout(NamedTuple):
    """A flag whose served share changed, as it is written before and after."""

    key: str
    before: str
    after: str


def changed_rollouts(path: str, before: str, after: str) -> list[Rollout]:
    """Flags that both sides define, with another share.

    >>> changed_rollouts("flags.yaml", "new-ui:\\n  rollout: 10", "new-ui:\\n  rollout: 50")
    [Rollout(key='new-ui', before='10', after='50')]
    """
    if not before or not after or not _speaks_of_shares(path, after):
        return []
    old, new = _shares(path, before), _shares(path, after)
    return [Rollout(key, old[key], new[key]) for key in old if key in new and old[key] != new[key]]


def is_definition(path: str) -> bool:
    """Whether a file's name says that it defines flags.

    >>> is_definition("config/flags.yaml"), is_definition("web/flags.ts")
    (True, False)
    """
    return re.search(_FILES, path) is not None


def served_to_all(path: str, text: str) -> list[tuple[str, int]]:
    """Flags whose definition gives everybody one variant, with the line that says so.

    >>> served_to_all("flags.yaml", "new-ui:\\n  rollout: 100\\nold-ui:\\n  rollout: 20")
    [('new-ui', 2)]
    """
    found: list[tuple[str, int]] = []
    for key, share in _shares(path, text).items():
        parts = share.split("/")
        if any(float(part) >= 100 for part in parts if part.replace(".", "", 1).isdigit()):
            found.append((key, _line_of(text, key, parts)))
    return found


def _line_of(text: str, key: str, parts: list[str]) -> int:
    lines = text.split("\n")
    begin = next((at for at, line in enumerate(lines) if key in line), 0)
    whole = next((part for part in parts if part.startswith("100")), "100")
    return next((at for at in range(begin, len(lines)) if whole in lines[at]), begin) + 1


def _speaks_of_shares(path: str, text: str) -> bool:
    return "ercentage" in text or "ollout" in text or re.search(_FILES, path) is not None


def _shares(path: str, text: str) -> Mapping[str, str]:
    if re.search(_FILES, path) is None:
        return _joined((each.group("key"), each.group("share")) for each in re.finditer(_CALLS, text))
    if path.endswith(".json"):
        try:
            return _joined(_in_json(json.loads(text), ""))
        except ValueError:
            return {}
    return _joined(_in_yaml(text))


def _joined(found: Iterator[tuple[str, str]]) -> dict[str, str]:
    shares: dict[str, str] = {}
    for key, share in found:
        shares[key] = f"{shares[key]}/{share}" if key in shares else share
    return shares


def _in_json(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        named = fields.get("key") or fields.get("name")
        key = named if isinstance(named, str) and not key else key
        for name, inner in fields.items():
            if re.match(_SHARE, name) and key:
                yield from ((key, share) for share in _numbers(inner))
            else:
                yield from _in_json(inner, key or ("" if name in {"flags", "features", "$schema"} else name))
    elif isinstance(value, list):
        for inner in _items(value):
            yield from _in_json(inner, key)


def _items(value: Any) -> list[Any]:
    return value  # type: ignore[no-any-return]


def _numbers(value: Any) -> Iterator[str]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield f"{value:g}"
    elif isinstance(value, list):
        for inner in _items(value):
            yield from _numbers(inner)
    elif isinstance(value, dict):
        for inner in cast("dict[str, Any]", value).values():
            yield from _numbers(inner)


def _in_yaml(text: str) -> Iterator[tuple[str, str]]:
    above: list[tuple[int, str]] = []
    for line in text.split("\n"):
        share = re.match(_YAML_SHARE, line)
        indent = len(line) - len(line.lstrip())
        if share is not None:
            outer = [name for depth, name in above if depth < indent and name not in {"flags", "features"}]
            if outer:
                yield outer[0], share.group(1)
            continue
        key = re.match(_YAML_KEY, line)
        if key is not None:
            above = [each for each in above if each[0] < indent]
            above.append((indent, key.group(2)))
