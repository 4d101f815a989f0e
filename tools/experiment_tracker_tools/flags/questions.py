"""Questions about flags in any words: what a name asks and whom; a key in plain sight must bear it out.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from experiment_tracker_tools.flags.names import is_about_rights, is_of_others, is_setter
from experiment_tracker_tools.flags.services import last_name
from experiment_tracker_tools.flags.words import PAIRS, Words, pair_at, singular, words_of

_NOUNS = frozenset("flag toggle feature experiment rollout gate switch".split())
_STATES = frozenset(
    (
        "enabled disabled active inactive on off available unavailable live launched released running allowed "
        "accessible open opened availability"
    ).split()
)
_ARMS = frozenset("arm variant variation group bucket treatment cohort assignment alternative branch".split())
_FILL = frozenset("is the are was now currently it still state status value key name config".split())
_ASIDE = frozenset("for by with of to in named from at as".split())
_ASKING = frozenset(
    (
        "is are has have get use check fetch read eval evaluate query lookup find resolve determine should can could "
        "select does if when unless while skip only assert ensure require requires expect ask was may must"
    ).split()
)
_WHOM = frozenset(
    (
        "user users org organization organisation account tenant team workspace company customer member site shop "
        "store project client server backend frontend my our current global app application beta any all "
        "experimental preview remote runtime local"
    ).split()
)
_KEEPERS = frozenset(
    (
        "self this config settings context ctx request req service manager provider viewer actor profile person "
        "instance"
    ).split()
)
_GUARDS = frozenset(
    "require requires required check guard guarded gate gated behind protected needs need must ensure only".split()
)
_DECORATES = _GUARDS | frozenset(
    "enabled enable on active if when unless skip use with by is conditional toggle flag flagged switch".split()
)
# Features and flags of these are their own: what stands before the noun, or does the asking.
_OTHERS = frozenset(
    (
        "plan product license device system platform node model dataset column dom package cargo polygon geometry "
        "region shape selected supported image icon css x86 arm64 opengl webgl gpu codec sensor hardware theme parser "
        "reader post page argument arg compile target protocol extension detected"
    ).split()
)
# What is bought, and what is driven: their features are no flags, unless feature flags are spoken of.
_PAID = frozenset(
    (
        "billing purchase purchases quota quotas tariff pricing premium licensing lic paywall editor telemetry tracing "
        "vehicle adapter wgpu"
    ).split()
)
_OWNERS = frozenset("plan device license camera gpu cpu codec sensor hardware vehicle browser view webview".split())
_WRITTEN = frozenset("create delete update save add remove set edit new country list toggle mutate".split())
# What is asked for a feature there is a command line's, a test's description, a page's element.
_STRANGERS = frozenset("click allure mark provider type option options args argv cmd page element screen".split())


@lru_cache(maxsize=50_000)
def asks_in_its_own_words(name: str) -> bool:
    """Whether a name asks for a flag, in whatever words.

    >>> [asks_in_its_own_words(name) for name in ("isFeatureAvailable", "in_rollout?", "getExperimentArm")]
    [True, True, True]
    >>> [asks_in_its_own_words(name) for name in ("getFeatureById", "hasFeature", "has_cpu_feature", "toggleOn")]
    [False, False, False, False]
    """
    words = words_of(name)
    at = next((at for at in range(len(words)) if _size(words, at)), None)
    writes = is_setter(name) and words[:2] != ("toggle", "is")
    if at is None or writes or is_about_rights(name) or not _is_of_the_trade(words):
        return False
    size = _size(words, at)
    before, noun, after = words[:at], words[at : at + size], _until_aside(words[at + size :])
    if not after:
        return _asks_whom(before, noun) or _requires(before, noun, words[at + size :])
    if not before and (noun in {("toggle",), ("switch",)} and after[0] != "is"):
        return False
    return _begins_a_question(before) and (
        _tells_a_state(noun, after)
        or _tells_an_arm(before, noun, after)
        or _is_a_hook(before, after)
        or (noun[1:] != () and not before and after in {("guard",), ("gate",), ("required",), ("check",)})
        or (before[:1] == ("in",) and noun in {("rollout",), ("experiment",)} and _ARMS.issuperset(after))
    )


def _begins_a_question(before: Words) -> bool:
    """Whether what stands before the noun asks, or says whom: isUser..., checkIfAnything..."""
    if before[:2] == ("check", "if"):
        return True
    return all(word in _ASKING or word in _WHOM or word in _FILL or word == "in" for word in before)


def _size(words: Words, at: int) -> int:
    pair = words[at : at + 2]
    if len(pair) == 2 and (pair[0], singular(pair[1])) in PAIRS:
        return 2
    return int(words[at] in _NOUNS)


def _is_of_the_trade(words: Words) -> bool:
    return _OTHERS.isdisjoint(words) and not is_of_others(tuple(word for word in words if word != "toggle"))


def _until_aside(words: Words) -> Words:
    cut = next((at for at, word in enumerate(words) if word in _ASIDE), len(words))
    found = words[:cut]
    return found[:-1] if found[-1:] in {("async",), ("sync",)} else found


def _tells_a_state(noun: Words, after: Words) -> bool:
    states = [word for word in after if word in _STATES]
    if not states or not all(word in _STATES or word in _FILL or word in _WHOM for word in after):
        return False
    # Gates and switches of other trades are open and on, too.
    return noun not in {("gate",), ("switch",)} or states[0] not in {"open", "opened", "on", "off", "available"}


def _tells_an_arm(before: Words, noun: Words, after: Words) -> bool:
    if after[0] not in _ARMS or not all(word in _ARMS or word in _FILL or word in _WHOM for word in after):
        return False
    if after[0] in {"branch", "group", "alternative"} and noun != ("experiment",) and noun[1:] != ("test",):
        return False
    return noun != ("switch",) and (noun != ("feature",) or bool(before))


def _is_a_hook(before: Words, after: Words) -> bool:
    return before == ("use",) and all(word in _FILL or word in {"flag", "gate", "toggle"} for word in after)


def _asks_whom(before: Words, noun: Words) -> bool:
    """userHasFeature, isInRollout, shouldUseFeature: whom or whether, and no state behind the noun."""
    if "in" in before[-2:]:
        return noun in {("rollout",), ("experiment",)} or noun[1:] == ("test",)
    if before[:1] == ("use",) and len(before) > 1:
        return noun[0] not in {"toggle", "switch", "gate"} and _WRITTEN.isdisjoint(before)
    if before[-1:] == ("has",) and len(before) > 1:
        whose = before[0] in _WHOM or before[:2] == ("check", "if")
        return whose and noun[0] in {"feature", "flag", "toggle", "experiment"}
    verbs = before[:1] in {("should",), ("can",), ("may",)} and before[1:] in {
        ("use",),
        ("see",),
        ("show",),
        ("access",),
    }
    return verbs and noun[0] in {"feature", "flag", "experiment"}


def _requires(before: Words, noun: Words, aside: Words) -> bool:
    """requireFeature, skipUnlessFlag; checkFlag too, where nothing else is said."""
    if not before or aside or noun[0] not in {"feature", "flag", "toggle", "experiment"}:
        return False
    return (
        before[-1] in {"require", "requires", "behind"}
        or (before == ("select",) and noun != ("feature",))
        or before in {("check",), ("skip", "unless"), ("skip", "if")}
    )


@lru_cache(maxsize=50_000)
def marks_with_a_flag(name: str) -> bool:
    """Whether a decorator, attribute or annotation of that name says that a flag decides.

    >>> [marks_with_a_flag(name) for name in ("RequiresFeature", "flag_required", "ConditionalOnFeature", "Feature")]
    [True, True, True, False]
    """
    words = words_of(name)
    at = next((at for at in range(len(words)) if _size(words, at) and words[at] not in {"switch"}), None)
    if at is None or is_about_rights(name) or not _is_of_the_trade(words) or words[0] in {"register", "define", "set"}:
        return False
    size = _size(words, at)
    others = (*words[:at], *words[at + size :])
    if size == 2:
        return all(word in _DECORATES or word in _ASKING or word in _FILL or word in _STATES for word in others)
    return bool(others) and all(word in _DECORATES or word in _STATES for word in others)


@lru_cache(maxsize=50_000)
def names_the_trade(name: str) -> bool:
    """Whether a name says feature flag, or toggle, in full: then it does not matter what is asked.

    >>> names_the_trade("isFeatureFlagOn"), names_the_trade("isFeatureOn")
    (True, False)
    """
    return pair_at(words_of(name)) is not None


@lru_cache(maxsize=50_000)
def is_bought_or_driven(receiver: str) -> bool:
    """Whether what is asked knows what was paid for, or what a thing can do, and speaks of no feature flags.

    >>> [is_bought_or_driven(name) for name in ("_licensing", "plan.features", "billingFeatureFlags", "this.features")]
    [True, True, False, False]
    """
    if not receiver or pair_at(words_of(last_name(receiver))) is not None:
        return False
    words = words_of(last_name(receiver))
    return is_about_rights(receiver) or not _PAID.isdisjoint(words) or _is_anothers(receiver, words)


def _is_anothers(receiver: str, last: Words) -> bool:
    """Whether plain features or flags are those of another trade's thing: adapter.features, vehicle.toggles()."""
    if singular("".join(last)) not in {"feature", "flag", "toggle", "switch", "getsetting", "setting"}:
        return False
    owners = [word for part in re.split(r"\W+", receiver)[:-1] for word in words_of(part)]
    return not _OWNERS.isdisjoint(owners) or not _PAID.isdisjoint(owners)


@lru_cache(maxsize=50_000)
def asks_what_a_thing_can(receiver: str, name: str) -> bool:
    """Whether a thing in a variable is asked what it can do: session.has_feature(...), but not user.has_feature(...).

    >>> [asks_what_a_thing_can(name, "has_feature") for name in ("session", "block.era()", "user", "flags", "Features")]
    [True, True, False, False, False]
    """
    words = words_of(last_name(receiver))
    if words_of(name) != ("has", "feature") or not words or not last_name(receiver)[:1].islower():
        return False
    return (
        _WHOM.isdisjoint(words) and _KEEPERS.isdisjoint(words) and not any(singular(word) in _NOUNS for word in words)
    )


@lru_cache(maxsize=50_000)
def is_elsewhere(receiver: str) -> bool:
    """Whether what is asked says that its features and flags are another trade's, or what was paid for.

    >>> is_elsewhere("this.license"), is_elsewhere("CpuInfo"), is_elsewhere("current_user")
    (True, True, False)
    """
    if not receiver:
        return False
    words = words_of(last_name(receiver))
    return is_bought_or_driven(receiver) or not _is_of_the_trade(words) or not _STRANGERS.isdisjoint(words)
