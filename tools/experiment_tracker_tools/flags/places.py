"""Where among the arguments the key and the default stand."""

from __future__ import annotations

import re
from typing import Any, Iterable, Sequence

from experiment_tracker_tools.flags import holders, services
from experiment_tracker_tools.flags.arguments import Argument, Value, arguments, value_at
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.words import pair_at, words_of

_KEY_WORDS = (
    "flag_key",
    "flagKey",
    "key",
    "flag",
    "flag_name",
    "flagName",
    "feature",
    "feature_name",
    "name",
    "featureName",
    "forKey",
)
_PROPERTIES = (
    *("flagKey", "flagName", "featureKey", "featureName", "flag_key", "key", "flag", "name", "event"),
    r"\w*(?:[fF]lag|[fF]eature|[eE]xperiment|[tT]oggle)_?(?:[kK]ey|[nN]ame|[iI]d)",
)
_DEFAULT_WORDS = (
    "default",
    "default_value",
    "defaultValue",
    "fallback",
    "default_enabled_if_undefined",
    "fallback_value",
)
# A variable that is called so holds the key; what stands behind it is a fallback, or whom it is asked for.
_IS_THE_KEY = frozenset("flag feature key name toggle experiment gate id variant switch f k".split())
_WITHOUT_JOINTS = str.maketrans("", "", "-_.:")
# All of them at once: which one is meant comes behind.
_ALL_OF_THEM = frozenset("features flags toggles experiments".split())
_SUBJECTS = (
    r"(?i)^(?:\w+\.)*(?:\w*ctx|\w*context|user|request|req|self|this|client|org|organization|team|account|tenant|"
    r"project|uid|user_?id|pool|db)$"
)


def values_at(source: Source, given: Sequence[Argument], places: Iterable[dict[str, Any]]) -> list[Value]:
    """The values at the first place that fits this call."""
    for place in places:
        if not _fits(source, given, place):
            continue
        found = _values(source, given, place)
        if found:
            return found
    return []


def _fits(source: Source, given: Sequence[Argument], place: dict[str, Any]) -> bool:
    if len(given) < place.get("at_least", 0) or place.get("exactly", len(given)) != len(given):
        return False
    if place.get("language", source.language) != source.language:
        return False
    avoided = place.get("unless_object")
    if avoided is not None and avoided < len(given) and _value(source, given[int(avoided)]).kind == "object":
        return False
    avoided = place.get("unless_literal")
    return not (avoided is not None and avoided < len(given) and _value(source, given[int(avoided)]).kind == "literal")


def _values(source: Source, given: Sequence[Argument], place: dict[str, Any]) -> list[Value]:
    if "position" in place:
        plain = (
            [each for each in given if each.keyword is None]
            if source.language not in {"swift", "kt", "cs", "php"}
            else given
        )
        return [_value(source, plain[int(place["position"])])] if place["position"] < len(plain) else []
    if "keyword" in place:
        return [_value(source, each) for each in given if each.keyword == place["keyword"]]
    if "list" in place:
        return _strings_in(source, given[int(place["list"])]) if place["list"] < len(given) else []
    return _properties(source, given, place["property"])


def _properties(source: Source, given: Sequence[Argument], name: str) -> list[Value]:
    for each in given:
        if each.keyword == name:
            return [_value(source, each)]
        within = source.code[each.start : each.end]
        found = re.search(rf"(?<![\w$.])[\"']?{name}[\"']?\s*(?::|=>|=)\s*(?=\S)", within)
        quoted = None if found else _quoted_property(source, each, name)
        at = each.start + found.end() if found else quoted
        if at is not None:
            return [_value_from(source, at, each.end)]
    return []


def _quoted_property(source: Source, argument: Argument, name: str) -> int | None:
    for mark in re.finditer(r"[\"']", source.code[argument.start : argument.end]):
        literal = source.string_at(argument.start + mark.start())
        if literal is not None and literal[0] == name:
            link = re.match(r"\s*(?::|=>)\s*", source.code[literal[1] : argument.end])
            if link is not None:
                return literal[1] + link.end()
    return None


def _value_from(source: Source, at: int, end: int) -> Value:
    if source.code[at] == "[":
        inner = _strings_in(source, Argument(None, at, end))
        return inner[0] if inner else Value("other", "")
    depth, stop = 0, at
    while stop < end:
        sign = source.code[stop]
        if sign in "([{":
            depth += 1
        elif (sign in ")]}" and depth == 0) or (sign in ",\n" and depth == 0):
            break
        elif sign in ")]}":
            depth -= 1
        stop += 1
    return value_at(source, at, stop)


def _strings_in(source: Source, argument: Argument) -> list[Value]:
    single = _value(source, argument)
    if single.kind in {"literal", "name"}:
        return [single] if single.kind == "literal" else []
    shown = source.code[argument.start : argument.end]
    opening = re.search(r"[\[({]", shown)
    if opening is None:
        return []
    parsed = arguments(source, argument.start + opening.start())
    inner = [_value(source, each) for each in parsed[0]] if parsed else []
    return [each for each in inner if each.kind == "literal" or _is_of_a_class_of_flags(each)]


def _value(source: Source, argument: Argument) -> Value:
    return value_at(source, argument.start, argument.end)


