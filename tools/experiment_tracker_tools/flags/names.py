"""Names that say what they are: flag calls, flag services, sets of flags, registries, flags in the environment."""

from __future__ import annotations

import re
from functools import lru_cache

# Patterns are texts: re compiles and keeps each when it is first asked, and most edits never ask.

_FLAGS = r"(?:feature_?(?:flag|toggle|switch|gate)|kill_?switch|flag|toggle|gate|experiment|ab_?test|feature)"
_CALL = (
    r"(?i)^_?(?:is|has|get|use|check|fetch|with|when|if|require|evaluate|eval|read|query|show|can_?use|should_?use)?_?"
    r"(?:all|any|boolean|bool|string|int|number|json|variant|ab|user|my|posthog|statsig|unleash|ld|"
    r"launch_?darkly|backend|"
    r"frontend|client|server|org|account|tenant|team|workspace|global)?_?" + _FLAGS + r"s?_?"
    r"(?:flag|toggle|gate|switch|variant|variation|value|is|for|user|the|treatment|payload|state|config)*_?"
    r"(?:enabled|disabled|active|inactive|on|off|set|value|for_?(?:user|org|organization|account|tenant|team|"
    r"project)|by_?key|"
    r"and_?fallback|unauthenticated|flag|state|is_?on|is_?enabled|is_?active|in_?variant|(?:boolean|string|"
    r"bool)_?value)?"
    r"_?(?:async|sync|for_?\w+)?[?!]?$"
)
# What the pattern above would let through, and mostly means something else.
_NOT_CALL = (
    r"(?i)^_?(?:flags?|features?|toggles?|gates?|experiments?|feature_?flags?|feature_?toggles?|feature_?gates?|"
    r"(?:use|get|set|has|is|fetch|read|query|show|with|when|if|check|any|all|require|evaluate|eval)_?(?:all_?)?"
    r"(?:flags?|features?|toggles?|gates?|experiments?)|"
    r"toggle_?\w*|(?:flag|gate|feature|experiment)_?(?:value|state|for_?user|is|the|config)?|"
    r"(?:get|fetch|read|query)_?(?:features|flags|experiments)\w*|(?:is|has)_?(?:toggle|gate)_?(?:on|off|active)?|"
    r"(?:get|use|is|set|has)_?(?:toggle|gate|experiment|feature|flag)_?(?:state|config|set|value|by_?key|for_?user))$"
)
_STRONG = (
    r"(?i)feature_?(?:flag|toggle|switch|gate)|kill_?switch|(?:flag|feature|experiment|"
    r"toggle)_?s?_?(?:is_?)?(?:enabled|active|on)"
    r"[?!]?$|(?:bool|boolean|string|str|int|json|number|float(?:64)?|double|raw)_?variation|"
    r"evaluate_?(?:boolean|variant)|feature_?variable|check_?gate|gate_?value|treatment|ab_?test|assignment$|"
    r"is_?(?:feature|flag)_?(?:enabled|on|active)|flag_?is_?active|switch_?is_?active|flag_?set$|waffle"
)
_SERVICE = (
    r"(?i)(?:^|[._>:$@])_?(?:(?:i|my|the|app|app_?lication|global|default|current|this)_?)?"
    r"(?:feature_?(?:flag|flags|toggle|toggles|switch|switches|gate|gates|flipper|management)\w*|"
    r"(?:flag|flags|toggle|toggles|features?|experiments?|ab_?test(?:s|ing)?|ff)_?(?:service|client|manager|provider|fetcher|"
    r"store|helper|checker|repository|"
    r"evaluator|gate|api|config|configuration|access|resolver|reader|util|utils|context|state)s?|"
    r"\w*feature_?(?:flag|toggle|gate)s?"
    r"(?:service|client|manager|provider|store|helper)?|flipper|unleash|posthog|launch_?darkly|growth_?book|"
    r"statsig|waffle|pennant|togglz|"
    r"flagsmith|configcat|openfeature|ff4j|fflags?|fun_?with_?flags)(?:\(\))?$"
)
_WEAK_SERVICE = (
    r"(?i)(?:^|[._>:$@])(?:features?|flags?|toggles?|experiments?|gates?|switches|rollout|kill_?switch(?:es)?)"
    r"(?:\(\))?$"
)
_FLAGS_THEMSELVES = r"(?i)(?:^|[._>:$@])(?:flags?|toggles?)$"
_EXPERIMENTS = r"(?i)(?:^|[._>:$@])(?:experiments?|ab_?tests?)(?:\(\))?$"
_GETS_VARIANT = r"(?i)get_?(?:variant|variation|treatment)(?:_?for_?\w+)?$"
# What command lines and screens keep their own flags in.
_OTHER_FLAGS = r"(?i)(?:^|[._>:])(?:options?|opts|args|argv|arguments|parser|cli|controller|command|cmd)$"
_ASKS = (
    r"(?i)^(?:is|has|get|check|use|read|eval|evaluate|fetch|require|resolve|when|if|any|should)?_?(?:backend|"
    r"boolean|bool|string|int|integer|"
    r"number|double|float|json|object|all|any|not|user)?_?(?:enabled|disabled|active|inactive|on|off|feature|"
    r"flag|toggle|variant|variation|"
    r"value|treatment|boolean|string|int|bool|allowed|available|details)_?(?:flag|variation|for|value|enabled|"
    r"active|on|or|for_?\w+|async|"
    r"by_?\w+|or_?\w+|default|state|details)*_?(?:flag|async|sync|context)?[?!]?$"
)
_ASKS_PLAINLY = (
    r"(?i)^(?:is|are|any|feature|flag)?_?(?:feature|flag|toggle)?_?(?:enabled|disabled|active|inactive|on|off)_?"
    r"(?:for_?\w+|async|globally)?[?!]?$"
)
_NOT_ASKS = r"(?i)^(?:set|get|value|on|off|any|all|object|string|int|is|details|number|json|int(?:eger)?|double|float)$"
_SET = (
    r"(?i)(?:^|[.>:@$])_?(?:all|my|app|current|default|initial|ld|test|user|server|client|enabled|runtime|use|site)?_?"
    r"(?:feature_?flags?|feature_?toggles?|feature_?switches|feature_?gates?|ld_?flags|fflags|ff_?flags)(?:\(\))?$"
)
_CONSTANT_SET = r"(?:^|[.:])(?:[A-Z]+_)*(?:FEATURES|FEATURE_FLAGS?|FLAGS|FEATURE_TOGGLES?)$"
_REGISTRY = (
    r"(?i)(?:feature_?flags?|feature_?toggles?|feature_?switch(?:es)?|feature_?gates?|flag_?(?:keys?|names?|"
    r"ids?)|feature_?(?:keys?|names?)|"
    r"toggle_?(?:names?|keys?)|gate_?(?:keys?|names?)|experiment_?(?:keys?|names?|ids?)|^experiments?$|"
    r"(?<![a-z])ab_?tests?|^flags?$|"
    r"^features?$|^toggles?$|^ff$|current_?features|statsig\w*(?:gate|config|experiment|flag)s?|"
    r"[a-z]features?$|[a-z]flags$)"
)
_NOT_REGISTRY = (
    r"(?i)(?:compiler|cli|cmd|command|bit|open|file|css|cpu|geo|map|layer|style|build|window|mount|tcp|html|"
    r"event)_?(?:flag|feature)s?$"
)
_KEY_CONSTANT = (
    r"(?i)^(?:feature_?flag|feature_?toggle|flag|ff|fflag|toggle|experiment|gate|feature)_\w+$|"
    r"^\w+?_?(?:feature_?flag|flag_?name|flag_?key|feature_?key|_flag|_toggle|_experiment|_switch)(?:_\w+)?$|"
    r"^(?:Flag|Feature|Experiment|Toggle)[A-Z]\w+$"
)
_PUBLIC = r"^(?:NEXT_PUBLIC_|REACT_APP_|VITE_|PUBLIC_|EXPO_PUBLIC_|NUXT_PUBLIC_|GATSBY_)?"
_ENVIRONMENT = (
    _PUBLIC + r"(?:(?:FEATURE|FEATURES|FF|FLAG|FEATURE_FLAG|TOGGLE|EXPERIMENT|EXPERIMENTAL|USE_NEW|BETA|"
    r"ENABLE_(?:NEW|BETA|EXPERIMENTAL|FEATURE))_[A-Z0-9_]+)$|"
    r"^[A-Z0-9_]+_(?:FEATURE|FEATURE_FLAG|FLAG|TOGGLE|EXPERIMENT|FEATURE_ENABLED)$"
)
# What most settings of a deployment are called: a flag only among others that are named so.
_MAYBE_ENVIRONMENT = _PUBLIC + r"(?:ENABLED?|DISABLED?|USE)_[A-Z0-9_]+$|^[A-Z0-9_]+_(?:EN|DIS)ABLED$"
_NOT_ENVIRONMENT = (
    r"(?i)(?:^|_)(?:host|port|url|uri|token|secret|key|dir|path|interval|timeout|tls|ssl|debug|logs?|logging|"
    r"level|endpoint|file|name|"
    r"id|count|size|threshold|version|mode|trace|tracing|metrics|telemetry|proxy|cors|color|colors|file|flags)(?:_|$)|"
    r"_features$"
)
_KEY = r"^(?=.*[A-Za-z])[A-Za-z0-9_@][\w.:/\-@]{1,118}$"
_NOT_KEY = (
    r"(?i)^(?:https?:|//|\.)|\.(?:js|ts|py|css|json|html|png|svg|go|rb|yml|yaml)$|^(?:true|false|null|none|"
    r"undefined|id|key|name|flag|feature|"
    r"flags|features|string|boolean|number|object|value|enabled|default)$"
)
_HOME = (
    r"(?i)feature[_\-]?(?:flag|toggle|gate|switch|control)|(?:^|[/._\-])(?:f?flags|toggles|launch[_\-]?darkly|"
    r"growth[_\-]?book|unleash|flipt|"
    r"statsig|[\w\-]*statsig|experiments|gating|ab[_\-]?test(?:s|ing)?)(?:$|[/._\-])"
)
_SETS = (
    r"^_?(?i:set|mock|enable|disable|override|register|define|create|add|remove|delete|update|toggle|init|"
    r"load|reset|clear|stub|"
    r"refresh|subscribe|on|off|log|track|report|parse|to|from|make|build|configure|setup|provide|format|list|"
    r"get_?all|with_?provider)(?=_|[A-Z]|$)"
)
_TRACK = (
    r"^(?:track|track_?[eE]vents?|trackEvent\w*|log_?[eE]vent|push_?[eE]vent|record_?[eE]vent|(?:send|capture|"
    r"emit)\w*[eE]vent|"
    r"analytics_?[tT]rack\w*|capture_\w*event|sendAnalytics\w*|trackAnalytics\w*)$"
)
_EXPOSES = (
    r"(?i)exposure|impression|\$feature_flag_called|experiment_?(?:viewed|started|shown|entered|assigned)|"
    r"(?:log|track)_?(?:assignment|experiment)"
)
# Receivers of typed getters that other trades have too: stores, tables, forms, maps, widgets.
_ANOTHER_TRADE = (
    r"(?i)(?:^|[._>:])(?:\w*_?(?:prefs|preferences|storage|cache|cursor|result_?set|cookies|session|request|form|"
    r"settings|properties|bundle|intent|leaflet|mapbox|document|element|locator|editor|button|view))(?:\(\))?$|"
    r"^(?:rs|row|record|params?|query|json|node|tree|map|page|input|layer|dom|window|props|env|config)$"
)
# A file without one of these words cannot hold a hit; lower case.
_WORDS = (
    "flag toggle experiment variation variant feature gate treatment waffle flipper unleash enabled "
    "enable_ getboolean decide track capture logevent log_event abtest ab_test ab-test exposure statsig "
    "posthog optimizely devcycle growthbook launchdarkly ldclient ff4j togglz configcat flipt rollout "
    "killswitch use_new beta_ fg( ff( "
).split()


