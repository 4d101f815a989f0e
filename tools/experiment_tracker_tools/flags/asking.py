"""Whether a call asks for a flag in words that nobody listed, or in one word by where it stands.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re

from experiment_tracker_tools.flags import names, questions, services, typed
from experiment_tracker_tools.flags.configured import stands_in_a_condition
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.places import first_key, is_in_plain_sight
from experiment_tracker_tools.flags.sighting import Call
from experiment_tracker_tools.flags.trades import WHO_PAYS
from experiment_tracker_tools.flags.words import words_of

_TAKES_A_STATE = r"\{[^{}]*\b(?:enabled|isEnabled|isOn|active|isActive|loading)\b[^{}]*\}\s*=\s*$"
_QUESTION = r"(?:is|has|check|get)?_?(?:[gG]ate|[fF]lag|[fF]eature|[eE]xperiment|[vV]ariant|[oO]n)"
_SEVERAL_WORDS = r"\w[/_.\-:]\w|[a-z][A-Z]"
_VALUES = frozenset("getValue getBoolean getNumber getString".split())
_SOMEBODY = frozenset("request req user current_user currentUser account org organization team tenant project".split())
# What is asked of a plan, or a role, as well.
_REQUIRES = frozenset("require requires required has needs guard check with".split())
_OF_EXPERIMENTS = frozenset("experiment experiments growthbook flags flag toggles rollout".split())
# Not a licence alone, which the head of nearly every file names.
_PAID = (
    r"(?i)\b(?:for_edition|edition|plan_or_edition|licensed features|pro only|paid plan|premium|"
    r"subscription_?(?:tier|plan)|licen[cs]e_?(?:tier|gate|service|manager|check))"
)
_OF_COMMAND_LINES = frozenset("args argv parsed cli cmd".split())
# What says by its name that a flag's key stands behind it.
_KEYWORDS = frozenset("featureKey feature_key flagKey flag_key featureFlag feature_flag experimentKey".split())


def asks_in_one_word(source: Source, evidence: Evidence, call: Call) -> bool:
    """Whether a word that could be anybody's asks for a flag by where it stands: if (flag('new-ui'))."""
    words = [each.keyword for each in call.given]
    if call.name in {"when", "unless"}:
        return "feature" in words or "flag" in words or call.receiver in {"Feature", "Features", "FeatureFlag"}
    first = first_key(source, call.given)
    if first is None or first.kind != "literal":
        return False
    if not pattern(_SEVERAL_WORDS).search(first.text) and not _is_imported_config(evidence, call):
        return False
    if call.name == "experiment":
        return (
            source.language == "rb"
            and re.match(r"\s*(?:\{|do)\s*\|", source.code[call.end : call.end + 20]) is not None
        )
    asks = call.name in {"feature", "flag", "featureFlag", "feature_flag"} and len(call.given) == 1
    plain = asks and (not call.receiver or services.last_name(call.receiver) in _SOMEBODY)
    of_settings = services.asks_plainly(call.name) and call.receiver.lower() in {"config", "settings", "appconfig"}
    if not call.receiver and services.asks_plainly(call.name):
        of_settings = any("config" in module or "feature" in module for module in evidence.modules_of(call.name))
    start = call.start - (len(call.receiver) + 1 if call.receiver else 0)
    return (plain or of_settings) and stands_in_a_condition(source.code, start, call.end)


def _is_imported_config(evidence: Evidence, call: Call) -> bool:
    """Whether a configuration that is a module of its own is asked: then one word is a key, too."""
    if not services.asks_plainly(call.name) or call.receiver.lower() not in {"config", "appconfig"}:
        return False
    return any(re.match(r"[@\w][\w@/\-]*-config$", module) for module in evidence.modules_of(call.receiver))


def _is_handled(source: Source, call: Call) -> bool:
    """Whether what stands behind the first argument is a function: then it is an event that is waited for."""
    return any(word in source.code[call.given[0].end : call.end] for word in ("=>", "func", "{", "handle", "callback"))


def tells_who_pays(source: Source, call: Call) -> bool:
    """Whether the answer is kept under a name that says who has paid: const isPro = canUseFeature(...)."""
    start = call.start - (len(call.receiver) + 1 if call.receiver else 0)
    return pattern(WHO_PAYS).search(source.code[max(0, start - 80) : start]) is not None


def asks_what_is_set_from_afar(call: Call, source: Source) -> bool:
    """Whether a function takes a value by its name out of a remote configuration: getValue(remoteConfig, "new_ui")."""
    if call.receiver or call.name not in _VALUES or len(call.given) != 2:
        return False
    first = source.code[call.given[0].start : call.given[0].end]
    return words_of(services.last_name(first))[-2:] == ("remote", "config")


