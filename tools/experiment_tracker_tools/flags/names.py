"""Names of functions that say what they do: ask for a flag, write one, send an event.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from experiment_tracker_tools.flags.words import Words, singular, words_of

_VERBS = frozenset(
    "is has get use check fetch with when if require evaluate eval read query show can should does are".split()
)
# Whose flag, or of what type.
_QUALIFIERS = frozenset(
    (
        "all any boolean bool string int number json variant user my posthog statsig unleash ld launch darkly backend "
        "frontend client server org account tenant team workspace global use experimental beta preview remote runtime "
        "developer"
    ).split()
)
_ASKING = _VERBS | _QUALIFIERS | frozenset("assert ensure guard throw raise abort skip unless".split())
_NOUNS = frozenset("flag toggle gate experiment feature".split())
_COMPOUNDS = frozenset(
    [
        *(("feature", kind) for kind in ("flag", "toggle", "switch", "gate")),
        *(("kill", "switch"), ("ab", "test"), ("ab", "tests")),
    ]
)
_STATES = frozenset("enabled disabled active inactive on off set".split())
_TAILS = _STATES | frozenset(
    (
        "flag toggle gate switch variant variation value is user the treatment payload state config and fallback "
        "unauthenticated in boolean string bool query"
    ).split()
)
# After one of these a name says whom, where or by what, in any words.
_ASIDE = frozenset("for by".split())
# What a question about one of these alone means: a widget, a door, a setting.
_WEAK_TAILS = (
    (),
    ("value",),
    ("state",),
    ("is",),
    ("the",),
    ("config",),
    ("query",),
    ("set",),
    ("string",),
    ("boolean",),
)
_SETTERS = frozenset(
    (
        "set mock enable disable override register define create add remove delete update toggle init load reset clear "
        "stub refresh subscribe on off log track report parse to from make build configure setup provide format list"
    ).split()
)
_RIGHTS = ("license", "licence", "entitle", "permission", "subscription", "billing", "capabilit", "privilege")
# What is bought: strapi.ee.features.isEnabled(...).
_EDITION = r"(?:^|[.>:])(?:ee|enterprise|edition|paywall)(?:\(\))?[.>:-]"
# Words before a question about a flag that say it is another trade's.
_OTHERS = frozenset(
    (
        "compiler cli cmd command bit open file css cpu gpu sse geo map layer style build window mount tcp driver "
        "kernel log logging plan tier virtio sort debug country locale hardware browser toggle"
    ).split()
)
_TYPES = frozenset((kind,) for kind in "bool boolean string str int json number float float64 double".split())
_STRONG_PAIRS = frozenset(
    [
        *((noun, state) for noun in ("flag", "feature", "experiment") for state in ("enabled", "active", "on")),
        *((kind, "variation") for kind in "bool boolean string str int json number float float64 double raw".split()),
        *(("toggle", "enabled"), ("toggle", "active"), ("toggle", "on"), ("flag", "set")),
        *(("evaluate", "boolean"), ("evaluate", "variant"), ("feature", "variable"), ("check", "gate")),
        *(("gate", "value"), ("ab", "test"), *_COMPOUNDS),
    ]
)
_EXPOSES = (
    r"(?i)exposure|impression|\$feature_flag_called|experiment_?(?:viewed|started|shown|entered|assigned)|"
    r"(?:log|track)_?(?:assignment|experiment)"
)


@lru_cache(maxsize=50_000)
def asks_for_a_flag(name: str) -> bool:
    """Whether a function's name says that it reads a flag.

    >>> [asks_for_a_flag(name) for name in ("isFeatureEnabled", "flag_set", "has_feature_flag?", "toggle", "getFlags")]
    [True, True, True, False, False]
    """
    if name.rstrip("?!").endswith(("lags", "LAGS")) or is_setter(name) or is_about_rights(name):
        return False
    words = words_of(name)
    words = words[1:] if words[:1] in {("unsafe",), ("unstable",), ("try",)} else words
    if name.endswith("?") and len(words) == 1 and singular(words[0]) in {"feature", "experiment"}:
        return True
    if name.endswith("?") and words in _COMPOUNDS:
        return True
    at = 1 if words and words[0] in _VERBS else 0
    while at + 1 < len(words) and words[at] in _QUALIFIERS:
        at += 1
    size = _noun_at(words, at)
    return size > 0 and _asks(words[:at], words[at : at + size], words[at + size :])


def _noun_at(words: Words, at: int) -> int:
    """How many words the noun of the trade has that begins here; 0 where none does."""
    pair = words[at : at + 2]
    if len(pair) == 2 and (pair[0], singular(pair[1])) in _COMPOUNDS:
        return 2
    return int(at < len(words) and (words[at] in _NOUNS or singular(words[at]) in _NOUNS))


def _asks(before: Words, noun: Words, after: Words) -> bool:
    tail = next((after[:at] for at, word in enumerate(after) if word in _ASIDE), after)
    tail = tail[:-1] if tail[-1:] in {("async",), ("sync",)} else tail
    tail = ("enabled",) if tail == ("enable",) and before[:1] == ("is",) else tail
    if not all(word in _TAILS for word in tail) or (noun == ("toggle",) and not before):
        return False
    verb, word = "".join(before[:1]), "".join(noun[:1])
    if noun[1:]:
        return bool(verb or tail or noun[1:] == ("test",) or noun[1:] == ("switch",))
    if verb in {"get", "fetch", "read", "query"} and word != singular(word):
        return False
    if word in {"toggle", "gate"} and verb in {"is", "has"} and tail in {("on",), ("off",), ("active",)}:
        return False
    if tail in _WEAK_TAILS and len(before) < 2:
        return not verb and tail == ("set",) and noun == ("flag",)
    return True


@lru_cache(maxsize=50_000)
def evaluates(name: str) -> bool:
    """Whether a name says that something is worked out for somebody; a key in plain sight must bear it out.

    >>> [evaluates(name) for name in ("evaluateFlag", "isInExperiment", "boolVariation", "getFlag", "variation")]
    [True, True, True, False, False]
    """
    words = words_of(name)
    if words[:1] in {("evaluate",), ("eval",)}:
        return words[1:] in {("flag",), ("feature",), ("experiment",), ("feature", "flag"), ("toggle",)}
    if words[-1:] == ("variation",):
        return words[:-1] in _TYPES
    return words[-2:] == ("in", "experiment") and not is_setter(name)


@lru_cache(maxsize=50_000)
def asks_within(name: str) -> bool:
    """Whether a longer name has the question in it; a key that stands there in plain sight must bear it out.

    >>> [asks_within(name) for name in ("adminIsFeatureEnabledForCity", "throwIfFlagDisabled", "orgHasFeatureFlag")]
    [True, True, True]
    """
    words = words_of(name)
    if len(words) < 3 or is_setter(name) or is_about_rights(name) or is_of_others(words):
        return False
    for at in range(len(words) - 1):
        size = _noun_at(words, at)
        if size == 2 and at > 0 and words[at - 1] == "has" and words[at + 1 :] == (singular(words[at + 1]),):
            return True
        # The feature of a named thing is that thing's: is_printer_feature_active.
        plain = size == 1 and words[at] == "feature" and at > 0 and words[at - 1] not in _ASKING
        state = words[at + size :][1 if words[at + size : at + size + 1] == ("is",) else 0 :][:1]
        if size and state and state[0] in _STATES:
            return state[0] != "set" and not plain and words[at] != "gate"
    return False


@lru_cache(maxsize=50_000)
def acts_where_on(name: str) -> bool:
    """Whether a function does something only where what it is given is on.

    >>> acts_where_on("addIfEnabled"), acts_where_on("run_when_active"), acts_where_on("isEnabled")
    (True, True, False)
    """
    words = words_of(name)
    return len(words) > 2 and words[-2] in {"if", "when", "unless", "where"} and words[-1] in _STATES


def is_of_others(words: Words) -> bool:
    """Whether a name says that its flags and features are another trade's."""
    return not _OTHERS.isdisjoint(words)


