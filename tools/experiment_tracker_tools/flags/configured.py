"""Flags that a project keeps among its settings: config.features.newUi where something hangs on it.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from typing import Iterator

from experiment_tracker_tools.flags import holders, names
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.sighting import Sighting, Span
from experiment_tracker_tools.flags.trades import MODELS, speaks_of

_LINK = r"(?:\?\.|!?\.|->)"
# Each begins with what is rare; what stands in front of it is looked at only then.
_MEMBER = rf"(?<=[.>])(?:[Ff]eatures|[Ff]lags|toggles|switches|experiments){_LINK}([A-Za-z_]\w*)"
_SWITCH = r"(?<=[.>:])([A-Z][A-Z0-9_]+)\b(?!\s*[\[(.]|\s*=[^=])"
_INDEXED = r"[gfs](?:\.get\(|->get\(|\[)\s*(?=[\"'])"
_IN_FRONT = r"((?:[A-Za-z_$][\w$]*(?:\(\)|\(c(?:tx|ontext)\))?(?:\?\.|!?\.|->|::))+)$"
_SETTINGS = r"(?i)(?:config|configuration|settings?|cfg|conf|environment|env|constants?)(?:\(\))?(?:\?\.|!?\.|->|::|$)"
_PATH = (
    r"(?:(?<![\w$>:.])(?:config|setting|settings|get_config)\(|[cC](?:fg|onfig(?:uration)?(?:Service|uration)?)(?:\(\))?"
    r"(?:\.|->|\?\.)(?:[gG]et\w*|bool|boolean)(?:<\w+>)?\(|[cC]onfiguration\[|\b[sS]ettings?\[)\s*(?=[\"'])"
)
_FEATURE_PATH = (
    r"(?i)(?:(features?|flags|toggles)|(?:[\w\-]+[.:]){0,2}feature[_-]?(?:flags|toggles|management))[.:](\w[\w\-]*)$"
)
_ONE_SETTING = r"(?=(feature)\.)(\w[\w\-.]*)$"
_EXPERIMENTAL = rf"(?<=[.>])experimental{_LINK}(\w+(?:_enabled|Enabled))\b(?!\s*=[^=]|\()"
_OPTION = r"(?<![\w$>:])get_(?:site_)?option\(\s*(?=[\"'])"
_OPTION_KEY = r"\w*_features?_\w+$|feature_\w+$"
_GUARDED = r"(?:\b(?:abort_unless|abort_if|throw_if|throw_unless|when)\(\s*|\(bool\)\s*|\breturn\s+)$"
_IMPORTED = r"(?<![\w$.])(?:features|flags|toggles|feature_flags|feature_toggles)\.([A-Za-z_]\w*)"
# The environment itself, which environment.py reads.
_READ_ELSEWHERE = ("process.env.", "meta.env.", "Deno.env.")
_OF_LISTS = frozenset("length size count first last map filter find some every includes isEmpty keys values".split())
# What may stand behind a flag, and not behind a list, a text or a method.
_ENDS = r"(?:[.](?:enabled|isEnabled|active|on)\b[?]?)?(?![\w$(\[.?]|\s*[\[(]|\?\.|->|\s*=[^=])|\s+\?\s|\s*\?\s"
_CONDITION = (
    r"(?:\b(?:if|unless|while|not|and|or|elif|until|guard|when|assert)\b\s*\(?|!|&&|\|\||\bv-(?:if|show|else-if)=|[?:]\s)"
    r"\s*\(?!{0,2}$"
)
_HANGS = r"\s*(?:&&|\|\||\?(?![.?])|and\b|or\b)|[ \t]*\bif\b"
_STARTS = r"(?:[=:({,\[]|\breturn|=>)\s*\(?$"


def among_settings(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """Members of settings that are called features or flags, where a decision hangs on them."""
    code = source.code
    for match in pattern(_MEMBER).finditer(code, *inside):
        start = _start_of_settings(code, match.start())
        if start is None or (source.language == "py" and speaks_of(source, MODELS)):
            continue
        if decides(code, start, match):
            yield Sighting(start, match.end(1), "member", code[start : match.start(1)].rstrip(".?->"), match.group(1))
    for match in pattern(_EXPERIMENTAL).finditer(code, *inside):
        start = _start_of_settings(code, match.start())
        if start is not None:
            yield Sighting(start, match.end(1), "member", "experimental", match.group(1))
    yield from _of_the_environment(source, inside)
    yield from _by_path(source, inside)
    for match in pattern(_OPTION).finditer(code, *inside) if source.language == "php" else ():
        key = source.string_at(match.end())
        if key is not None and re.match(_OPTION_KEY, key[0]):
            yield Sighting(match.start(), key[1], "index", "get_option", key[0])
    for match in pattern(_IMPORTED).finditer(code, *inside) if evidence.settings else ():
        holder = match.group().partition(".")[0]
        if holder in evidence.settings and decides(code, match.start(), match):
            yield Sighting(match.start(), match.end(1), "member", holder, match.group(1))


def _start_of_settings(code: str, at: int) -> int | None:
    """Where the settings begin that something is a member of; None where it is another thing's."""
    lowest = max(0, at - 120)
    found = pattern(_IN_FRONT).search(code[lowest:at])
    if found is None or found.group().endswith(_READ_ELSEWHERE):
        return None
    parts = re.split(r"\.|->|::", found.group().rstrip(".?!>-:"))
    # What a context holds is what the package before it is about: config.FromContext(ctx).
    last = parts[-2] if parts[1:] and parts[-1].startswith("FromContext(") else parts[-1]
    return lowest + found.start() if pattern(_SETTINGS).search(last) is not None else None