def asks_what_a_hook_gave(source: Source, call: Call) -> bool:
    """Whether a function that a hook about flags gave is asked: by its name, or by the text that it is given."""
    if services.asks_plainly(call.name):
        return True
    first = first_key(source, call.given)
    return re.fullmatch(_QUESTION, call.name) is not None and first is not None and is_in_plain_sight(first)


def takes_a_state(source: Source, start: int) -> bool:
    """Whether only the state is taken out of what a call gives: const { enabled } = useToggle('new-ui')."""
    return pattern(_TAKES_A_STATE).search(source.code[max(0, start - 120) : start]) is not None


def asks_in_other_words(source: Source, evidence: Evidence, call: Call) -> bool:
    """Whether a call asks in words that nobody listed, marks what follows, or asks what keeps flags."""
    first = first_key(source, call.given)
    if first is not None and first.kind == "name":
        first = first._replace(text=evidence.imported(first.text))
    if typed.asks_for_what_says_flag(call, first) or _gets_a_value(call):
        return True
    if call.receiver[:1].isupper() and typed.is_class_of_flags(call.receiver) and services.asks_plainly(call.name):
        return True
    if typed.is_class_of_flags(call.receiver) and names.acts_where_on(call.name.rstrip("!")):
        return True
    if any(each.keyword in _KEYWORDS for each in call.given) and services.asks_plainly(call.name):
        return True
    if questions.asks_in_its_own_words(call.name):
        return not is_another_trades(source, call)
    return _asks_a_keeper_or_marks(source, evidence, call)


def _gets_a_value(call: Call) -> bool:
    """Whether experiments or flags are asked for a value, with a fallback: experiments.getFeatureValue("x", null)."""
    if words_of(call.name) != ("get", "feature", "value") or len(call.given) < 2:
        return False
    return not _OF_EXPERIMENTS.isdisjoint(words_of(services.last_name(call.receiver)))


def _asks_a_keeper_or_marks(source: Source, evidence: Evidence, call: Call) -> bool:
    if call.receiver and evidence.asks_a_keeper(call.receiver, call.name):
        return call.name.lower() != "on" or not _is_handled(source, call)
    receiver = call.receiver.lstrip("@")
    mark = source.code[max(0, call.start - len(receiver) - 2) : call.start].replace(receiver, "").strip(".")
    if not mark.endswith(("@", "[", "#[")) and source.code[max(0, call.start - 4) : call.start] != "new ":
        return False
    # new FeatureFlag("x") makes one, where it is no mark.
    made = (
        not mark.endswith(("@", "[", "#[")) and len(words_of(call.name)) == 2 and questions.names_the_trade(call.name)
    )
    if made or questions.is_elsewhere(call.receiver):
        return False
    if mark and call.name == "Feature" and call.name in evidence.near():
        return True
    return questions.marks_with_a_flag(call.name) or (source.language == "php" and call.name == "feature")


def is_paid_for(source: Source, call: Call) -> bool:
    """Whether a bare feature is asked for in a file that speaks of what was paid for: require_feature("exports")."""
    words = words_of(call.name)
    bare = "feature" in words and not questions.names_the_trade(call.name) and not _REQUIRES.isdisjoint(words)
    bare = bare or any(source.code.startswith(("Feature::", "Feature."), each.start) for each in call.given)
    return bare and pattern(_PAID).search(source.text) is not None


def is_told_from_a_flag(source: Source, name: str) -> bool:
    """Whether a file has the same word for feature flags too: then RequireFeature beside RequireFeatureFlag is none."""
    if "eature" not in name or questions.names_the_trade(name) or _REQUIRES.isdisjoint(words_of(name)):
        return False
    return any(re.sub(r"([fF]eature)", rf"\1{flag}", name, count=1) in source.code for flag in ("Flag", "_flag"))


def is_another_trades(source: Source, call: Call) -> bool:
    """Whether what is asked has features or flags of its own, and the question does not say feature flag in full."""
    if questions.names_the_trade(call.name):
        return False
    return questions.is_elsewhere(call.receiver) or _looks_in_a_command_line(source, call)


def _looks_in_a_command_line(source: Source, call: Call) -> bool:
    """Whether the first argument is what a command line gave: getBooleanFlag(args, "verbose")."""
    if len(call.given) < 2:
        return False
    first = re.split(r"\W+", source.code[call.given[0].start : call.given[0].end])
    return any(not _OF_COMMAND_LINES.isdisjoint(words_of(part)) for part in first)
