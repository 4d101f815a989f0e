"""Comments and strings of a text, in order, in time that grows with its length whatever it holds.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from typing import Iterator, Mapping, Pattern

# Every alternative begins with a literal character: then the engine leaps from one candidate to the next.
# Where a group has a name, the candidate's end was looked for in vain.
_HASH, _SLASH, _MARKUP = r"\#[^\n]*", r"//[^\n]*|/\*.*?(?:\*/|\Z)", r"<!--(?:.*?-->|(?P<markup>))"
_DOUBLE = r'"(?:[^"\\\n]*(?:\\.[^"\\\n]*)*"|(?P<double>))'
_SINGLE = r"'(?:[^'\\\n]*(?:\\.[^'\\\n]*)*'|(?P<single>))"
_TRIPLE = r'"""(?:[^\\]*?(?:\\.[^\\]*?)*?"""|(?P<triple>))'
_TRIPLE_SINGLE = r"'''(?:[^\\]*?(?:\\.[^\\]*?)*?'''|(?P<triple_single>))"
_TICKS = r"`(?:[^`\\]*(?:\\.[^`\\]*)*`|(?P<ticks>))"
_CHARACTER = r"'(?:[^'\\\n]|\\[^\n]{1,9})'"
# A slash after one of these begins a regular expression; anywhere else it divides.
_REGEX = (
    r"/(?:(?<=[(,=:\[!&|?{;]/)|(?<=[(,=:\[!&|?{;] /))(?![/*])"
    r"(?:(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/|(?P<regex>))"
)
_BEGIN = r"=(?<![^\n]=)begin\b(?:.*?\n=end\b|(?P<begin>))"
_BLOCK, _NOTE, _RAW = r"/\*(?:.*?\*/|(?P<block>))", r"\{\#(?:.*?\#\}|(?P<note>))", r'r\#"(?:.*?"\#|(?P<raw>))'
STYLES: Mapping[str, tuple[str, ...]] = {
    "py": (_HASH, _TRIPLE_SINGLE, _TRIPLE, _DOUBLE, _SINGLE),
    "rb": (_BEGIN, r"\#(?<![\w$]\#)[^\n]*", _DOUBLE, _SINGLE),
    "ex": (_HASH, _TRIPLE, _DOUBLE, _SINGLE),
    "ts": (_SLASH, _MARKUP, _DOUBLE, _SINGLE, _TICKS, _REGEX),
    "page": (_MARKUP, _BLOCK, r"/(?<![:\w]/)/[^\n]*", _SINGLE, _DOUBLE, _TICKS),
    "template": (_MARKUP, _NOTE, _DOUBLE, _SINGLE),
    "go": (_SLASH, _DOUBLE, _CHARACTER, "`[^`]*`"),
    "java": (_SLASH, _TRIPLE, _DOUBLE, _CHARACTER),
    "kt": (_SLASH, _TRIPLE, _DOUBLE, _CHARACTER),
    "swift": (_SLASH, _TRIPLE, _DOUBLE),
    "cs": (_SLASH, _TRIPLE, '@"(?:[^"]|"")*"', _DOUBLE, _CHARACTER),
    "php": (_SLASH, r"\#(?!\[)[^\n]*", _DOUBLE, _SINGLE),
    "rs": (_SLASH, _RAW, _DOUBLE, _CHARACTER),
}
# What ends with its line, if not before; of all others the end is nowhere behind, if it was not found once.
_OF_A_LINE = {
    "double": re.compile(r'[^"\\\n]*(?:\\.[^"\\\n]*)*', re.DOTALL),
    "single": re.compile(r"[^'\\\n]*(?:\\.[^'\\\n]*)*", re.DOTALL),
    "regex": re.compile(r"[^\n]*"),
}
# Where one of these has no end, another token begins within its opening.
_WIDE = ("triple", "triple_single", "raw")
# So far one may look in vain, again and again.
_PATIENCE = 500
_compiled: dict[tuple[str, frozenset[str]], Pattern[str]] = {}


def tokens(text: str, language: str) -> Iterator[tuple[int, int]]:
    """Where the comments and strings begin and end.

    What has no end is none, and its end is not looked for again from where it cannot be found: a text of nothing but
    openings costs as much as any other.
    """
    at = 0
    vain: dict[str, int] = {}
    while True:
        vain = {kind: until for kind, until in vain.items() if until > at}
        until = min(vain.values(), default=len(text) + 1)
        for found in _pattern(language, frozenset(vain)).finditer(text, at):
            start, end = found.span()
            if start >= until:
                at = until
                break
            if found.lastgroup is None:
                yield start, end
                at = end
                continue
            stop = stop_of(text, found.lastgroup, end)
            if stop - start > _PATIENCE or found.lastgroup in _WIDE:
                at, vain[found.lastgroup] = start, stop
                break
        else:
            return


def stop_of(text: str, kind: str, start: int) -> int:
    """Up to where a kind of token cannot end, whose end was looked for in vain."""
    line = _OF_A_LINE.get(kind)
    found = line.match(text, start) if line is not None else None
    return len(text) if found is None else found.end()


def _pattern(language: str, without: frozenset[str]) -> Pattern[str]:
    known = _compiled.get((language, without))
    if known is None:
        kept = (each for each in STYLES[language] if not any(f"(?P<{kind}>" in each for kind in without))
        known = _compiled[language, without] = re.compile("|".join(kept), re.DOTALL)
    return known
