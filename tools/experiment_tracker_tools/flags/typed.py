"""Keys that say themselves that they are flags': a constant's class, a type in brackets, the key's own words.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Iterator

from experiment_tracker_tools.flags import holders, keepers, names, questions, services
from experiment_tracker_tools.flags.arguments import Value
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.sighting import Call, Sighting, Span
from experiment_tracker_tools.flags.words import pair_at, singular, words_of

_STATES = frozenset(
    "enabled disabled active inactive on off available unavailable allowed live released launched running".split()
)
_ASKING = frozenset("is are has have should can check evaluate eval use get resolve when if unless test query".split())
_ARMS = frozenset("bucket variant variation treatment assignment".split())
_NOUNS = frozenset("flag toggle experiment".split())
# Masks of bits are asked in these words.
_OF_BITS = frozenset([("has", "flag"), ("has", "flags"), ("is", "set"), ("is", "flag", "set"), ("has",), ("test",)])
_OF_PLACES = frozenset(
    [
        ("get", "boolean"),
        ("get", "bool"),
        ("get",),
        ("has",),
        ("test",),
        ("can",),
        ("use",),
        ("check",),
        ("query",),
        ("resolve",),
    ]
)
_TRADES = frozenset(
    (
        "mapper serialization deserialization json xml yaml csv sql parser generator reader writer read write stream "
        "codec schema dialect node type symbol token access method field modifier class member file open mmap socket "
        "permission device package camera cpu browser layer map geo road vehicle mail message http request response "
        "header render draw view window paint text font style layout mouse event signal thread process memory "
        "page buffer texture shader pipeline bit status test language platform system compile compiler link build"
    ).split()
)
_TYPE = r"(?<![\w$])([A-Za-z_]\w*)(?:::)?<\s*([A-Z]\w*(?:Flag|Feature|Toggle|Experiment))(?:\s*,[^<>()]*)?\s*>\("
_LINK = r"(?:\?\.|!?\.|->|::)"
_OBJECT = (
    rf"(?<![\w$.:>])([A-Za-z_]\w*){_LINK}([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+){_LINK}"
    r"((?:is_?)?(?:[eE]nabled|[aA]ctive|[oO]n|required|[dD]isabled)(?:_\w+|[A-Z]\w*)?|"
    r"bucket|variant|variation|treatment|assignment)[?]?\s*(\()"
)
# Without one of these there is nothing to look at.
_TYPES = ("Flag>", "Feature>", "Toggle>", "Experiment>", "Flag,", "Feature,", "Toggle,", "Experiment,")
_OBJECTS = (
    "lags.",
    "oggles.",
    "eatures.",
    "lag.",
    "xperiments.",
    "oggle.",
    "lags:",
    "eature.",
    "lags-",
    "eatures:",
    "ests.",
    "ests:",
    "xperiments:",
)
_PREDICATE = rf"(?<![\w$])([A-Z]\w*){_LINK}([a-z]\w*_\w+\?)(?!\s*\(?\s*[:\"'])"
_SAYS = (
    r"(?:feature|ff|flag|toggle|experiment)[_.:\-]\w*[A-Za-z]\w*[\w.:\-]*$|"
    r"[\w\-]+[_\-](?:feature[_\-]?flag|experiment)$"
)


_PATH = r"(?:features?|feature[_-]?flags?|toggles?|experiments?)\.[\w\-]+(?:\.(?:enabled|active|on))?$"
_OF_PATHS = frozenset("getBoolean getProperty GetBool getBool get_bool get_boolean".split())


@lru_cache(maxsize=50_000)
def says_flag(name: str) -> bool:
    """Whether a constant says that it stands for a flag: by its class, or by itself.

    >>> [says_flag(name) for name in ("AdminFlagValue.READ_ONLY", "Feature.LAZY_CLONE", "FlagSideNotes")]
    [True, True, True]
    >>> [says_flag(name) for name in ("Permission.EDIT", "JsonReadFeature.ALLOW", "OpenFlags.APPEND", "X")]
    [False, False, False, False]
    """
    parts = [part for part in re.split(r"\.|::|->", name) if part]
    if parts[1:] and parts[-1] in {"name", "key", "id", "value", "slug", "flag"} and parts[-2].isupper():
        parts = parts[:-1]
    last, container = parts[-1] if parts else "", parts[-2] if parts[1:] else ""
    if not last[:1].isupper() or last.endswith(("_FLAGS", "_FEATURES")):
        return bool(container[:1].isupper() and last[:1].islower() and is_class_of_flags(container))
    if holders.is_key_constant(last) and (not last.isupper() or "_" in last) and _TRADES.isdisjoint(words_of(last)):
        return True
    return is_class_of_flags(container) and not (parts[2:] and parts[-3][:1].isupper() and container == "Feature")


def is_class_of_flags(name: str) -> bool:
    """Whether the name of a class or module says that its members are flags, or that it is asked for them.

    >>> [is_class_of_flags(name) for name in ("ExperimentalFeature", "BetaToggle", "JsonReadFeature", "Colors")]
    [True, True, False, False]
    """
    words = words_of(name)
    if not words or is_of_other_trades(name):
        return False
    if pair_at(words) is not None:
        return True
    plain = [
        singular(word) for word in words if word not in {"key", "keys", "name", "names", "code", "value", "values"}
    ]
    if not plain:
        return False
    plain = plain[:-1] if plain[-2:] == ["feature", "list"] else plain
    return (
        plain[-1] in {"toggle", "experiment", "feature"}
        or (plain[-1] == "flag" and (len(plain) == 1 or len(words) > len(plain) or not words[-1].endswith("s")))
        or words[0] in {"featuremgmt", "flagkeys"}
    )


def is_of_other_trades(name: str) -> bool:
    """Whether the name of a class says that its flags and features are those of parsers, devices, screens and such.

    >>> is_of_other_trades("DeserializationFeature"), is_of_other_trades("CpuFlags"), is_of_other_trades("SiteFeature")
    (True, True, False)
    """
    return holders.is_of_another_trade(name) or not _TRADES.isdisjoint(words_of(name))


def asks_for_what_says_flag(call: Call, key: Value | None) -> bool:
    """Whether a question that could be anybody's is asked with a constant of flags, or with a key that says so."""
    writes = not makes_a_guard(call.name) and names.is_setter(call.name) and not names.acts_where_on(call.name)
    if key is None or writes or questions.is_elsewhere(call.receiver):
        return False
    if key.text.startswith(f"{call.receiver}.Feature.") or questions.asks_what_a_thing_can(call.receiver, call.name):
        return False
    if key.kind == "literal":
        return call.receiver != "" and _says_by_itself(call, key.text)
    last = key.text.rpartition(".")[2]
    says = says_flag(key.text) or (holders.is_key_constant(last) and last.isupper() and "flag" in words_of(call.name))
    return key.kind == "name" and says and (makes_a_guard(call.name) or _may_ask(call.name))


