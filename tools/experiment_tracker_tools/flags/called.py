"""What a text calls: names with an opening bracket behind them, in the order of the text.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from typing import Iterator

# Of a text that is read backwards: a call begins with its bracket, which is rare, and not with a name, which is not.
_BACKWARDS = re.compile(r"\(\s*(?:([?!]?[\w$]+)|>(?=[\w\s.,|<>\[\]\"'\x01?{}:;]))")
_WITH_TYPES = re.compile(r"(?<![\w$])([A-Za-z_$][\w$]*[?!]?)\s*(?:::)?<[\w\s.,|<>\[\]\"'\x01?{}:;]{1,120}>\s*\(")
_FIRST = re.compile(r"[A-Za-z_$]")
_WITHIN = re.compile(r"[\w$]")


def called(code: str, begin: int, end: int) -> Iterator[tuple[str, int, int]]:
    """Name, where it begins, and where its bracket opens: f(, f<T>(, f::<T>(, f?(."""
    found: list[tuple[str, int, int]] = []
    for match in _BACKWARDS.finditer(code[begin:end][::-1]):
        opening = end - 1 - match.start()
        if match.group(1) is None:
            typed = _WITH_TYPES.search(code, max(begin, code.rfind("(", begin, opening) + 1), opening + 1)
            if typed is not None:
                found.append((typed.group(1), typed.start(), opening))
            continue
        start = end - match.end(1)
        if _FIRST.match(code, start) and not (start == begin > 0 and _WITHIN.match(code, start - 1)):
            found.append((code[start : end - match.start(1)], start, opening))
    return reversed(found)