_NOUNS = ("flag", "toggle", "switch", "gate", "experiment", "test", "feature")


def may_hold_flags(text: str) -> bool:
    """The word gate: whether a file is worth reading.

    >>> may_hold_flags("x = isFeatureEnabled('y')"), may_hold_flags("print('hello')")
    (True, False)
    """
    lowered = text.lower()
    return any(word in lowered for word in _WORDS)


_MAY_ASK = (
    r"(?i)(?:value|is_?on|decide|check|evaluate|assignment|has|active|config|layer|get)\w*[?!]?\s*[(\[]\s*[\"':{\w.$@&]"
)


def may_ask(text: str) -> bool:
    """The word gate of a few lines in a file that speaks of flags: whether anything is asked for there."""
    return may_hold_flags(text) or re.search(_MAY_ASK, text) is not None


@lru_cache(maxsize=50_000)
def asks_for_a_flag(name: str) -> bool:
    """Whether a function's name says that it reads a flag.

    >>> [asks_for_a_flag(name) for name in ("isFeatureEnabled", "flag_set", "has_feature_flag?", "toggle", "getFlags")]
    [True, True, True, False, False]
    """
    lowered = name.lower()
    if not any(word in lowered for word in _NOUNS):
        return False
    if name.rstrip("?!").endswith(("lags", "LAGS")) or is_setter(name) or is_about_rights(name):
        return False
    return re.match(_CALL, name) is not None and re.match(_NOT_CALL, name) is None