def first_key(source: Source, given: Sequence[Argument], *, events: bool = False) -> Value | None:
    """The argument of a home-made call that is a key: named so, the first literal, or the first constant."""
    for each in given[:6]:
        if each.keyword in _KEY_WORDS or (each.keyword == "value" and source.language == "java"):
            return _keyish(_value(source, each), events=events)
    plain = [_value(source, each) for each in given[:3] if each.keyword is None or source.language == "swift"]
    if plain and plain[0].kind == "object":
        named = (_properties(source, given[:1], word) for word in _PROPERTIES)
        value = next((found[0] for found in named if found), None)
    else:
        value = next((each for each in plain if not is_passed_over(each)), None)
        value = _behind_whom(value, plain)
    return None if value is None else _keyish(value, events=events)


def _behind_whom(value: Value | None, plain: Sequence[Value]) -> Value | None:
    """The member of an enum that stands behind a variable: the variable is whom, or where, it is asked for."""
    if value is None or value.kind != "name" or is_in_plain_sight(value) or len(plain) < 2:
        return value
    second = next((each for each in plain[1:] if _is_of_a_class_of_flags(each)), plain[1])
    if _is_whose_constant(value, second):
        return second
    if second.kind == "literal" and len(plain) == 2 and _IS_THE_KEY.isdisjoint(words_of(value.text.rpartition(".")[2])):
        is_plain = second.text.translate(_WITHOUT_JOINTS).isalpha()
        return second if is_plain and holders.is_key(second.text) else value
    constant = second.kind == "name" and "." in second.text and is_in_plain_sight(second)
    return second if constant and holders.is_kind_of_flag(second.text.split(".")[-2]) else value


def _is_of_a_class_of_flags(value: Value) -> bool:
    if value.kind != "name" or "." not in value.text:
        return False
    container = value.text.split(".")[-2]
    plain = container.endswith("Flags") and pair_at(words_of(container)) is None
    return not plain and holders.is_kind_of_flag(container)


def _is_whose_constant(whom: Value, constant: Value) -> bool:
    """Whether a constant stands behind a variable that says of no key: getFeatureFlag(state, NEW_UI, true)."""
    name = constant.text.rpartition(".")[2]
    if (
        constant.kind != "name"
        or not name.isupper()
        or "_" not in name
        or name.startswith("DEFAULT")
        or name.endswith("_ID")
    ):
        return False
    return _IS_THE_KEY.isdisjoint(words_of(whom.text.rpartition(".")[2]))


def is_in_plain_sight(key: Value) -> bool:
    """Whether a key is written out, or is a constant's name: a variable could be anything."""
    plain = key.text.rpartition(".")[2]
    if key.kind == "literal" or plain[:1].isupper() or (key.text.startswith(".") and len(plain) > 2):
        return True
    container = key.text.rpartition(".")[0].rpartition(".")[2]
    return key.kind == "name" and container[:1].isupper()


def is_passed_over(value: Value) -> bool:
    """Whether a value is whom the flag is asked for, and the key comes behind it."""
    if value.kind == "name":
        plain = value.text.rpartition(".")[2]
        if (
            (words_of(plain)[1:][-1:] == ("id",) and not _is_id_of_one(plain))
            or plain.lower() in _ALL_OF_THEM
            or (
                words_of(plain)[1:][-1:] not in {("name",), ("key",)}
                and not _is_one_constant(plain)
                and (holders.is_set_of_flags(plain) or services.is_service(plain))
            )
        ):
            return True
        return pattern(_SUBJECTS).match(value.text) is not None
    return value.kind == "other" and re.match(r"\$?[\w.]+(?:<[^()]*>)?(?:\(|\s*\?\?)", value.text) is not None


def _is_id_of_one(name: str) -> bool:
    """Whether a constant is the id of an experiment or a flag, and not of whom it is asked for."""
    return name.isupper() and not {"experiment", "flag", "feature", "toggle"}.isdisjoint(words_of(name))


def _is_one_constant(name: str) -> bool:
    """Whether a constant stands for one flag, and not for all of them: NEW_UI_FEATURE_FLAG."""
    one = name.isupper() or (name[:1].isupper() and name.endswith(("FeatureFlag", "FeatureGate", "FeatureToggle")))
    return one and not name.endswith("S") and len(words_of(name)) > 3 - name.isupper()


def _keyish(value: Value, *, events: bool) -> Value | None:
    if value.kind == "name":
        return value
    fine = 1 < len(value.text) <= 120 and "\n" not in value.text if events else holders.is_key(value.text)
    return value if value.kind == "literal" and fine else None


def default_of(source: Source, given: Sequence[Argument], places: Sequence[dict[str, Any]]) -> str | None:
    """The source of the fallback value: where the shape says, by its keyword, or a plain literal behind the key."""
    for place in places:
        if "position" in place and _fits(source, given, place):
            plain = [each for each in given if each.keyword is None]
            if place["position"] < len(plain):
                return _shown(source, plain[int(place["position"])])
    for each in given:
        if each.keyword in _DEFAULT_WORDS:
            return _shown(source, each)
    if not places and len(given) > 1:
        last = _shown(source, given[-1])
        if last.lower() in {"true", "false", "null", "none", "nil"} and given[-1].keyword is None:
            return last
    return None


def _shown(source: Source, argument: Argument) -> str:
    return re.sub(r"\s+", " ", source.text[argument.start : argument.end])[:80]
