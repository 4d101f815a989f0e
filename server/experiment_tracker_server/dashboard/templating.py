"""Pages from templates/: everything that comes from the ledger is escaped, capped and kept from re-ordering text."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from experiment_tracker_tools.core.text import counted, is_unsafe

_MARKED = re.compile(r"\[([^\[\]]{1,200})\]")
_LONGEST = 2_000


def render(template: str, **given: object) -> str:
    """A page."""
    return _environment().get_template(template).render(given)


def shown(value: object, limit: int = _LONGEST) -> str:
    """Text that is harmless to show: no control or direction characters but line breaks, at most `limit` long.

    >>> shown("a\\x1b[2J\\u202eb", 80)
    'a[2Jb'
    >>> shown("x" * 50, 10)
    'xxxxxxxxxx…'
    """
    text = str(value)
    plain = "".join(c for c in text[: 4 * limit] if c == "\n" or not is_unsafe(c))
    return plain if len(plain) <= limit else f"{plain[:limit].rstrip()}…"


def marked(passage: str) -> Markup:
    """A passage of the search with its matches, which stand in square brackets, marked.

    >>> marked("a [cache] <b>")
    Markup('a <mark>cache</mark> &lt;b&gt;')
    """
    parts = _MARKED.split(shown(passage))
    return Markup().join(
        Markup("<mark>{}</mark>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def coded(text: str) -> Markup:
    """A sentence whose `words in backquotes` are commands or names.

    >>> coded("plan anew with `iterates` <b>")
    Markup('plan anew with <code>iterates</code> &lt;b&gt;')
    """
    parts = shown(text).split("`")
    if len(parts) % 2 == 0:
        return escape(shown(text))
    return Markup().join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def when(moment: datetime) -> Markup:
    """A moment as the reader's browser may say it better.

    >>> when(datetime(2026, 11, 20, 12, 5, tzinfo=UTC))
    Markup('<time datetime="2026-11-20T12:05:00+00:00">2026-11-20 12:05 UTC</time>')
    """
    utc = moment.astimezone(UTC)
    return Markup('<time datetime="{}">{:%Y-%m-%d %H:%M} UTC</time>').format(utc.isoformat(timespec="seconds"), utc)


def _finalized(value: object) -> object:
    return value if isinstance(value, Markup) or not isinstance(value, str) else shown(value)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("experiment_tracker_server.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    # Jinja's own filters give the dict its type, so that every other signature would be refused.
    filters = cast("tuple[Callable[..., Any], ...]", (marked, coded, when, shown, counted))
    environment.filters.update({each.__name__: each for each in filters})
    return environment
