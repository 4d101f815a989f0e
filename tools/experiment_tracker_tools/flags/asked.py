"""Flags that are asked without a key: an object or a method for each, and functions of a module of flags.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from typing import Iterator

from experiment_tracker_tools.flags import holders, names, typed
from experiment_tracker_tools.flags.configured import stands_in_a_condition
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.sighting import Sighting, Span
from experiment_tracker_tools.flags.words import pair_at, words_of

_LINK = r"(?:\?\.|!?\.|->|::)"
_ASKS = r"(?:(?i:is_?)(?:[eE]nabled|[aA]ctive|[oO]n)|[eE]nabled|[aA]ctive)\b\??"
# A class of features has a method for each: autofillFeature.saveLogins().isEnabled().
_OF_A_CLASS = rf"(Features?|FeatureFlags|Toggles){_LINK}([a-z]\w*)\(\){_LINK}{_ASKS}(?=\(|\s|[);,&|?])"
# There is an object for each: NewUiFeatureGate.IsEnabled().
_OF_ITSELF = (
    rf"(Feature(?:Gate|Flag|Toggle)|_feature_(?:gate|flag|toggle)){_LINK}{_ASKS}\(\s*(?:ctx|context|user)?\s*\)"
)
# What gives all of them for somebody: toggle.FromContext(ctx).NewUi().
_FROM_CONTEXT = (
    r"(?<![\w.])(toggles?|feature_?flags?|features|flags|experiments)\.(?:From|For)(?:Context|Ctx|User|Request)?"
    r"\([^()]*\)\.([A-Z]\w+)\(\)"
)
# What is imported from a registry by its own name: newUi.isEnabled.
_TAKEN = r"(?m)^import[ \t]+[\w.]*\b(?:FeatureFlags|FeatureToggles|Features|Flags)\.([a-z]\w*)[ \t]*;?$"
# A constant that is asked for somebody: Flags.NEW_UI.bindTo(source).value().
_BOUND = r"(?<![\w$])((?:[A-Z]\w*)?Flags)\.([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\.bindTo\("
# A list of those that are on: FeatureGates.enabled.contains(.newUi).
_LISTED = (
    rf"([fF]eatures|[fF]eature_?[gG]ates|[fF]eature_?[fF]lags|[tT]oggles){_LINK}(?:enabled|active|on)"
    rf"{_LINK}(?:contains|includes|has)\(\s*(?:[A-Z]\w*)?\.(\w+)"
)
# A module of features in Python, and its constants.
_MODULE = r"(?m)^import[ \t]+(features|feature_flags|feature_toggles)[ \t]*$"
_NIMBUS = r"\b(\w*Nimbus)(?:\.shared)?\.features\.([a-z]\w*)\.value\("
# One constant holds all, with a method for each: FEATURE_FLAGS.new_ui().
_OF_A_CONSTANT = r"(?<![\w$.:])((?:[A-Z]+_)*(?:FEATURE_FLAGS|FEATURE_TOGGLES|FEATURES))\.([a-z]\w*_\w+)\(\)"
_REGISTERED = r"\b{name}\s*:?=[^\n=]*(?:egister|amed|ind|lag|eature)\("
# A class of flags has a static method for each: FeatureToggles.shouldShowMap().
_OF_A_STATIC = (
    r"(?<![\w$.])(Feature(?:Toggles|Flags|Switches))\.((?:should|is|has|use|show|can)[A-Z]\w*[a-z]\w*)"
    r"\(\s*(?:context|ctx|user)?\s*\)"
)
# A crate of flags gives those of a kind: app_flags::unstable().sort_imports().
_OF_A_CRATE = r"(?<![\w:])(\w+_flags|flags)::\w+\(\)\.([a-z]\w*_\w+)\(\)"
# A module of flags has a function for each: feature_flags.new_ui().
_OF_A_MODULE = (
    r"(?:\bif|\bnot|\band|\bor|\bassert|\bassert(?:True|False)\()\s*(?:\w+\.)?(feature_flags|feature_toggles)\."
    r"(?!(?:get|is|all|list|load|init|reset|set|has|clear)_?(?:all|flags|enabled)?\()([a-z]\w*_\w+)\(\)"
)
# An object of all flags, made where it is asked: FeatureFlags.new.themes?
_OF_A_NEW_ONE = r"(?<![\w:])(Feature(?:Flags|Toggles))\.new\.([a-z]\w*\?)(?!\()"
# An object of the flags' class gives its value: StudioFlags.NEW_DIALOG.get().
_OF_AN_OBJECT = r"(?<![\w$])([A-Z]\w*Flags)\.([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\.get\(\)"
# What is set from afar, by the text in its brackets: RemoteConfig.remoteConfig()["new_ui"].
_FROM_AFAR = r"[rR]emoteConfig\(\)\[\s*(?=\")"
_WAYS = (
    ("java", "Flags.", _OF_AN_OBJECT),
    ("kt", "Flags.", _OF_AN_OBJECT),
    ("rb", "Feature", _OF_A_NEW_ONE),
    ("go", ".", _FROM_CONTEXT),
    ("", "Nimbus", _NIMBUS),
    ("rs", "FEATURE", _OF_A_CONSTANT),
    ("rs", "flags::", _OF_A_CRATE),
    ("", ".bindTo(", _BOUND),
    ("py", "feature_", _OF_A_MODULE),
    ("java", "Feature", _OF_A_STATIC),
    ("kt", "Feature", _OF_A_STATIC),
    ("cs", "Feature", _OF_A_STATIC),
    ("swift", "Feature", _OF_A_STATIC),
)
_NO_FLAGS = frozenset(
    "default mutable my the current this any each old new first single given mock test shared global some get".split()
)
# What is done for all of them, or to them.
_DONE = frozenset(
    (
        "get init initialize load create make fetch setup parse all list read build use with render mount start stop "
        "assert require ensure clear reset refresh register to from new on set log evaluate check"
    ).split()
)


def asked(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """Flags that are asked by their own objects, methods and functions."""
    text = source.code[slice(*inside)]
    for language, word, way in _WAYS:
        if language in {"", source.language} and word in text:
            for match in pattern(way).finditer(source.code, *inside):
                yield Sighting(match.start(), match.end(), "member", *match.groups())
    for match in pattern(_FROM_AFAR).finditer(source.code, *inside) if "emoteConfig()" in text else ():
        key = source.string_at(match.end())
        if key is not None and holders.is_key(key[0]):
            yield Sighting(match.start(), key[1], "index", "remoteConfig", key[0])
    if "eature" in text or "oggles" in text:
        yield from _methods(source, inside)
    yield from _imported(source, inside)
    yield from _functions(source, evidence, inside)


def _imported(source: Source, inside: Span) -> Iterator[Sighting]:
    """Members of a module of features that is imported whole, and objects that are imported by their own names."""
    code = source.code
    if source.language == "py" and "import feature" in code:
        for module in pattern(_MODULE).findall(code):
            member = re.compile(rf"(?<![\w.]){module}\.([A-Z][A-Z0-9_]{{2,}})\b(?!\s*=[^=]|\()")
            for match in member.finditer(code, *inside):
                yield Sighting(match.start(), match.end(), "member", module, match.group(1))
    if source.language in {"kt", "swift"}:
        for name in pattern(_TAKEN).findall(code):
            for match in re.compile(rf"(?<![\w.]){name}{_LINK}{_ASKS}").finditer(code, *inside):
                yield Sighting(match.start(), match.end(), "member", name, name)


def _methods(source: Source, inside: Span) -> Iterator[Sighting]:
    for match in pattern(_OF_A_CLASS).finditer(source.code, *inside):
        start, holder = _holder(source.code, match)
        member = match.group(2)
        of_all = words_of(member)[0] in _DONE or member in {"self", "instance", "shared", "toggles", "flags"}
        if not of_all and not typed.is_of_other_trades(holder):
            yield Sighting(start, match.end(), "member", holder, member)
    for match in pattern(_LISTED).finditer(source.code, *inside):
        start, holder = _holder(source.code, match)
        if not typed.is_of_other_trades(holder):
            yield Sighting(start, match.end(), "member", holder, match.group(2))
    for match in pattern(_OF_ITSELF).finditer(source.code, *inside):
        start, name = _holder(source.code, match)
        if re.search(_REGISTERED.format(name=re.escape(name)), source.code) is not None:
            continue  # where it comes from says its key
        words = words_of(name)
        own = words[: pair_at(words)]
        if own and not names.is_of_others(words) and (own[1:] or _NO_FLAGS.isdisjoint(own)):
            yield Sighting(start, start + len(name), "member", name, name)


def _holder(code: str, match: re.Match[str]) -> tuple[int, str]:
    """Where a name begins whose end, the first group, was found; and the name."""
    name = re.findall(r"\w*$", code[max(0, match.start() - 80) : match.start()])[0] + match.group(1)
    return match.end(1) - len(name), name


def _functions(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """Functions without an argument that a module of flags has, where something hangs on them: if (enableNewUi())."""
    known = [name for name in evidence.from_homes() if _gives_one(name)]
    if not known:
        return
    called = re.compile(rf"(?<![\w$.\"'])({'|'.join(map(re.escape, sorted(known)))})\(\)")
    for match in called.finditer(source.code, *inside):
        if stands_in_a_condition(source.code, match.start(), match.end()):
            yield Sighting(match.start(), match.end(), "member", match.group(1), match.group(1))


def _gives_one(name: str) -> bool:
    words = words_of(name)
    return (
        len(words) > 1
        and not name[:1].isupper()
        and words[0] not in _DONE
        and not name.lower().endswith(("flags", "features", "toggles", "experiments"))
        and pair_at(words) is None
        and not names.is_about_rights(name)
        and not holders.is_set_of_flags(name)
    )
