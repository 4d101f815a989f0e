"""What keeps flags, by its name, its type or its origin, and the plain verbs that ask it; a key in plain sight decides.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from experiment_tracker_tools.flags.names import is_about_rights, is_of_others, is_setter
from experiment_tracker_tools.flags.services import last_name
from experiment_tracker_tools.flags.words import Words, pair_at, singular, words_of

_NOUNS = frozenset("flag toggle feature experiment rollout gate switch xp exp ff fflag".split())
# Makers and keepers of flags in one word.
_KEEPERS = frozenset("flagger gatekeeper flagr flagkit flagsdk togglerouter experimenter featurizer".split())
_SINGLE = frozenset(
    (
        "flags toggles rollout rollouts gates experiments exps xp ff fflags features switches killswitches toggle "
        "featureflags"
    ).split()
)
_KINDS = frozenset(
    (
        "service client manager provider fetcher store helper checker repository evaluator api access resolver reader "
        "context state registry evaluation router engine keeper source backend adapter wrapper facade sdk kit lib "
        "library module proxy gateway hub system lookup guard core decider assigner flipper switcher toggler handler "
        "interface impl port instance singleton integration svc mgr repo runtime controller factory cache ref token "
        "set snapshot"
    ).split()
)
_STATES = frozenset(
    (
        "accessible enrolled bucketed enabled disabled active inactive on off available live allowed allows open "
        "running"
    ).split()
)
_TYPES = frozenset(
    (
        "bool boolean string str int integer int32 int64 number float double float64 json object value variation "
        "variant treatment details detail flag feature experiment toggle gate arm group bucket payload"
    ).split()
)
_ARMS = frozenset("variant variation arm group bucket treatment assign assignment cohort alternative".split())
_LEADING = frozenset("is are get has check evaluate eval read use fetch query resolve lookup".split())
_ASIDE = frozenset("for by of with or async sync to user default in key".split())
_BARE = frozenset("check evaluate allows can decide query resolve test".split())
# Words of writers that also ask: toggles.on("new-ui"), featureFlagProvider.provide(key).
_NO_SETTERS = frozenset([("on",), ("provide",)])
_WRITES = frozenset(
    (
        "save put insert post publish archive rename import export activate deactivate turn switch sync store find "
        "list all emit schedule notify invalidate evict track delete remove edit copy new id by mock then when verify"
    ).split()
)
_TRADES = ("license", "licence", "plan", "dom", "css", "cpu", "gpu", "browser", "device", "menu", "button", "cargo")


@lru_cache(maxsize=50_000)
def may_ask_a_keeper(name: str) -> bool:
    """Whether a method's name can ask what keeps flags.

    >>> [may_ask_a_keeper(name) for name in ("isOn", "allows", "getString", "assign", "push", "getName")]
    [True, True, True, True, False, False]
    """
    return _verb(words_of(name)) != "" and (not is_setter(name) or words_of(name) in _NO_SETTERS)


def _verb(words: Words) -> str:
    """What a method does: state, value, arm, bare (check), get; empty for anything else."""
    words = ("is", *words[2:]) if words[:2] == ("is", "in") and _ARMS.issuperset(words[2:]) else words
    cut = next((at for at, word in enumerate(words) if at and word in _ASIDE), len(words))
    words = words[:cut]
    if words in {("get",), ("has",), ("bool",)}:
        return words[0]
    if len(words) == 1 and words[0] in _BARE:
        return "bare"
    rest = words[1:] if words[:1] and words[0] in _LEADING and words[1:] else words
    if not rest:
        return ""
    if all(word in _STATES or word in {"feature", "flag", "toggle", "experiment", "is"} for word in rest):
        return "state" if not _STATES.isdisjoint(rest) else "get"
    if all(word in _ARMS for word in rest):
        return "arm"
    return "value" if all(word in _TYPES for word in rest) and len(rest) < 4 else ""


@lru_cache(maxsize=50_000)
def asks_a_keeper(receiver: str, name: str) -> bool:
    """Whether a method asks what keeps flags by its name.

    >>> asks_a_keeper("this.rollouts", "isActive"), asks_a_keeper("toggleRouter", "isOn"), asks_a_keeper("exps", "arm")
    (True, True, True)
    >>> asks_a_keeper("features", "get"), asks_a_keeper("featureMap", "has"), asks_a_keeper("toggleButton", "isOn")
    (False, False, False)
    """
    words = words_of(name)
    if not receiver or (is_setter(name) and words not in _NO_SETTERS) or is_about_rights(receiver):
        return False
    verb, last = _verb(words), last_name(receiver)
    if not verb and _keeps_only_flags(words_of(last)):
        return _WRITES.isdisjoint(words) and not name[:1].isupper()
    if not verb or any(word in last.lower() for word in _TRADES):
        return False
    strength = keeps_flags(last)
    if strength == 2:
        return verb not in {"get", "has"} or not _is_weak(words_of(last))
    return strength == 1 and _asks_plainly(verb, last)


def _asks_plainly(verb: str, last: str) -> bool:
    """Whether something called rollouts, or flags, is asked for what only those can tell."""
    about = singular("".join(words_of(last)[-1:]))
    if about in {"experiment", "exp", "xp"}:
        return verb in {"state", "arm"}
    return verb == "state" or (verb in {"bare", "arm"} and about not in {"feature", "flag", "switch"})


def _keeps_only_flags(words: Words) -> bool:
    """Whether what is asked is a service of feature flags, which gives nothing else, in whatever words."""
    return pair_at(words) is not None and words[-1] in {
        "service",
        "client",
        "provider",
        "manager",
        "evaluator",
        "resolver",
        "checker",
    }


def _is_weak(words: Words) -> bool:
    """Whether a keeper may give descriptions of things, and no values: of features, of experiments."""
    nouns = {singular(word) for word in words}
    return nouns.isdisjoint({"flag", "toggle", "ff", "fflag", "rollout", "gatekeeper", "flagger", "toggler"})


@lru_cache(maxsize=50_000)
def keeps_flags(name: str) -> int:
    """How surely a name is that of a keeper of flags: 2 by its kind, 1 by a plain noun, 0 not at all.

    >>> keeps_flags("IToggleRouter"), keeps_flags("rollouts"), keeps_flags("featureMap"), keeps_flags("RolloutClient")
    (2, 1, 0, 2)
    """
    words = words_of(name)
    if words[:1] in {("i",), ("my",), ("the",), ("default",), ("app",), ("our",), ("global",), ("current",)}:
        words = words[1:]
    if not words or is_of_others(tuple(word for word in words if word != "toggle")):
        return 0
    if words[-1] in _KEEPERS or "".join(words[-2:]) in _KEEPERS or words[-2:] in {("gate", "keeper")}:
        return 2
    if pair_at(words) == len(words) - 2:
        return 2
    return 2 if _keeps_by_its_kind(words) else int(len(words) == 1 and words[0] in _SINGLE)


def _keeps_by_its_kind(words: Words) -> bool:
    """Whether a name ends in a noun of the trade and a kind of keeper: a client of flags, a router of toggles."""
    kinds = next((at for at in range(len(words), 0, -1) if singular(words[at - 1]) not in _KINDS), 0)
    noun = singular(words[kinds - 1]) if kinds else ""
    if not words[kinds:]:
        return False
    if noun not in _NOUNS:
        return words[max(0, kinds - 2) : kinds] in {("ab", "test"), ("ab", "testing")}
    if kinds > 1 and words[kinds - 2] in {"feature", "kill", "flag", "ab"}:
        return True
    # A switch, a gate and a feature are of many trades, and so is what handles or makes them.
    of_many = noun in {"switch", "feature"} and (kinds > 1 or words[-1] in {"cache", "store"})
    if words[-1] == "set" and noun != "feature":
        return False
    return noun != "gate" and not of_many and words[-1] not in {"controller", "factory", "handler"}


@lru_cache(maxsize=10_000)
def may_be_home(module: str) -> bool:
    """Whether a module's or package's name says flags, in whatever words.

    >>> [may_be_home(name) for name in ("@northwind/flag-sdk", "acme_flags", "github.com/spf13/pflag", "absl.flags")]
    [True, True, False, False]
    """
    words = [word for part in re.split(r"[^A-Za-z0-9]+", module) for word in words_of(part)]
    plain = [singular(word) for word in words]
    if not plain or module in {"flag", "absl.flags", "@oclif/core", "flags"} or module.endswith("/go-flags"):
        return False
    sure = {"flag", "toggle", "rollout", "experimentation", "flagkit", "gatekeeper"}
    return not sure.isdisjoint(plain) or pair_at(tuple(plain)) is not None


def without_verb(name: str) -> str:
    """What a function gives, by its name.

    >>> without_verb("getFeatureStore"), without_verb("use_flags"), without_verb("FlagStore")
    ('FeatureStore', 'flags', 'FlagStore')
    """
    found = re.match(r"(?:get|use|inject|make|create|new|build)_?(?=[A-Z]|(?<=_)[a-z])", name)
    return name[found.end() :] if found is not None else name
