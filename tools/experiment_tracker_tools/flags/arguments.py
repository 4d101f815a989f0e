"""What stands around a call: its receiver, its arguments, and what an argument says."""

from __future__ import annotations

import re
from typing import NamedTuple

from experiment_tracker_tools.flags.lexer import HOLE, Source
from experiment_tracker_tools.flags.patterns import pattern

_MOST_CHARACTERS, _MOST_ARGUMENTS = 6_000, 24
_STRUCTURE = r"[()\[\]{},\n]"
_KEYWORD = r"\s*([A-Za-z_]\w*)\s*(?:=(?![=>])|:(?![:=]))\s*"
_KEYWORD_LANGUAGES = {"py", "rb", "php", "cs", "kt", "swift", "template", "ex", "java"}
_NAME = r"[A-Za-z_$@\\][\w$]*[?!]?(?:(?:\?\.|!?\.|::|->|\\)[A-Za-z_$][\w$]*)*"
_WRAPPED = r"(?:nameof|String|str|string|FlagKey|Name)\s*\(\s*([A-Za-z_][\w.]*)\s*\)$"
_ACCESSOR = (
    r"(?:\??\.|->)(?:name|key|value|rawValue|id|flagName|featureName|toString|to_s|to_sym|as_str|into|to_string|"
    r"to_owned|freeze|getKey|getName|Name|Key|Value|String|to\w*Key)(?:\(\))?$"
)
_CAST = r"\s+as\s+[\w.<>\[\]'| ]+$|!$"
_LEADING = r"(?:await\s+|\.\.\.|&(?:mut\s+)?|\*)+"
_NAMED_TEXT = r"(?:new\s+)?[\w.]*(?:Feature|Flag|Toggle|Gate|Key|Symbol)\w*\(\s*(?=[\"'])"
_DYNAMIC = r"\$\{|#\{|\\\("


class Argument(NamedTuple):
    """One argument: its keyword, if it has one, and where its value stands."""

    keyword: str | None
    start: int
    end: int


class Value(NamedTuple):
    """What an argument says.

    Attributes:
        kind: literal, name (a constant, a member, a variable), object, list or other.
        text: the literal's value, the dotted name, or the source.
    """

    kind: str
    text: str


def arguments(source: Source, opening: int) -> tuple[list[Argument], int] | None:
    """The arguments behind an opening bracket and the offset after the closing one; None if it never closes."""
    code, depth, start = source.code, 0, opening + 1
    found: list[Argument] = []
    for mark in pattern(_STRUCTURE).finditer(code, opening, opening + _MOST_CHARACTERS):
        sign = mark.group()
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
            if depth == 0:
                _add(source, found, start, mark.start())
                return found, mark.end()
        elif sign == "," and depth == 1:
            _add(source, found, start, mark.start())
            start = mark.end()
            if len(found) > _MOST_ARGUMENTS:
                return None
    return None


def bare_arguments(source: Source, start: int) -> list[Argument]:
    """The arguments of a call without brackets, as Ruby writes them, up to the end of its line."""
    code, depth = source.code, 0
    found: list[Argument] = []
    for mark in pattern(_STRUCTURE).finditer(code, start, start + _MOST_CHARACTERS):
        sign = mark.group()
        if sign in "([{":
            depth += 1
        elif (sign in ")]}" and depth == 0) or sign == "\n":
            _add(source, found, start, mark.start())
            break
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and depth == 0:
            _add(source, found, start, mark.start())
            start = mark.end()
    else:
        _add(source, found, start, min(len(code), start + _MOST_CHARACTERS))
    return found


def _add(source: Source, found: list[Argument], start: int, end: int) -> None:
    code = source.code
    if not code[start:end].strip():
        return
    keyword = pattern(_KEYWORD).match(code, start, end) if source.language in _KEYWORD_LANGUAGES else None
    if keyword is not None and keyword.end() < end:
        found.append(Argument(keyword.group(1), *_trimmed(code, keyword.end(), end)))
    else:
        found.append(Argument(None, *_trimmed(code, start, end)))


def _trimmed(code: str, start: int, end: int) -> tuple[int, int]:
    while start < end and code[start].isspace():
        start += 1
    while end > start and code[end - 1].isspace():
        end -= 1
    return start, end


