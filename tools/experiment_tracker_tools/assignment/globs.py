"""Shell-style patterns, matched in one pass: patterns and texts come from anybody, and no pair of them may take long.

`*` is anything, `?` one character, `[abc]`, `[a-z]` and `[!a-z]` one of them or none of them; upper and lower case
differ, and `*` goes past every slash. A pattern is an automaton whose states are the bits of a number: a text of n
characters takes n steps, whatever the pattern.

References:
    Baeza-Yates & Gonnet (1992), A new approach to text searching, CACM 35(10).
"""


def matches(text: str, pattern: str) -> bool:
    """Whether the whole text is what the pattern says.

    >>> matches("feature/cart", "feature/*"), matches("main", "m[!b]i?"), matches("main", "mai")
    (True, True, False)
    """
    parts = _parts(pattern)
    stars = sum(1 << place for place, part in enumerate(parts) if part is None)
    steps: dict[str, int] = {}
    at = _past_stars(1, stars)
    for character in text:
        taken = steps.get(character)
        if taken is None:
            taken = sum(1 << place for place, part in enumerate(parts) if part is not None and _takes(part, character))
            steps[character] = taken
        at = _past_stars((at & taken) << 1 | at & stars, stars)
        if not at:
            return False
    return bool(at >> len(parts) & 1)


def _past_stars(at: int, stars: int) -> int:
    """The states, and those behind a star that takes nothing; no two stars stand side by side."""
    return at | (at & stars) << 1


def _parts(pattern: str) -> "list[str | None]":
    """The pattern's parts: None for a star, else what takes one character; `?` and a class keep their signs."""
    parts: list[str | None] = []
    place = 0
    while place < len(pattern):
        end = _end_of_class(pattern, place) if pattern[place] == "[" else place + 1
        part = pattern[place:end]
        if part != "*":
            parts.append(part)
        elif not parts or parts[-1] is not None:
            parts.append(None)
        place = end
    return parts


def _end_of_class(pattern: str, start: int) -> int:
    """Where the class that begins at a bracket ends; behind the bracket where nothing closes it."""
    first = start + 1 + pattern.startswith("!", start + 1)
    end = pattern.find("]", first + 1)
    return start + 1 if end < 0 else end + 1


def _takes(part: str, character: str) -> bool:
    if len(part) == 1:
        return part in ("?", character)
    negated = part[1] == "!"
    inner = part[2:-1] if negated else part[1:-1]
    found = False
    place = 0
    while place < len(inner):
        if inner[place + 1 : place + 2] == "-" and place + 2 < len(inner):
            found = found or inner[place] <= character <= inner[place + 2]
            place += 3
        else:
            found = found or inner[place] == character
            place += 1
    return found is not negated
