"""How a name comes to be: what it is given, and the type that it is declared with.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

from typing import Iterator

from experiment_tracker_tools.flags.patterns import pattern

# How a name comes to be: it is given a value, or declared with a type in front of it or behind it.
_GIVEN = r"[ \t]*(?::[ \t]*[\w.<>\[\]]+)?[ \t]*(?::=|=(?![=>]))[^\n;]{0,160}"
_TYPE_IN_FRONT = r"\b[\w.]*[A-Z]\w*(?:<[^<>]*>)?[ \t]+\$?_?$"
_DECLARED = r"[ \t]*[,;)=]"
_TYPE_BEHIND = r"(?:[ \t]*:[ \t]*&?|[ \t]+\*?)[\w.:]+[ \t]*[,;)=\n]"
_MOST_PLACES = 200


def ways(code: str, name: str) -> Iterator[str]:
    """How a name comes to be in a text, each way once."""
    given = typed = declared = False
    for at in _places(code, name):
        end, front = at + len(name), code[max(0, at - 80) : at]
        plain = front.rstrip("_$")
        own = front[-1:] in {"", "_", "$"} or not (front[-1:].isalnum() or front[-1:] == ".")
        if not given and (not plain.endswith((".", ">")) or plain.endswith(("self.", "this.", "->"))):
            found = pattern(_GIVEN).match(code, end)
            if found is not None:
                given = True
                yield name + found.group()
        if not typed and pattern(_DECLARED).match(code, end) and (kind := pattern(_TYPE_IN_FRONT).search(front)):
            typed = True
            yield kind.group() + name
        if not declared and own and (found := pattern(_TYPE_BEHIND).match(code, end)) is not None:
            declared = True
            yield name + found.group()


def _places(code: str, name: str) -> Iterator[int]:
    """Where a name stands as a whole word, or behind a sign that privates and variables have."""
    at = code.find(name)
    for _ in range(_MOST_PLACES):
        if at < 0:
            return
        after = code[at + len(name) : at + len(name) + 1]
        if not code[at - 1 : at].isalnum() and not (after.isalnum() or after == "_"):
            yield at
        at = code.find(name, at + 1)
