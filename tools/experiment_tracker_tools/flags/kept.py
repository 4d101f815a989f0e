"""Flags in plain objects: features.newUi, user.flags['new-ui'], features.get("new-ui"), where a decision hangs on them.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Iterator

from experiment_tracker_tools.flags import holders
from experiment_tracker_tools.flags.arguments import receiver_before, value_at
from experiment_tracker_tools.flags.configured import decides, stands_in_a_condition, start_of_name
from experiment_tracker_tools.flags.lexer import HOLE, Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.services import last_name
from experiment_tracker_tools.flags.sighting import Sighting, Span
from experiment_tracker_tools.flags.taken import NOT_MEMBERS
from experiment_tracker_tools.flags.trades import COMMAND_LINES, MODELS, speaks_of
from experiment_tracker_tools.flags.words import words_of

_LINK = r"(?:\?\.|!?\.|->|::)"
# It begins with what is rare; the rest of the name is looked for only then.
_KEPT = (
    r"(?:[fF]eature(?:s|Properties|Config|_?[sS]ettings|Decisions|Management)|[fF]lags|[tT]oggles|[eE]xperiments)"
    rf"(?:\(\)|{_LINK}(?:[vV]alue|[cC]urrent(?:Value)?)\b(?!\())?(?=\?*!?[.\[-])"
)
_NAME_BEFORE = r"(?:^|[^\w$\"'\-/@])(\$?_?(?:[a-z]\w*)?)$"
_TAKEN = (
    rf"{_LINK}(?:get|has|includes|include\?|contains|fetch|key\?|getOrDefault|get_or_default|getBoolean|dig)\(\s*&?"
)
_INDEX = r"(?:\?\.|!)?\[\s*"
_MEMBER = rf"{_LINK}([A-Za-z_]\w*)"
_GETTER = rf"{_LINK}(is(?!Empty|NotEmpty|Blank|Null|Present|None|Zero)[A-Z]\w*)\(\)"
_NAMED = rf"\[\s*(?=([\"']))[\"']{HOLE}+[\"']\s*\]\s*\[\s*(?=[\"'])"
_NAMES = frozenset(["features", "toggles", "experiments"])
_IN_QUOTES = ("features'", 'features"', "toggles'", 'toggles"', "experiments'", 'experiments"')
_CONTAINED = rf"(?:(?<=\s)|(?<=\())(?=[\"'])([\"']){HOLE}+\1\s+in\s+(?:([\w.]+)\.)?([a-z_]+)\b(?!\s*[.(\[])"
# Whose flags they may be, or what holds them.
_OWNERS = frozenset(
    (
        "user account org organization organisation tenant team workspace company customer member project site shop "
        "profile me viewer config configuration settings setting cfg conf env environment props state store getters "
        "context ctx app application window globals locals session request req page data bootstrap root value options "
        "properties params query instance constants x this self s server current service viewmodel vm gon"
    ).split()
)
# A file that speaks of these may call them flags.
_FEATURES = tuple(
    (
        "featureflag feature_flag feature-flag featuretoggle feature_toggle launchdarkly launch_darkly flags?. "
        "flagsquery flags_query"
    ).split()
)


def kept(source: Source, inside: Span) -> Iterator[Sighting]:
    """What is taken out of plain objects whose names say features, flags, toggles or experiments."""
    code = source.code
    for match in pattern(_KEPT).finditer(code, *inside):
        before = pattern(_NAME_BEFORE).search(code[max(0, match.start() - 40) : match.start()])
        if before is None:
            continue
        start = match.start() - len(before.group(1))
        named = re.match(r"\w+", match.group())
        name = before.group(1).lstrip("$_") + (named.group() if named is not None else "")
        if holders.is_set_of_flags(name) and name not in {"flags", "features"} and not name[:1].isupper():
            continue
        if not _is_kept_for_flags(source, name, receiver_before(source, start)):
            continue
        whole = _start_of(code, start)
        yield from _taken(source, name, whole, match.end())
    yield from _named_or_contained(source, inside)


def _named_or_contained(source: Source, inside: Span) -> Iterator[Sighting]:
    """What is taken by two texts, and what a list is asked for: $config['features']['new_ui'], "new_ui" in features."""
    code = source.code
    text = source.text[slice(*inside)]
    for match in pattern(_NAMED).finditer(code, *inside) if any(word in text for word in _IN_QUOTES) else ():
        named, key = source.string_at(match.start(1)), source.string_at(match.end())
        if named is None or key is None or named[0] not in _NAMES or not holders.is_key(key[0]):
            continue
        start, end = start_of_name(code, match.start()), key[1] + 1
        if stands_in_a_condition(code, start, end):
            yield Sighting(start, end, "index", named[0], key[0])
    for match in pattern(_CONTAINED).finditer(code, *inside) if source.language == "py" else ():
        key, name = source.string_at(match.start()), match.group(3)
        about = holders.is_set_of_flags(name) or (name == "features" and bool(match.group(2)) and _owns(match.group(2)))
        if about and key is not None and holders.is_key(key[0]) and not speaks_of(source, MODELS):
            yield Sighting(match.start(), match.end(), "index", name, key[0])


def _start_of(code: str, start: int) -> int:
    """Where the expression begins that a name is the last part of."""
    found = re.search(r"(?:\$?[\w\])]+(?:\(\))?(?:\?\.|!?\.|->|::))+$", code[max(0, start - 120) : start])
    return start - len(found.group()) if found is not None else start


@lru_cache(maxsize=10_000)
def _owns(receiver: str) -> bool:
    words = words_of(last_name(receiver.strip("$")))
    return not words or words[-1] in _OWNERS


def _is_kept_for_flags(source: Source, name: str, receiver: str) -> bool:
    """Whether an object may hold flags: by whose it is, and by what else its file is about."""
    words = words_of(name)
    last = "".join(words[-1:])
    own = words[0] in _OWNERS or words[0] in {
        "enabled",
        "active",
        "beta",
        "all",
        "initial",
        "get",
        "feature",
        "experimental",
    }
    if len(words) > 2 or (len(words) == 2 and not own and not (receiver and source.language != "py")):
        return False
    if receiver and (not _owns(receiver) or (source.language == "py" and last_name(receiver) in {"self", "x", "data"})):
        return False
    if name == "flags" and not _may_be_about_features(source, receiver):
        return False
    if speaks_of(source, COMMAND_LINES if last == "flags" else MODELS) or (
        last == "flags" and "Command" in source.text
    ):
        return False
    return not (last == "experiments" and "mlflow" in source.text)


def _may_be_about_features(source: Source, receiver: str) -> bool:
    """Whether plain flags may be those of features: a command line and a memory's layout have flags, too."""
    if source.language in {"page", "template"}:
        return True
    if source.language in {"go", "rs"} and not receiver:
        return False
    if source.language == "py" and last_name(receiver) in {"", "self", "x", "data", "context"}:
        return False
    return last_name(receiver) not in {"", "this", "self"} or speaks_of(source, _FEATURES)


