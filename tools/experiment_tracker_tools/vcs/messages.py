"""Commit messages: a subject, a body, and trailers whose values come from models and stay on one line."""

import re
from collections.abc import Sequence

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import cleaned, quoted

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}\Z")
_LONGEST_SUBJECT = 200
_LONGEST_VALUE = 500
_LONGEST_BODY = 20_000


def message(subject: str, body: str, trailers: Sequence[tuple[str, str]]) -> str:
    """Give a commit message of which git reads exactly these trailers.

    Args:
        subject: shown on one line, at most 200 characters.
        body: any text, at most 20,000 characters; empty for none.
        trailers: keys of letters, digits and '-', values shown on one line, at most 500 characters.

    Raises:
        InvalidInput: for an empty subject or a key that is no trailer's.

    >>> print(message("experiment: promote exp-1", "", [("Lift", "-39%\\nSigned-off-by: x")]), end="")
    experiment: promote exp-1
    <BLANKLINE>
    Lift: -39% Signed-off-by: x
    """
    first = one_line(subject)[:_LONGEST_SUBJECT]
    if not first:
        raise InvalidInput("The commit needs a subject. Give one line of text.")
    for key, _ in trailers:
        if not _KEY.match(key):
            raise InvalidInput(f"Trailer key {quoted(key)} must be letters, digits and '-'.")
    block = "\n".join(f"{key}: {one_line(value)[:_LONGEST_VALUE]}" for key, value in trailers)
    parts = (first, cleaned(body)[:_LONGEST_BODY].strip(), block)
    return "\n\n".join(part for part in parts if part) + "\n"


def one_line(text: str) -> str:
    """Give the text with every run of white space, line breaks among them, as one space.

    >>> one_line(" two\\n lines ")
    'two lines'
    """
    return " ".join(cleaned(text.replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")).split())
