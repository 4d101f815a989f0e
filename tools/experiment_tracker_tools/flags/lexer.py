"""Source text with its comments and strings set apart: same offsets, so that a search can never hit inside of either.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Iterator, Pattern, Tuple

from experiment_tracker_tools.flags.tokens import tokens

# Filler of what is inside quotes: no letter, no bracket, no quote.
HOLE = "\x01"

# What opens a hole for code in a string.
_INTERPOLATES = {"ts": "${", "page": "${", "py": "{", "rb": "#{", "ex": "#{", "kt": "${", "swift": "\\(", "cs": "{"}
# Without one of these nothing in a string's holes can ask for a flag.
_WORDS = ("lag", "eature", "oggle", "xperiment", "aria", "nabled", "reatment", "Gate", "gate", "ollout", "ctive")
_COMMENTS = ("#", "//", "/*", "<!", "{#", "=b")
_MARKS = {"{": re.compile(r"[{}]"), "(": re.compile(r"[()]")}
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_NAME_IN_FRONT = re.compile(r"\n?([\w:@.#\-]+)")


class Source:
    """One file as the detector reads it.

    Attributes:
        text: as it is written.
        code: the same, with comments blank and strings hollow.
        language: key of languages.LANGUAGES.
    """

    def __init__(self, text: str, language: str) -> None:
        self.text, self.language = text, language
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.code = self._hollow()
        self._lines: list[int] | None = None

    def _hollow(self) -> str:
        parts: list[str] = []
        text, done, opening = self.text, 0, _INTERPOLATES.get(self.language)
        for start, end in tokens(text, self.language):
            parts.append(text[done:start])
            if text.startswith(_COMMENTS, start):
                parts.append(_blank(text[start:end]))
            elif self.language == "page" and _is_expression(text, start):
                # The quotes of a bound attribute hold code; the strings in it are quoted the other way.
                parts.append(self._opened(start, end))
            elif opening is not None and text.find(opening, start, end) >= 0:
                parts.append(self._interpolated(start, end, opening))
            else:
                parts.append(self._string(start, end))
            done = end
        parts.append(text[done:])
        return "".join(parts)

    def _opened(self, start: int, end: int) -> str:
        inner = self.text[start + 1 : end - 1]
        parts, done = [" "], 0
        for found in re.finditer(r"'[^'\n]*'", inner):
            parts += [inner[done : found.start()], self._string(start + 1 + found.start(), start + 1 + found.end())]
            done = found.end()
        return "".join([*parts, inner[done:], " "])

    def _interpolated(self, start: int, end: int, opening: str) -> str:
        """A string with its holes for code left open: `${isEnabled('x')}`; the strings in those are hollow, too."""
        raw = self.text[start:end]
        if (self.language in {"py", "cs"} and not _is_formatted(self.text, start)) or not _may_ask(raw):
            return self._string(start, end)
        shown, done = self._string(start, end), start + 1
        parts = [shown[0]]
        for begin, close in _holes(self.text, start, end, opening):
            parts.append(HOLE * (begin - done))
            parts.append(self._within(begin, close))
            done = close
        return "".join([*parts, HOLE * (end - 1 - done), shown[-1]])

    def _within(self, start: int, end: int) -> str:
        text = self.text
        if text.find("'", start, end) < 0 and text.find('"', start, end) < 0:
            return text[start:end]
        parts: list[str] = []
        done = start
        for found in _QUOTED.finditer(self.text, start, end):
            parts += [self.text[done : found.start()], self._string(*found.span())]
            done = found.end()
        return "".join([*parts, self.text[done:end]])

    def _string(self, start: int, end: int) -> str:
        self._starts.append(start)
        self._ends.append(end)
        text = self.text
        if end - start < 2:
            return text[start:end]
        return text[start] + HOLE * (end - start - 2) + text[end - 1]

    def line_of(self, offset: int) -> int:
        """The 1-based line of an offset."""
        if self._lines is None:
            self._lines = [found.start() for found in re.finditer("\n", self.text)]
        return bisect_right(self._lines, offset - 1) + 1

    def line(self, number: int) -> str:
        """The text of a line."""
        lines = self.text.split("\n", number)
        return lines[number - 1] if len(lines) >= number else ""

    def string_at(self, offset: int) -> tuple[str, int] | None:
        """The value of the string that begins at an offset, and where it ends; None if none begins there."""
        at = bisect_right(self._starts, offset) - 1
        if at < 0 or self._starts[at] != offset:
            return None
        raw = self.text[offset : self._ends[at]]
        width = 3 if raw[:3] in ('"""', "'''") and len(raw) >= 6 else 1
        return raw.lstrip("@r#")[width:-width] if raw[0] in "@r#" else raw[width:-width], self._ends[at]


def _may_ask(raw: str) -> bool:
    # Not any(): it runs at every string with a hole.
    for word in _WORDS:  # noqa: SIM110
        if word in raw:
            return True
    return False


def _is_formatted(text: str, start: int) -> bool:
    """Whether a string of Python or C# has code in its braces."""
    before = text[max(0, start - 2) : start]
    return before[-1:] in {"f", "F", "$"} or before in {"fr", "rf", "$@"}


def _holes(text: str, start: int, end: int, opening: str) -> Iterator[Tuple[int, int]]:
    """Where the code in a string begins and ends."""
    at, sign, width = text.find(opening, start, end), opening[-1], len(opening)
    marks, closing = _MARKS[sign], "}" if sign == "{" else ")"
    while at >= 0:
        begin = at + width
        # Most holes have no other brackets of their kind within.
        close = text.find(closing, begin, end - 1)
        if close < 0:
            return
        if text.find(sign, begin, close) >= 0:
            close = _closing(marks, text, begin, end - 1)
            if close < 0:
                return
        if text.find("(", begin, close) >= 0 or text.find(".", begin, close) >= 0:
            yield begin, close
        at = text.find(opening, close + 1, end)


def _closing(marks: Pattern[str], text: str, begin: int, end: int) -> int:
    """Where a hole ends that has brackets of its kind within; -1 where it does not."""
    depth = 1
    for mark in marks.finditer(text, begin, end):
        depth += 1 if mark.group() in "{(" else -1
        if depth == 0:
            return mark.start()
    return -1


def _is_expression(text: str, start: int) -> bool:
    if text[start] != '"' or start == 0 or text[start - 1] != "=":
        return False
    # Backwards: to look for what stands at the end of a text costs many times as much.
    found = _NAME_IN_FRONT.match(text[max(0, start - 60) : start - 1][::-1])
    name = found.group(1)[::-1] if found is not None else " "
    return name[0] in ":@#" or name.startswith("v-")


def _blank(comment: str) -> str:
    if "\n" not in comment:
        return " " * len(comment)
    return "\n".join([" " * len(line) for line in comment.split("\n")])