def _of_the_environment(source: Source, inside: Span) -> Iterator[Sighting]:
    """Settings that are called as flags in the environment are: settings.FEATURE_NEW_UI, config["FF_CHAT"]."""
    code = source.code
    for match in pattern(_SWITCH).finditer(code, *inside):
        start = _start_of_settings(code, match.start()) if holders.is_environment_flag(match.group(1)) else None
        if start is not None:
            yield Sighting(start, match.end(1), "member", code[start : match.start()].rstrip(".:->"), match.group(1))
    for match in pattern(_INDEXED).finditer(code, *inside):
        key = source.string_at(match.end())
        if key is None or not holders.is_environment_flag(key[0]) or _is_given(code, key[1]):
            continue
        named = re.search(r"[\w$.]+$", code[max(0, match.start() - 80) : match.start() + 1])
        if named is not None and pattern(_SETTINGS).search(named.group()) is not None:
            yield Sighting(match.start(), key[1], "index", named.group(), key[0])


def _by_path(source: Source, inside: Span) -> Iterator[Sighting]:
    """Settings that are asked for by a path whose head says features: config('features.new_ui')."""
    for match in pattern(_PATH).finditer(source.code, *inside):
        key = source.string_at(match.end())
        if key is None:
            continue
        of_one = pattern(_ONE_SETTING).match(key[0]) if source.code[match.end() - 1] == "[" else None
        found = of_one or pattern(_FEATURE_PATH).match(key[0])
        if found is None:
            continue
        start = start_of_name(source.code, match.start())
        before = source.code[max(0, start - 60) : start]
        if found.group(1) is None or pattern(_CONDITION).search(before) or pattern(_GUARDED).search(before):
            yield Sighting(start, key[1] + 1, "index", "config", found.group(2))


def _is_given(code: str, end: int) -> bool:
    return re.match(r"\s*\]\s*=[^=]", code[end : end + 8]) is not None


def decides(code: str, start: int, match: re.Match[str]) -> bool:
    """Whether something hangs on a member, the last group of a match: then it is no list, text or method."""
    member, end = match.groups()[-1], match.end(match.lastindex or 0)
    if member in _OF_LISTS or (names.is_setter(member) and not member.lower().startswith(("enable", "disable"))):
        return False
    if pattern(_ENDS).match(code, end) is None:
        return False
    return stands_in_a_condition(code, start, end)


def stands_in_a_condition(code: str, start: int, end: int) -> bool:
    """Whether an expression is asked: behind an if or a not, or before a question mark or an and."""
    before = code[max(0, start - 60) : start]
    if pattern(_CONDITION).search(before) is not None:
        return True
    return pattern(_HANGS).match(code, end) is not None and pattern(_STARTS).search(before) is not None


def start_of_name(code: str, at: int) -> int:
    """Where the dotted name begins that ends here, or that what stands here goes on."""
    return at - len(re.findall(r"[\w$.>\-]*$", code[max(0, at - 60) : at])[0])
