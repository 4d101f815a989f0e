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

_LINK = r"(?:\?\.|!?\.|->)"
_SETTINGS = (
    r"(?<![\w$])((?:[A-Za-z_$][\w$]*\??\.)*(?:\w+_?)?(?i:config|configuration|settings?|cfg|conf|environment|env)(?:\(\))?"
    rf"{_LINK}(?:features|flags|toggles|experiments|Features|Flags)){_LINK}([A-Za-z_]\w*)"
)
_SWITCH = (
    r"(?<![\w$])((?:[A-Za-z_$][\w$]*\.)*(?:\w+_?)?(?i:config|configuration|settings?|cfg|conf|environment|env|constants?))"
    r"(?:\.|->|::)([A-Z][A-Z0-9_]+)\b(?!\s*[\[(.]|\s*=[^=])"
)
_INDEXED = (
    r"(?<![\w$])((?:[A-Za-z_$][\w$]*\??\.)*(?:\w+_?)?(?i:config|configuration|settings?|cfg|conf))"
    r"(?:\.get\(|->get\(|\[)\s*(?=[\"'])"
)
_PATH = r"(?<![\w$>:.])(?:config|setting|settings|get_config)\(\s*(?=[\"'])"
_FEATURE_PATH = r"(?:features?|feature[_-]flags|flags|toggles)\.(\w[\w\-]*)$"
_GUARDED = r"(?:\b(?:abort_unless|abort_if|throw_if|throw_unless|when)\(\s*|\(bool\)\s*|\breturn\s+)$"
_IMPORTED = r"(?<![\w$.])(features|flags|toggles|feature_flags|feature_toggles)\.([A-Za-z_]\w*)"
# The environment itself, which environment.py reads.
_READ_ELSEWHERE = ("process.env", "meta.env", "Deno.env")
_OF_LISTS = frozenset("length size count first last map filter find some every includes isEmpty keys values".split())
# What may stand behind a flag, and not behind a list, a text or a method.
_ENDS = r"(?:[.](?:enabled|isEnabled|active|on)\b[?]?)?(?![\w$(\[.?]|\s*[\[(]|\?\.|\s*=[^=])|\s+\?\s|\s*\?\s"
_CONDITION = (
    r"(?:\b(?:if|unless|while|not|and|or|elif|until|guard|when|assert)\b\s*\(?|!|&&|\|\||\bv-(?:if|show|else-if)=|[?:]\s)"
    r"\s*\(?!{0,2}$"
)
_HANGS = r"\s*(?:&&|\|\||\?(?![.?])|and\b|or\b|\bif\b)"
_STARTS = r"(?:[=:({,\[]|\breturn|=>)\s*\(?$"


def among_settings(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """Members of settings that are called features or flags, where a decision hangs on them."""
    code = source.code
    for match in pattern(_SETTINGS).finditer(code, *inside):
        if decides(code, match):
            yield _seen(match)
    yield from _of_the_environment(source, inside)
    yield from _by_path(source, inside)
    for match in pattern(_IMPORTED).finditer(code, *inside) if evidence.settings else ():
        if match.group(1) in evidence.settings and decides(code, match):
            yield _seen(match)


def _of_the_environment(source: Source, inside: Span) -> Iterator[Sighting]:
    """Settings that are called as flags in the environment are: settings.FEATURE_NEW_UI, config["FF_CHAT"]."""
    for match in pattern(_SWITCH).finditer(source.code, *inside):
        if holders.is_environment_flag(match.group(2)) and not match.group(1).endswith(_READ_ELSEWHERE):
            yield _seen(match)
    for match in pattern(_INDEXED).finditer(source.code, *inside):
        key = source.string_at(match.end())
        if key is not None and holders.is_environment_flag(key[0]) and not _is_given(source.code, key[1]):
            yield Sighting(match.start(), key[1], "index", match.group(1), key[0])


def _by_path(source: Source, inside: Span) -> Iterator[Sighting]:
    """Settings that are asked for by a path whose head says features: config('features.new_ui')."""
    for match in pattern(_PATH).finditer(source.code, *inside):
        key = source.string_at(match.end())
        found = pattern(_FEATURE_PATH).match(key[0]) if key is not None else None
        if key is None or found is None:
            continue
        end = source.code.find(")", key[1]) + 1
        before = source.code[max(0, match.start() - 60) : match.start()]
        if end and (pattern(_CONDITION).search(before) or pattern(_GUARDED).search(before)):
            yield Sighting(match.start(), end, "index", "config", found.group(1))


def _is_given(code: str, end: int) -> bool:
    return re.match(r"\s*\]\s*=[^=]", code[end : end + 8]) is not None


def _seen(match: re.Match[str]) -> Sighting:
    return Sighting(match.start(), match.end(2), "member", match.group(1), match.group(2))


def decides(code: str, match: re.Match[str]) -> bool:
    """Whether something hangs on a member, the second group of a match: then it is no list, text or method."""
    member, end = match.group(2), match.end(2)
    if member in _OF_LISTS or (names.is_setter(member) and not member.lower().startswith(("enable", "disable"))):
        return False
    ends = pattern(_ENDS).match(code, end)
    if ends is None:
        return False
    before = code[max(0, match.start() - 60) : match.start()]
    if pattern(_CONDITION).search(before) is not None:
        return True
    return pattern(_HANGS).match(code, end) is not None and pattern(_STARTS).search(before) is not None