def _says_by_itself(call: Call, key: str) -> bool:
    """Whether a text is a path to a flag, or begins as flags do, where such are asked for."""
    if re.match(_PATH, key) and call.name in _OF_PATHS:
        return True
    other = services.is_of_another_trade(call.receiver)
    return not other and _asks_a_place(call.name) and re.match(_SAYS, key) is not None


@lru_cache(maxsize=50_000)
def makes_a_guard(name: str) -> bool:
    """Whether a function makes what lets through only where a flag is on.

    >>> makes_a_guard("create_feature_guard"), makes_a_guard("make_gate")
    (True, False)
    """
    words = words_of(name)
    return words[-1:] in {("guard",), ("gate",)} and not {"feature", "flag"}.isdisjoint(words)


def _asks_a_place(name: str) -> bool:
    return words_of(name) in {("get", "value"), ("get", "boolean"), ("get", "bool"), ("is", "enabled"), ("is", "on")}


@lru_cache(maxsize=50_000)
def _may_ask(name: str) -> bool:
    words = words_of(name)
    if not words or words in _OF_BITS or not _TRADES.isdisjoint(words):
        return False
    if not _STATES.isdisjoint(words):
        return True
    words = words[:-1] if words[-1] == "value" else words
    # featureFlag(Flags.NEW_UI) asks, FeatureFlag(...) makes one.
    return (pair_at(words) == 0 == len(words) - 2 and not name[:1].isupper()) or (
        words[0] in _ASKING and (words in _OF_PLACES or singular(words[-1]) in {"feature", "flag", "toggle", "variant"})
    )


def typed(source: Source, inside: Span) -> Iterator[Sighting]:
    """Flags that are types, objects and predicates: has_flag::<NewUi>(), toggles.NEW_UI.enabled(domain)."""
    code, text = source.code, source.code[slice(*inside)]
    for match in pattern(_TYPE).finditer(code, *inside) if any(word in text for word in _TYPES) else ():
        if not names.is_setter(match.group(1)) and _may_ask_of_type(match.group(1)):
            yield Sighting(match.start(), match.end(), "call", match.group(1), match.group(2))
    for match in pattern(_OBJECT).finditer(code, *inside) if _may_hold_objects(text) else ():
        holder, constant, asked = match.group(1), match.group(2), match.group(3)
        about = _holds_tests(holder) if asked in _ARMS else asked not in {"enable", "disable"} and _holds(holder)
        if about:
            yield Sighting(match.start(), match.end(2), "member", holder, None, f"{holder}.{constant}")
    if "?" in text and source.language in {"rb", "template"}:
        for match in pattern(_PREDICATE).finditer(code, *inside):
            if _decides(match.group(1)) and match.group(2) not in {"respond_to?", "is_a?", "has_key?", "kind_of?"}:
                yield Sighting(match.start(), match.end(), "member", match.group(1), match.group(2))


def _may_hold_objects(text: str) -> bool:
    return any(word in text for word in _OBJECTS) and pattern(r"[A-Z]_[A-Z]").search(text) is not None


def _may_ask_of_type(name: str) -> bool:
    words = words_of(name)
    return not _STATES.isdisjoint(words) or words[:2] in {
        ("has", "flag"),
        ("has", "feature"),
        ("flag",),
        ("has",),
        ("observe", "flag"),
        ("watch", "flag"),
    }


def _holds(name: str) -> bool:
    if name in {"toggles", "flags", "features", "experiments"} or holders.is_set_of_flags(name):
        return True
    return name[:1].isupper() and (is_class_of_flags(name) or keepers.keeps_flags(name) > 0)


def _holds_tests(name: str) -> bool:
    return singular(name.lower().replace("_", "")) in {"abtest", "experiment"}


def _decides(name: str) -> bool:
    words = words_of(name)
    about = bool(words) and words[0] in {"feature", "features", "toggles", "flags", "toggle", "flag"}
    return about and (
        len(words) == 1 or words[-1] in {"decisions", "flags", "toggles", "settings", "config", "service"}
    )
