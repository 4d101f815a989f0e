"""A command's or skill's text as the client would render it: without its frontmatter, with the arguments filled in."""

import re

_PLACE = re.compile(r"\$ARGUMENTS\[(\d{1,3})\]|\$ARGUMENTS|\$(\d{1,3})(?!\d)|\$\{CLAUDE_(?:SESSION_ID|SKILL_DIR)\}")
_RULER = "---"


def body_of(text: str) -> str:
    """The text without its frontmatter.

    >>> body_of("---\\ndescription: x\\n---\\nReview it.\\n")
    'Review it.\\n'
    """
    return "".join(text.splitlines(keepends=True)[lines_of_head(text) :])


def lines_of_head(text: str) -> int:
    """How many lines the frontmatter takes, its rulers included; 0 where there is none.

    >>> lines_of_head("---\\na: b\\n---\\nbody"), lines_of_head("body")
    (3, 0)
    """
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != _RULER:
        return 0
    return next((place + 1 for place, line in enumerate(lines) if place and line.rstrip() == _RULER), 0)


def rendered(body: str, arguments: str, *, session: str, folder: str) -> str:
    """The body with its placeholders filled in; what an argument says is never filled in again.

    Args:
        body: text without frontmatter.
        arguments: as the person typed them.
        session: the client's id of the session.
        folder: of the skill.

    >>> rendered("PR $0 of $ARGUMENTS", "12 $0", session="s", folder="f")
    'PR 12 of 12 $0'
    """
    parts = None

    def fill(found: "re.Match[str]") -> str:
        nonlocal parts
        text = found.group()
        if text == "$ARGUMENTS":
            return arguments
        if text.startswith("${"):
            return session if "SESSION" in text else folder
        if parts is None:
            parts = split(arguments)
        place = int(found.group(1) or found.group(2))
        return parts[place] if place < len(parts) else ""

    return _PLACE.sub(fill, body)


def literals(body: str) -> "list[str]":
    """What every rendering of a body has in common, in its order.

    >>> literals("Review $0, then $ARGUMENTS.")
    ['Review ', ', then ', '.']
    """
    ends = [0, *(end for found in _PLACE.finditer(body) for end in found.span()), len(body)]
    return [piece for start, end in zip(ends[::2], ends[1::2]) if (piece := body[start:end])]


def split(arguments: str) -> "list[str]":
    """The arguments one by one, quotes respected.

    >>> split("12 'two words'"), split("isn't closed")
    (['12', 'two words'], ["isn't", 'closed'])
    """
    import shlex

    try:
        return shlex.split(arguments)
    except ValueError:
        return arguments.split()