@lru_cache(maxsize=50_000)
def is_self_evident(name: str) -> bool:
    """Whether a name can hardly mean anything but a flag.

    >>> [is_self_evident(name) for name in ("boolVariation", "getTreatment", "getConfig", "variation")]
    [True, True, False, False]
    """
    return re.search(_STRONG, name) is not None


@lru_cache(maxsize=50_000)
def is_setter(name: str) -> bool:
    """Whether a name says that it writes, registers or mocks.

    >>> [is_setter(name) for name in ("setFeatureFlag", "enable_feature", "settings", "isOn")]
    [True, True, False, False]
    """
    return re.match(_SETS, name) is not None


# How a service is obtained: what stands before it is its name.
_OBTAINED = (
    r"(?:\.|::|->)(?:[fF]rom_?[cC]ontext|[gG]et_?[iI]nstance|instance|shared|default|current|new|for_?[uU]ser|for|"
    r"with_?[cC]ontext|"
    r"[gG]et(?:Client)?)(?:\([^()]*\))?$"
)


@lru_cache(maxsize=50_000)
def may_ask_a_service(name: str) -> bool:
    """Whether a method's name can ask a flag service; the receiver decides.

    >>> may_ask_a_service("isEnabled"), may_ask_a_service("append")
    (True, False)
    """
    return name == "evaluate" or re.match(_ASKS, name) is not None


