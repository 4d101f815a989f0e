"""Names of what holds flags: sets of them, registries of their keys, constants, variables of the environment, modules.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from functools import lru_cache

from experiment_tracker_tools.flags.words import singular, words_of

_SET = (
    r"(?i)(?:^|[.>:@$])_?(?!set|on|add|init|mock|parse|compiler|cpu|css|cli|load)\w*?"
    r"(?:feature_?flags?|feature_?toggles?|feature_?switches|feature_?gates?|ld_?flags|fflags|ff_?flags|feature_?flags_?map|flag_?map)(?:\(\))?$"
)
_CONSTANT_SET = r"(?:^|[.:])(?:[A-Z]+_)*(?:FEATURES|FEATURE_FLAGS?|FLAGS|FEATURE_TOGGLES?|FF)$"
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
    r"event|log|logging|sort|plan|tier)_?(?:flag|feature)s?$"
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
    r"_features$|_defaults?$"
)
_ABOUT_KEYS = frozenset("enum key keys name names value values code codes id ids setting settings slug slugs".split())
_LONGEST_KEY = 119
_NO_KEYS = frozenset(
    (
        "true false null none undefined id key name flag feature flags features string boolean number object value "
        "enabled default"
    ).split()
)
_WITHOUT_LINKS = str.maketrans("", "", "_.:/-@")
_FILES = tuple(".js .ts .py .css .json .html .png .svg .go .rb .yml .yaml".split())
_HOME = (
    r"(?i)feature[_\-]?(?:flag|toggle|gate|switch|control)|(?:^|[/._\-])(?:f?flags|toggles|launch[_\-]?darkly|"
    r"growth[_\-]?book|unleash|flipt|"
    r"waffle|statsig|[\w\-]*statsig|experiments|gating|ab[_\-]?test(?:s|ing)?)(?:$|[/._\-])"
)


@lru_cache(maxsize=50_000)
def is_set_of_flags(name: str) -> bool:
    """Whether an object's name says that its members are flags.

    >>> [is_set_of_flags(n) for n in ("featureFlags", "config.featureToggles", "settings.FEATURES", "flags", "x.flags")]
    [True, True, True, False, False]
    """
    name = name.strip("_") if name.endswith("__") else name
    return re.search(_SET, name) is not None or re.search(_CONSTANT_SET, name) is not None or is_set_of_enabled(name)


def is_set_of_enabled(name: str) -> bool:
    """Whether a list's name says that it holds the flags that are on.

    >>> is_set_of_enabled("enabledFeatures"), is_set_of_enabled("active_flags"), is_set_of_enabled("features")
    (True, True, False)
    """
    words = words_of(name)[-2:]
    return words in {(state, kind) for state in ("enabled", "active") for kind in ("features", "flags", "toggles")}


@lru_cache(maxsize=50_000)
def is_registry(name: str) -> bool:
    """Whether the name of an enum, class or object says that its members are flag keys.

    >>> [is_registry(name) for name in ("FeatureFlags", "FLAG_KEYS", "Experiments", "CompilerFlags", "Colors")]
    [True, True, True, False, False]
    """
    return re.search(_REGISTRY, name) is not None and re.search(_NOT_REGISTRY, name) is None


@lru_cache(maxsize=50_000)
def is_of_another_trade(registry: str) -> bool:
    """Whether the name of an enum or class says that its members are another trade's flags.

    >>> is_of_another_trade("CpuFeature"), is_of_another_trade("UrlFlag")
    (True, False)
    """
    return re.search(_NOT_REGISTRY, registry) is not None


@lru_cache(maxsize=50_000)
def is_kind_of_flag(name: str) -> bool:
    """Whether an enum or class is of flags by its last word; a member of it in a key's place is one.

    >>> is_kind_of_flag("UrlFlag"), is_kind_of_flag("Toggle"), is_kind_of_flag("CpuFeature"), is_kind_of_flag("flag")
    (True, True, False, False)
    """
    words = [word for word in words_of(name) if word not in _ABOUT_KEYS]
    last = singular(words[-1]) if words and name[:1].isupper() else ""
    return last in {"flag", "feature", "toggle", "experiment"} and not is_of_another_trade(name)


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
    text = text[:-1] if text.endswith("?") else text
    if not 1 < len(text) <= _LONGEST_KEY or text[0] in "-./:" or not text[0].isascii():
        return False
    lowered, plain = text.lower(), text.translate(_WITHOUT_LINKS)
    if lowered in _NO_KEYS or lowered.startswith(("http:", "https:")) or lowered.endswith(_FILES):
        return False
    return plain.isalnum() and not plain.isdigit()


@lru_cache(maxsize=10_000)
def is_home_of_flags(module: str) -> bool:
    """Whether a module's name says that it is about flags.

    >>> [is_home_of_flags(name) for name in ("core.feature_flags.base", "@acme/platform-feature-flags", "lib/flagpole")]
    [True, True, False]
    """
    return re.search(_HOME, module) is not None