def _taken(source: Source, name: str, start: int, at: int) -> Iterator[Sighting]:
    code = source.code
    taken = pattern(_TAKEN).match(code, at) or pattern(_INDEX).match(code, at)
    if taken is not None:
        end = _closing(code, taken.end())
        value = value_at(source, taken.end(), _end_of_value(code, taken.end(), end))
        given = re.match(r"\s*=[^=]", code[end : end + 4]) is not None
        if given or value.kind != "literal" or not holders.is_key(value.text) or not _is_compound(value.text):
            return
        if stands_in_a_condition(code, start, end):
            yield Sighting(start, end, "index", name, value.text)
        return
    member = pattern(_MEMBER).match(code, at)
    if member is None or code[member.end() : member.end() + 1] in {"<", "$"}:
        return
    getter = pattern(_GETTER).match(code, at)
    if getter is not None and stands_in_a_condition(code, start, getter.end()):
        yield Sighting(start, getter.end(), "member", name, getter.group(1))
    elif member.group(1)[:1].isupper() and source.language in {"py", "rb", "rs", "ts"}:
        return
    elif source.language == "rb" and code[member.end() : member.end() + 1] == "?":
        return  # a predicate, which is told with its question mark
    elif member.group(1) not in NOT_MEMBERS and _is_compound(member.group(1)) and decides(code, start, member):
        yield Sighting(start, member.end(), "member", name, member.group(1))


def _closing(code: str, at: int) -> int:
    found = re.search(r"[)\]\n]", code[at : at + 200])
    return at + found.end() if found is not None else at


def _end_of_value(code: str, at: int, end: int) -> int:
    found = re.search(r"[,)\]\n]", code[at:end])
    return at + found.start() if found is not None else end


def _is_compound(key: str) -> bool:
    """Whether a key is of several words: a single one is anybody's property."""
    return re.search(r"[a-z][A-Z]|\w[_\-.:]\w", key) is not None