@lru_cache(maxsize=50_000)
def is_service(receiver: str) -> bool:
    """Whether an expression's name says that it is a flag service.

    >>> is_service("FeatureFlagService.new"), is_service("compiler")
    (True, False)
    """
    return re.search(_SERVICE, re.sub(_OBTAINED, "", receiver)) is not None and not is_about_rights(receiver)


@lru_cache(maxsize=50_000)
def asks_plainly(name: str) -> bool:
    """Whether a method's name asks whether something is on, and nothing else.

    >>> asks_plainly("is_enabled"), asks_plainly("get_feature")
    (True, False)
    """
    return re.match(_ASKS_PLAINLY, name) is not None


@lru_cache(maxsize=50_000)
def keeps_other_flags(receiver: str) -> bool:
    """Whether a receiver's flags are those of a command line or a screen.

    >>> keeps_other_flags("this.options"), keeps_other_flags("Config")
    (True, False)
    """
    return re.search(_OTHER_FLAGS, receiver) is not None


@lru_cache(maxsize=50_000)
def asks_a_service(receiver: str, name: str) -> bool:
    """Whether a method asks something whose name says that it is a flag service.

    >>> asks_a_service("this.featureFlagService", "isEnabled"), asks_a_service("Feature", "enabled?")
    (True, True)
    >>> asks_a_service("button", "isEnabled"), asks_a_service("features", "get"), asks_a_service("flags", "string")
    (False, False, False)
    """
    if not receiver or not may_ask_a_service(name) or is_setter(name) or is_about_rights(receiver):
        return False
    receiver = re.sub(_OBTAINED, "", receiver)
    if re.search(_SERVICE, receiver) is not None:
        return re.match(_ASKS, name) is not None and re.match(_NOT_ASKS, name) is None
    if name == "evaluate":
        return re.search(_FLAGS_THEMSELVES, receiver) is not None
    if re.match(_GETS_VARIANT, name) is not None:
        return re.search(_EXPERIMENTS, receiver) is not None
    return re.search(_WEAK_SERVICE, receiver) is not None and re.match(_ASKS_PLAINLY, name) is not None


@lru_cache(maxsize=50_000)
def is_set_of_flags(name: str) -> bool:
    """Whether an object's name says that its members are flags.

    >>> [is_set_of_flags(n) for n in ("featureFlags", "config.featureToggles", "settings.FEATURES", "flags", "x.flags")]
    [True, True, True, False, False]
    """
    return re.search(_SET, name) is not None or re.search(_CONSTANT_SET, name) is not None


