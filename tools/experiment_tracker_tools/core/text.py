"""Hostile text made safe to show: names, notes, refs and paths come from models and files."""

import unicodedata
from collections.abc import Sequence

# Cc control, Cf format (bidi marks, zero-width joiners), Cs lone surrogates, Zl and Zp line breaks.
_UNSAFE = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def is_unsafe(character: str) -> bool:
    """True for a character that can break a line, hide, or re-order what a person reads.

    >>> is_unsafe("a"), is_unsafe("\\x1b"), is_unsafe("\\u202e")
    (False, True, True)
    """
    return unicodedata.category(character) in _UNSAFE


def plainly(text: str, most: int = 500) -> str:
    """Text on one line without what hides or re-orders it, cut where it is too long; it says nothing else then.

    >>> plainly("a\\x1b[2J\\n  b\\u202e"), plainly("abcdef", most=4)
    ('a[2J b', 'abc…')
    """
    kept = (" " if c.isspace() else c for c in text[: 8 * most] if c.isspace() or not is_unsafe(c))
    shown = " ".join("".join(kept).split())
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def quoted(value: object, limit: int = 80) -> str:
    """Show any value inside an error text: on one line, in quotes, at most `limit` characters.

    >>> quoted("rm -rf\\x1b[2J\\u202e")
    "'rm -rf[2J'"
    >>> quoted("x" * 200, limit=12)
    "'xxxxxxxxxxxx… (200 characters)'"
    >>> quoted(float("nan"))
    'nan'
    """
    if not isinstance(value, str):
        return quoted(repr(value), limit).strip("'")
    shown = "".join(c for c in value[: 4 * limit] if not is_unsafe(c))
    tail = f"… ({len(value)} characters)" if len(value) > limit else ""
    return f"'{shown[:limit]}{tail}'"


def listed(names: Sequence[str], most: int = 10) -> str:
    """Names in an error text, the first ones where they are many.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun.

    >>> counted(1, "trial"), counted(1200, "trial"), counted(2, "entry", "entries")
    ('1 trial', '1,200 trials', '2 entries')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def cleaned(text: str) -> str:
    """Normalise (NFC) a note that is stored: control and bidirectional characters go, newlines and tabs stay.

    >>> cleaned("two\\nlines\\x00\\u202e")
    'two\\nlines'
    """
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", "".join(c for c in text if c in "\n\t" or not is_unsafe(c)))