@lru_cache(maxsize=50_000)
def is_self_evident(name: str) -> bool:
    """Whether a name can hardly mean anything but a flag.

    >>> [is_self_evident(name) for name in ("boolVariation", "getTreatment", "getConfig", "variation")]
    [True, True, False, False]
    """
    words = words_of(name)
    if words[-1:] == ("assignment",) or not {"treatment", "treatments", "waffle"}.isdisjoint(words):
        return True
    if words == ("switch", "is", "active"):
        return True
    plain = [singular(word) for word in words if word != "is"]
    return any((word, plain[at]) in _STRONG_PAIRS for at, word in enumerate(plain[:-1], 1))


@lru_cache(maxsize=50_000)
def is_setter(name: str) -> bool:
    """Whether a name says that it writes, registers or mocks.

    >>> [is_setter(name) for name in ("setFeatureFlag", "enable_feature", "settings", "isOn")]
    [True, True, False, False]
    """
    words = words_of(name)
    if name.endswith("?") or not words:
        return False
    return words[0] in _SETTERS or words[:2] in {("get", "all"), ("with", "provider")}


@lru_cache(maxsize=50_000)
def is_about_rights(name: str) -> bool:
    """Whether a name speaks of what was paid for or allowed: a gate, but no experiment's."""
    lowered = name.lower()
    return any(word in lowered for word in _RIGHTS) or re.search(_EDITION, lowered) is not None


@lru_cache(maxsize=50_000)
def is_about_flags(name: str) -> bool:
    """Whether a name has a word of the trade in it.

    >>> is_about_flags("featureOn"), is_about_flags("check")
    (True, False)
    """
    words = words_of(name)
    found = "".join(words)
    return (
        any(word in found for word in ("flag", "toggle", "experiment", "feature", "variant", "variation", "treatment"))
        or "abtest" in found
        or "ff" in words
        or any(word.endswith("gate") for word in words)
    )


@lru_cache(maxsize=50_000)
def sends_an_event(name: str) -> bool:
    """Whether a function's name says that it sends an analytics event.

    >>> [sends_an_event(name) for name in ("track", "logEvent", "captureServerEvent", "trackEvent", "preventEvent")]
    [True, True, True, True, False]
    """
    words = words_of(name)
    first, second, last = "".join(words[:1]), "".join(words[1:2]), "".join(words[-1:])
    if len(words) > 7 or name[:1].isupper():
        return False
    if first == "track":
        return second in {"", "event", "events", "analytics"}
    if first in {"log", "push", "record"}:
        return words[1:] == ("event",)
    if first in {"send", "capture", "emit"}:
        return last == "event" or second == "analytics"
    return words[:2] == ("analytics", "track")


@lru_cache(maxsize=50_000)
def is_exposure(name: str) -> bool:
    """Whether a call or event says that a unit met its variant.

    >>> [is_exposure(name) for name in ("logExposure", "$feature_flag_called", "Checkout Completed")]
    [True, True, False]
    """
    return re.search(_EXPOSES, name) is not None