def value_at(source: Source, start: int, end: int) -> Value:
    """Read an argument's value."""
    code, text = source.code, source.text
    if (plain := code[start:end]).isidentifier():
        return Value("name", plain)
    leading = pattern(_LEADING).match(code, start, end)
    start = leading.end() if leading else start
    shown = code[start:end]
    prefix = re.match(r"[@$rRbBuUfF]{0,2}(?=[\"'`])", shown)
    if prefix is not None:
        literal = source.string_at(start + prefix.end()) or source.string_at(start)
        if literal is not None:
            return _literal(source, literal, prefix.group(), end)
    named = pattern(_NAMED_TEXT).match(shown)
    if named is not None and (inner := source.string_at(start + named.end())) and code[inner[1] : end].strip() == ")":
        return Value("literal", inner[0])
    if source.language in {"rb", "ex", "template"} and shown.startswith(":"):
        symbol = re.match(r":(?:([A-Za-z_]\w*[?!]?)|(?=[\"']))", shown)
        quoted = source.string_at(start + 1)
        if symbol is not None and (symbol.group(1) or quoted):
            return Value("literal", symbol.group(1) or (quoted[0] if quoted else ""))
    if shown[:1] in "{[" or re.match(r"(?:listOf|setOf|Arrays\.asList|List\.of|new\s*\[\]|&\[|vec!|\[\]string)", shown):
        return Value("list" if shown[:1] == "[" or not shown.startswith("{") else "object", text[start:end])
    return _named(source, start, shown)


def _literal(source: Source, literal: tuple[str, int], prefix: str, end: int) -> Value:
    value, after = literal
    rest = source.code[after:end]
    whole = not rest or pattern(_ACCESSOR).sub("", "x" + pattern(_CAST).sub("", rest).strip()) == "x"
    if whole and not _is_dynamic(source.language, prefix, value):
        return Value("literal", value)
    return Value("other", source.text[max(0, after - len(value) - 2) : end])


def _is_dynamic(language: str, prefix: str, value: str) -> bool:
    if language == "py":
        return "f" in prefix.lower() and "{" in value
    return pattern(_DYNAMIC).search(value) is not None or (
        "$" in value and (prefix == "$" or language in {"kt", "php"})
    )


def _named(source: Source, start: int, shown: str) -> Value:
    plain = pattern(_CAST).sub("", shown)
    wrapped = pattern(_WRAPPED).match(plain)
    plain = wrapped.group(1) if wrapped else plain
    plain = (
        pattern(_ACCESSOR).sub("", plain)
        if plain.count(".") + plain.count("->") > 1 or "(" in plain or "->" in plain
        else plain
    )
    # A constant's own part is still the constant: Flags.NEW_UI.slug.
    plain = re.sub(r"^([A-Z]\w*(?:\.|::)[A-Z][A-Z0-9_]*)\.[a-z]\w*(?:\(\))?$", r"\1", plain)
    # A class that stands for the flag itself: NewUi::class, NewUi.INSTANCE.
    whole = re.match(r"(?:\w+[.\\])*([A-Z]\w*)(?:::class|\.INSTANCE)$", plain)
    if whole is not None and source.language in {"php", "java", "kt"}:
        return Value("literal", whole.group(1))
    index = re.match(rf"([A-Za-z_$][\w$.]*)\[([\"']){HOLE}+[\"']\]$", plain)
    if index is not None:
        member = source.string_at(start + index.start(2))
        return Value("name", f"{index.group(1)}.{member[0]}") if member else Value("other", shown)
    own = re.match(r"(?:\.(?:remote|local)\()?(\.[A-Za-z_]\w*)\)?$", plain) if source.language == "swift" else None
    if own is not None:
        return Value("name", own.group(1))
    found = pattern(_NAME).match(plain)
    if found is not None and found.end() == len(plain):
        return Value("name", re.sub(r"\?\.|!\.|::|->|\\", ".", plain).lstrip("."))
    return Value("other", source.text[start : start + len(shown)])


def receiver_before(source: Source, start: int) -> str:
    """The expression that a name is a member of; empty for a plain name."""
    code, at = source.code, start
    link = re.search(r"(?:\?\.|!?\.|::|->|&\.)\s*$", code[max(0, at - 40) : at])
    if link is None:
        return ""
    at = max(0, at - 40) + link.start()
    end, lowest = at, max(0, at - 200)
    while at > lowest:
        before = code[at - 1]
        if before in ")]":
            at = _opening_of(code, at - 1, lowest)
        elif before.isalnum() or before in "_$@.?!\\" or (before == ":" and code[at - 2 : at] == "::"):
            at -= 1 if before != ":" else 2
        elif before == ">" and code[at - 2 : at] == "->":
            at -= 2
        elif (
            before.isspace()
            and code[at] == "."
            and code[lowest:at].rstrip()[-1:].isalnum() | (code[lowest:at].rstrip()[-1:] == ")")
        ):
            at = lowest + len(code[lowest:at].rstrip())
        else:
            break
    return re.sub(r"\s+", "", code[at:end]).lstrip("!")


def _opening_of(code: str, closing: int, lowest: int) -> int:
    depth = 0
    for at in range(closing, lowest - 1, -1):
        if code[at] in ")]}":
            depth += 1
        elif code[at] in "([{":
            depth -= 1
            if depth == 0:
                return at
    return lowest
