"""Names of what is asked: flag services, the methods that ask them, and receivers of other trades.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from experiment_tracker_tools.flags.names import is_about_rights, is_of_others, is_setter
from experiment_tracker_tools.flags.words import Words, singular, words_of

_SEPARATORS = ("?.", "->", "::", ".", ">", ":", "\\")
_KINDS = frozenset(
    (
        "service client manager provider fetcher store helper checker repository evaluator gate api config "
        "configuration access resolver reader util context state registry evaluation"
    ).split()
)
_LEADS = frozenset("i my the app application global default current this".split())
_COMPOUND_KINDS = frozenset("flag toggle switch gate flipper management".split())
_PRODUCTS = frozenset(
    (
        "flipper unleash posthog launchdarkly growthbook statsig waffle pennant togglz flagsmith configcat openfeature "
        "ff4j fflag fflags funwithflags ffclient gofeatureflag prefab reforge bucketeer hypertune featbit featurehub "
        "featureprobe flagd flagr kameleoon tggl izanami esquio gargoyle unlaunch devcycle"
    ).split()
)
_WEAK = frozenset(
    (
        "feature features flag flags toggle toggles experiment experiments gates switches rollout killswitch "
        "killswitches labs"
    ).split()
)
# What command lines and screens keep their own flags in.
_OTHER_FLAGS = frozenset("option options opts args argv arguments parser cli controller command cmd".split())
_FIRST = frozenset("is has get check use read eval evaluate fetch require resolve when if any should".split())
_CORE = frozenset(
    (
        "enabled disabled active inactive on off feature flag toggle variant variation value treatment boolean string "
        "int bool allowed available details"
    ).split()
)
_BETWEEN = _CORE | frozenset("backend integer number double float json object all any not user".split())
_LAST = frozenset("flag variation value enabled active on default state details async sync context".split())
_STATES = frozenset("enabled disabled active inactive on off".split())
_NOT_ASKS = frozenset(
    "set get value on off any all object string int is details number json integer double float".split()
)
# Receivers of typed getters that other trades have too: stores, tables, forms, maps, widgets.
_ANOTHER_TRADE = tuple(
    (
        "prefs preferences storage cache cursor resultset result_set cookies session request form settings "
        "properties bundle intent leaflet mapbox document element locator editor button view"
    ).split()
)
_ANOTHER_TRADES = frozenset(
    "rs row record param params query json node tree map page input layer dom window props env config".split()
)
# How a service is obtained: what stands before it is its name.
_OBTAINED = (
    r"(?:\.|::|->)(?:[fF]rom_?[cC]ontext|[gG]et_?[iI]nstance|instance|shared|default|current|new|for_?[uU]ser|for|"
    r"with_?[cC]ontext|"
    r"future|experimental|preview|[gG]et(?:Client)?)(?:\([^()]*\))?$"
)
_OBTAINERS = (
    "uture",
    "xperimental",
    "review",
    "ontext",
    "nstance",
    "shared",
    "default",
    "current",
    "new",
    "ser",
    "for",
    "et",
    "Client",
    ")",
)


@lru_cache(maxsize=50_000)
def may_ask_a_service(name: str) -> bool:
    """Whether a method's name can ask a flag service; the receiver decides.

    >>> may_ask_a_service("isEnabled"), may_ask_a_service("append"), may_ask_a_service("get_bool_value")
    (True, False, True)
    """
    words = words_of(name)
    if words in {("evaluate",), ("is", "set")} or _asks_a_state(words):
        return True
    at = 1 if words and words[0] in _FIRST else 0
    tail = next((at_ for at_, word in enumerate(words) if at_ > at and word in {"for", "by", "or"}), len(words))
    asked = words[at:tail]
    state = next((at_ for at_, word in enumerate(asked) if word in _STATES), 0)
    # Where a state stands, what comes behind it says where, or how: isEnabledGlobally, isFeatureEnabledFlow.
    asked = asked[: state + 1] if state else asked[:1] if asked[:1] and asked[0] in _STATES else asked
    if not asked or asked[0] not in _BETWEEN or all(word not in _CORE for word in asked):
        return False
    return all(word in _BETWEEN or word in _LAST for word in asked[:2]) and all(word in _LAST for word in asked[2:])


def _asks_a_state(words: Words) -> bool:
    """is_..._enabled, whatever stands between."""
    return len(words) > 1 and words[0] in {"is", "are", "has"} and words[-1] in {"enabled", "disabled", "active"}


@lru_cache(maxsize=50_000)
def asks_plainly(name: str) -> bool:
    """Whether a method's name asks whether something is on, and nothing else.

    >>> asks_plainly("is_enabled"), asks_plainly("get_feature"), asks_plainly("enabledForUser")
    (True, False, True)
    """
    words = words_of(name)
    states = [at for at, word in enumerate(words) if word in _STATES]
    if not states or any(word not in {"is", "are", "any", "feature", "flag", "toggle"} for word in words[: states[0]]):
        return False
    after = words[states[0] + 1 :]
    return len(after) < 2 or after[0] in {"for", "by", "in", "or", "with", "from"}


def gets_a_variant(name: str) -> bool:
    """Whether a method gives the variant of something.

    >>> gets_a_variant("getVariant"), gets_a_variant("getValue")
    (True, False)
    """
    return words_of(name)[:2] in {("get", "variant"), ("get", "variation"), ("get", "treatment")}


@lru_cache(maxsize=50_000)
def is_service(receiver: str) -> bool:
    """Whether an expression's name says that it is a flag service.

    >>> is_service("FeatureFlagService.new"), is_service("this._flagResolver"), is_service("compiler")
    (True, True, False)
    """
    return _is_service(obtained(receiver)) and not is_about_rights(receiver)


@lru_cache(maxsize=50_000)
def asks_a_service(receiver: str, name: str) -> bool:
    """Whether a method asks something whose name says that it is a flag service.

    >>> asks_a_service("this.featureFlagService", "isEnabled"), asks_a_service("Feature", "enabled?")
    (True, True)
    >>> asks_a_service("this._labs", "isSet"), asks_a_service("args", "isSet")
    (True, False)
    >>> asks_a_service("RemoteConfig", "isEnabled"), asks_a_service("RemoteConfig", "getString")
    (True, False)
    >>> asks_a_service("button", "isEnabled"), asks_a_service("features", "get"), asks_a_service("flags", "string")
    (False, False, False)
    """
    if not receiver or not may_ask_a_service(name) or is_setter(name) or is_about_rights(receiver):
        return False
    receiver, words = obtained(receiver), words_of(name)
    last = last_name(receiver)
    if words == ("is", "set"):
        return last.lower().startswith("labs")
    if _is_service(receiver) or (_keeps_features(last) and (asks_plainly(name) or _asks_a_state(words))):
        return bool(words[1:]) or _NOT_ASKS.isdisjoint(words)
    afar = _is_set_from_afar(words_of(last))
    last = last.lower()
    plain = last.rpartition("_")[2]
    if words == ("evaluate",):
        return plain in {"flag", "flags", "toggle", "toggles"}
    if gets_a_variant(name):
        return singular(plain) in {"experiment", "abtest"} or last.endswith(("ab_test", "ab_tests"))
    return (afar or plain in _WEAK) and asks_plainly(name)


def _is_set_from_afar(words: Words) -> bool:
    """Whether what is asked is a configuration that is changed while the program runs, or a service of one."""
    kept = words[:-1] if words[-1:] in {("service",), ("client",), ("provider",), ("manager",)} else words
    return kept[-2:] in {("remote", "config"), ("dynamic", "config"), ("dynamic", "configuration")}


def _keeps_features(name: str) -> bool:
    """Whether a service keeps features of something; asked whether one is on, it is asked for a flag."""
    words = words_of(name)
    return words[-2:-1] in {("feature",), ("features",)} and words[-1] in _KINDS and not is_of_others(words)


def obtained(receiver: str) -> str:
    """What stands in front of what only gets it: FlagService of FlagService.getInstance()."""
    return re.sub(_OBTAINED, "", receiver) if receiver.endswith(_OBTAINERS) else receiver


def last_name(receiver: str) -> str:
    """The last name of an expression."""
    name = receiver[:-2] if receiver.endswith("()") else receiver
    for sign in _SEPARATORS:
        name = name.rpartition(sign)[2]
    return name.lstrip("_$@")


def _is_service(receiver: str) -> bool:
    name = last_name(receiver)
    words = words_of(name)
    for at, word in enumerate(words):
        if word == "feature" and singular(words[at + 1] if at + 1 < len(words) else "") in _COMPOUND_KINDS:
            return True
        if _is_noun(words, at) and at + 2 == len(words) and singular(words[-1]) in _KINDS:
            return singular(word) != "feature" or _begins(name, words, at)
        if words[at : at + 2] in {("ab", "test"), ("ab", "tests"), ("ab", "testing")} and words[at + 2 :]:
            return singular(words[at + 2]) in _KINDS
    snake = name.lower().rpartition("_")[2]
    rest = words if _LEADS.isdisjoint(words[:1]) else words[1:]
    return "".join(rest) in _PRODUCTS or snake in _PRODUCTS


def _is_noun(words: Words, at: int) -> bool:
    return words[at] == "ff" or singular(words[at]) in {"flag", "toggle", "feature", "experiment"}


def _begins(name: str, words: Words, at: int) -> bool:
    return at == 0 or words[at - 1] in _LEADS or "_" in name


@lru_cache(maxsize=50_000)
def keeps_other_flags(receiver: str) -> bool:
    """Whether a receiver's flags are those of a command line or a screen.

    >>> keeps_other_flags("this.options"), keeps_other_flags("Config")
    (True, False)
    """
    return last_name(receiver).lower().rpartition("_")[2] in _OTHER_FLAGS


@lru_cache(maxsize=50_000)
def is_of_another_trade(receiver: str) -> bool:
    """Whether a receiver is something else's than a vendor's client, whatever its methods are called.

    >>> [is_of_another_trade(name) for name in ("sharedPreferences", "map", "client", "")]
    [True, True, False, False]
    """
    return receiver.lower() in _ANOTHER_TRADES or last_name(receiver).lower().endswith(_ANOTHER_TRADE)
