"""A command's or skill's text as the client would render it: without its frontmatter, with the arguments filled in."""

# Hooks start with every event: typing alone would double their time, and so would regular expressions.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ALL = "$ARGUMENTS"
_SESSION, _FOLDER = "${CLAUDE_SESSION_ID}", "${CLAUDE_SKILL_DIR}"
_MOST_DIGITS = 3
_BLANKS = dict.fromkeys(map(ord, "\t\r\n"), " ")
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
    filled: list[str] = []
    done = 0
    for start, end in _places(body):
        place = body[start:end]
        if place in (_ALL, _SESSION, _FOLDER):
            text = {_ALL: arguments, _SESSION: session, _FOLDER: folder}[place]
        else:
            parts = split(arguments) if parts is None else parts
            number = int("".join(filter(str.isdecimal, place)))
            text = parts[number] if number < len(parts) else ""
        filled += [body[done:start], text]
        done = end
    return "".join([*filled, body[done:]])


def literals(body: str) -> "list[str]":
    """What every rendering of a body has in common, in its order.

    >>> literals("Review $0, then $ARGUMENTS.")
    ['Review ', ', then ', '.']
    """
    ends = [0, *(end for span in _places(body) for end in span), len(body)]
    return [piece for start, end in zip(ends[::2], ends[1::2]) if (piece := body[start:end])]


def split(arguments: str) -> "list[str]":
    """The arguments one by one, quotes respected.

    >>> split("12 'two words'"), split("isn't closed")
    (['12', 'two words'], ["isn't", 'closed'])
    """
    if not any(mark in arguments for mark in "'\"\\"):
        return [word for word in arguments.translate(_BLANKS).split(" ") if word]
    import shlex

    try:
        return shlex.split(arguments)
    except ValueError:
        return arguments.split()


def _places(body: str) -> "Iterator[tuple[int, int]]":
    """Where placeholders begin and end: $ARGUMENTS, $ARGUMENTS[n], $n, and the client's own two."""
    start = body.find("$")
    while start >= 0:
        end = _end_of_place(body, start)
        if end > start:
            yield start, end
        start = body.find("$", max(end, start + 1))


def _end_of_place(body: str, start: int) -> int:
    """Where the placeholder that begins at a dollar ends; `start` where none begins."""
    for word in (_SESSION, _FOLDER):
        if body.startswith(word, start):
            return start + len(word)
    if not body.startswith(_ALL, start):
        end = _end_of_digits(body, start + 1)
        return end if 0 < end - start - 1 <= _MOST_DIGITS else start
    end = start + len(_ALL)
    last = _end_of_digits(body, end + 1)
    is_one = body.startswith("[", end) and 0 < last - end - 1 <= _MOST_DIGITS and body.startswith("]", last)
    return last + 1 if is_one else end


def _end_of_digits(body: str, start: int) -> int:
    """Where a run of digits ends, as far as it matters how long it is."""
    end = start
    while end - start <= _MOST_DIGITS and body[end : end + 1].isdecimal():
        end += 1
    return end