@lru_cache(maxsize=50_000)
def is_registry(name: str) -> bool:
    """Whether the name of an enum, class or object says that its members are flag keys.

    >>> [is_registry(name) for name in ("FeatureFlags", "FLAG_KEYS", "Experiments", "CompilerFlags", "Colors")]
    [True, True, True, False, False]
    """
    return re.search(_REGISTRY, name) is not None and re.search(_NOT_REGISTRY, name) is None


@lru_cache(maxsize=50_000)
def is_key_constant(name: str) -> bool:
    """Whether a constant's name says that it holds a flag's key.

    >>> [is_key_constant(name) for name in ("FLAG_NEW_UI", "NEW_UI_FEATURE_FLAG", "FlagNewUi", "RETRIES")]
    [True, True, True, False]
    """
    return re.match(_KEY_CONSTANT, name) is not None


@lru_cache(maxsize=50_000)
def is_environment_flag(name: str) -> bool:
    """Whether an environment variable's name says that it switches a feature.

    >>> [is_environment_flag(name) for name in ("FEATURE_NEW_UI", "FF_CHAT", "ENABLE_CSP", "FEATURE_FLAGS_FILE")]
    [True, True, False, False]
    """
    return re.match(_ENVIRONMENT, name) is not None and re.search(_NOT_ENVIRONMENT, name) is None


@lru_cache(maxsize=50_000)
def may_be_environment_flag(name: str) -> bool:
    """Whether a variable's name says that it switches something; what is around it decides.

    >>> [may_be_environment_flag(name) for name in ("ENABLE_SIGNUP", "CHAT_ENABLED", "ENABLE_DEBUG", "API_KEY")]
    [True, True, False, False]
    """
    return re.match(_MAYBE_ENVIRONMENT, name) is not None and re.search(_NOT_ENVIRONMENT, name) is None


@lru_cache(maxsize=50_000)
def is_key(text: str) -> bool:
    """Whether a text can be a flag's key.

    >>> [is_key(text) for text in ("new-checkout", "organizations:new-ui", "Hello, world", "main.js", "9")]
    [True, True, False, False, False]
    """
    return re.match(_KEY, text) is not None and re.search(_NOT_KEY, text) is None


@lru_cache(maxsize=10_000)
def is_home_of_flags(module: str) -> bool:
    """Whether a module's name says that it is about flags.

    >>> [is_home_of_flags(name) for name in ("core.feature_flags.base", "@acme/platform-feature-flags", "lib/flagpole")]
    [True, True, False]
    """
    return re.search(_HOME, module) is not None


@lru_cache(maxsize=50_000)
def is_of_another_trade(receiver: str) -> bool:
    """Whether a receiver is something else's than a vendor's client, whatever its methods are called.

    >>> [is_of_another_trade(name) for name in ("sharedPreferences", "map", "client", "")]
    [True, True, False, False]
    """
    return re.search(_ANOTHER_TRADE, receiver) is not None


_RIGHTS = r"(?i)licen[cs]e|entitle|permission|subscription|billing|capabilit|privilege"


@lru_cache(maxsize=50_000)
def is_about_rights(name: str) -> bool:
    """Whether a name speaks of what was paid for or allowed: a gate, but no experiment's."""
    return re.search(_RIGHTS, name) is not None


_ABOUT_FLAGS = (
    r"(?i)flag|toggle|experiment|feature|variant|variation|treatment|gate(?:$|_|[A-Z])|ab_?test|(?:^|_)ff(?:_|$)"
)


@lru_cache(maxsize=50_000)
def is_about_flags(name: str) -> bool:
    """Whether a name has a word of the trade in it.

    >>> is_about_flags("featureOn"), is_about_flags("check")
    (True, False)
    """
    return re.search(_ABOUT_FLAGS, name) is not None


@lru_cache(maxsize=50_000)
def sends_an_event(name: str) -> bool:
    """Whether a function's name says that it sends an analytics event."""
    return re.match(_TRACK, name) is not None


@lru_cache(maxsize=50_000)
def is_exposure(name: str) -> bool:
    """Whether a call or event says that a unit met its variant.

    >>> [is_exposure(name) for name in ("logExposure", "$feature_flag_called", "Checkout Completed")]
    [True, True, False]
    """
    return re.search(_EXPOSES, name) is not None
