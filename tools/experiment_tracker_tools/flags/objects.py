"""Objects that hold flags: their members and indices, what a hook takes apart, enums whose members are asked."""

from __future__ import annotations

import re
from typing import Iterator

from experiment_tracker_tools.flags import holders, keepers, names, services, typed
from experiment_tracker_tools.flags.arguments import receiver_before, value_at
from experiment_tracker_tools.flags.configured import among_settings, decides, stands_in_a_condition, start_of_name
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.kept import kept
from experiment_tracker_tools.flags.lexer import HOLE, Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.sighting import HOMEMADE, Sighting, Span
from experiment_tracker_tools.flags.switches import switches
from experiment_tracker_tools.flags.taken import NOT_MEMBERS, ONLY_ONE, taken_apart
from experiment_tracker_tools.flags.trades import WHO_PAYS
from experiment_tracker_tools.flags.words import pair_at, singular, words_of

_INDEXED = r"(?<![\w$])([A-Za-z_$][\w$]*)\??\.?\[\s*(?=[\"'`:A-Z])"
_MEMBER = r"(?<![\w$])([A-Za-z_$][\w$]*)(?=(?:\(\))?(?:\?\.|!?\.|->|::)([A-Za-z_]\w*))"
# What is imported under the name of flags is asked by a key: flags.get("new-ui").
_GIVEN_BY_NAME = r"(?<=\.get)\((?=[\"'])"
_REGISTERED = r"([A-Z]\w*)(?:\.|::)\w+\s*\]"
_IMPORTS = r"(?:^|\n)[ \t]*(?:import|from|package|namespace|using|use)\b[^\n]*$"
_LINK = r"(?:\?\.|!?\.|->|::)"
_ASKS = (
    r"(?:is_?(?:enabled|active|on|disabled|off)|enabled|active|on|disabled|off)\b[?]?(?:\([^()\"']{0,80}\))?(?![\w(])"
)
# What all that is asked so ends with; it begins with what is rare, and is looked for first.
_IS_ASKED = rf"[.>:](?i:{_ASKS})"
_STATIC = rf"(?<![\w$.])([A-Z]\w*){_LINK}([A-Za-z]\w*)(?:\(\))?{_LINK}(?i:{_ASKS})"
# A variable with a key is asked for: the member is what keeps them all.
_ASKED_FOR = r"\(\s*:?(?:feature|flag|key|name|toggle)\b"
_CONSTANT_ASKED = rf"(?<![\w$.:>])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+){_LINK}(?i:{_ASKS})"
_CONSTANT_VALUE = rf"(?<![\w$.:>])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+){_LINK}(?:check|get)_value(?:_async)?\("
_OF_A_MODULE = (
    r"(?<![\w])(\w*?_?(?:experimental|feature_flags|features|toggles|experiments))::([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\."
    r"(?:get|is_enabled|enabled|is_active|is_on)\("
)
_A_CONSTANT = r"[A-Z]_[A-Z]"
_ASKED_WITH = rf"(?:\(\))?{_LINK}([A-Za-z]\w*[?!]?)\s*\(\s*[^)\s]"
_WHOSE = r"self\.\w+\s*\)"
# Whom or where a flag is asked for, when it is asked itself: Toggles.NewUi.IsEnabled(variables).
_WHOM = r"(?!\w*(?i:key|flag|feature|toggle|name|experiment|gate|id)\w*\))[a-z_]\w*\)"
# A set that is named in a text, as settings hold it, and what is taken from it.
_NAMED_SET = (
    rf"([\"']){HOLE}+\1\s*(?:,\s*(?:\{{\}}|dict\(\)|None)\s*)?[\])]\s*(?:or\s*\{{\}}\s*\))?\s*(?:\.get\(|\[)\s*"
    r"(?=[\"'])"
)
# Where a name stands for one flag, and not for all of them.
_ONE_OF_MANY = (
    rf"(?<![\w$.]){{name}}{_LINK}(?:(?i:name|id|key|enabled|stale|variants|strategies|type)\b|\w+\s*=[^=>])",
    r"(?<![\w$.])(?:for|of|in|each|map|filter|find|some)\b[^\n]{{0,30}}\b{name}\b|\b{name}\s*=>",
)
# What gives the only object of a class, and what is read of it.
_OF_THE_ONLY = rf"{_LINK}([a-z]\w{{2,}})\b(?!\s*[(.]|\s*=[^=])"
# An entry of a table, which says what a flag is to be: Flags.NEW_UI to true, [Flags.NEW_UI]: true.
_GIVEN = r"[\w$.]*(?:\s+to\s+(?:true|false)\b|\]\s*:|\s*=>\s*(?:true|false)\b)"
_INDEXED_WRITTEN = (
    r"\]\s*(?:<<|>>|\|(?![|])|&(?![&.]))|\]\.(?:enable|disable|add|remove|clear)(?:_\w+|[A-Z]\w*)?\b(?!\?)"
)
_WRITTEN = (
    rf"{_LINK}(?:[oO]verride|[sS]et|[eE]nable|[dD]isable|[mM]ock|[sS]tub|[rR]eset|[rR]egister)(?:_\w+|[A-Z]\w*)?\("
)
# What names a constant and asks for nothing: a log's text, a table, a case, a comparison in a test.
_NAMED = (
    r"(?:[\"']\s*\+\s*|\bcase\s+|\b(?:put|assertEquals|AreEqual|toEqual|toBe|log|info|warn|debug|error|format|printf)\("
    r"\s*(?:[^()\n]{0,60},\s*)?)$"
)
# A line of a log that tells which flag it was, in .NET's words and others'.
_LOGGED = (
    r"\b(?:[lL]og(?:Information|Warning|Error|Debug|Trace|Critical|f)?|[iI]nfof?|[wW]arnf?|[dD]ebugf?|[eE]rrorf?|"
    r"[pP]rintf|[pP]rintln)\(\s*[\"'$`][^()]{0,200},\s*$"
)
_SWITCHED = r"(?i)\b(?:set|add|register|enable|disable|override|mock|stub|define)\w*\(\s*$"
# Most files have no set of flags by any name, and no member that is asked: then there is nothing to look at.
_SETS = (
    "feature",
    "remoteconfig",
    "enabledf",
    "flagservice",
    "flag_service",
    "ldflags",
    "ld_flags",
    "fflags",
    "ff_flags",
)
_SWITCHES = ("FEATURE_", "FF_", "FLAG", "TOGGLE", "EXPERIMENT", "USE_NEW", "BETA_", "ENABLE_", "_FEATURE")
_KEPT = (
    "experimental",
    "_option(",
    'setting["feature',
    "setting['feature",
    "'features.",
    "feature_flags.",
    "feature-flags.",
    '"features.',
    "'features:",
    '"features:',
    '"featureflags:',
    ".features",
    ".flags",
    ".toggles",
    ".switches",
    ".experiments",
    ">features",
)
_PLAIN = (
    "feature_settings",
    "featuresettings",
    "features",
    "flags",
    "toggles",
    "experiments",
    "featuremanagement",
    "featureconfig",
    "featureproperties",
)
_CONSTANT_SETS = ("FEATURES", "FLAGS", "Flipper")
_ASKED = (
    ".check_value",
    ".enabled",
    ".isenabled",
    ".off",
    ".disabled",
    ".isoff",
    ".isdisabled",
    ".active",
    ".isactive",
    ".ison",
    ".on",
    ".is_",
    ":is_",
    "?.is",
    ">is",
)
# A method that asks for its own flag: featureFlags.isNewUiEnabled().
_ASKED_ITSELF = r"((?i:is|has)_?[A-Z]\w*?_?(?i:enabled|active|on))\(\s*(?:\w*[cC]ontext|ctx|user|request)?\s*\)"
# A list of flags that is searched for the one that is asked about: flags.experimental.includes(flag).
_SEARCHED = r"\.(?:includes|contains|indexOf|has)\(\s*(?:flag|feature|key|name|toggle)\w*\)"
_GETTER = r"is[A-Z]\w*[a-z]\w*\(\s*\)"
# A method that gives its flag, which is asked: featureFlags.newUi().isEnabled(user).
_GIVES_ONE = rf"\(\){_LINK}(?i:{_ASKS})"
_ITS_OWN = r"((?i:is|has)_?[A-Z]\w*?_?(?:Enabled|Active|On|enabled|active|on))\b(?!\s*\$?\()"
_PREDICATE = r"([a-z]\w*_(?:enabled|active|on)\?)(?!\s*\(?\s*[:\"'])"
# What is said of a service of flags, and of no flag: features.isCacheEnabled().
_OF_THE_SERVICE = frozenset(
    (
        "feature features flag flags toggle toggles experiment experiments gate any all this it user for is has "
        "enabled active on debug log logging cache caching trace tracing metrics analytics polling streaming mock "
        "offline service client sdk events telemetry override overrides dev test local remote sync refresh"
    ).split()
)
_OF_ALL = {("cache",), ("count",), ("instance",), ("provider",), ("context",), ("store",)}
_GIVES = frozenset("get has fetch getBoolean includes include? contains Contains".split())


def held(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """Flags that are members of something."""
    text = source.text[slice(*inside)]
    lowered = text.lower()
    if (
        evidence.sets
        or evidence.settings
        or any(word in lowered for word in _SETS)
        or any(word in text for word in _CONSTANT_SETS)
    ):
        yield from _of_sets(source, evidence, inside)
    if any(word in lowered for word in _ASKED) or ("_" in text and "::" in text and ".get()" in text):
        yield from _asked_members(source, evidence, inside)
        if pattern(_A_CONSTANT).search(text) is not None:
            yield from _constants_asked(source, evidence, inside)
    if evidence.settings or any(word in lowered for word in _KEPT) or any(word in text for word in _SWITCHES):
        yield from among_settings(source, evidence, inside)
    if any(word in lowered for word in _PLAIN):
        yield from kept(source, inside)
    yield from switches(source, evidence, inside)
    if source.language in {"ts", "page"}:
        yield from taken_apart(source, evidence, inside)


def _of_sets(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    code = source.code
    for match in pattern(_INDEXED).finditer(code, *inside):
        by_vendor = any(rule.shape == "index" for rule in evidence.rules(match.group(1)))
        imported = match.group(1) in evidence.settings and source.code[match.end() : match.end() + 1] in {"'", '"'}
        if by_vendor or imported or _is_set(source, evidence, match) or _is_of_a_registry(code, match):
            yield from _keyed(source, evidence, match, match.end(), "index")
    for match in pattern(_NAMED_SET).finditer(code, *inside):
        named = source.string_at(match.start())
        if named is not None and holders.is_set_of_flags(named[0]):
            yield from _keyed(source, evidence, match, match.end(), "index")
    for match in pattern(_MEMBER).finditer(code, *inside):
        if _is_set(source, evidence, match) or _is_the_only_registry(match):
            yield from _of_set(source, evidence, match)
        elif match.group(1) in evidence.settings and pattern(_GIVEN_BY_NAME).match(code, match.end(2)):
            yield from _keyed(source, evidence, match, code.index("(", match.end(2)) + 1, "index")
        elif evidence.is_module(match.group(1)) and pattern(_ASKED_ITSELF).match(code, match.start(2)):
            if holders.is_set_of_flags(match.group(1)):
                yield Sighting(match.start(), match.end(2), "member", match.group(1), match.group(2))
        elif services.is_service(match.group(1)) and (own := _asks_of_its_own(code, match.start(2))):
            yield Sighting(match.start(), match.end(2), "member", match.group(1), own)


def _is_of_a_registry(code: str, match: re.Match[str]) -> bool:
    """Whether what is taken is a member of a registry of feature flags: store[FeatureFlags.newUi]."""
    key = pattern(_REGISTERED).match(code, match.end())
    if key is None or pair_at(words_of(key.group(1))) is None or holders.is_of_another_trade(key.group(1)):
        return False
    about = pair_at(words_of(match.group(1))) is not None
    return about or stands_in_a_condition(code, start_of_name(code, match.start()), key.end())


def _asks_of_its_own(code: str, at: int) -> str | None:
    """The name of a member of a service that asks for one flag, and says nothing of the service."""
    ways = (pattern(way).match(code, at) for way in (_ITS_OWN, _ASKED_ITSELF, _PREDICATE))
    found = next((each for each in ways if each is not None), None)
    return None if found is None or _OF_THE_SERVICE.issuperset(words_of(found.group(1))) else found.group(1)


def _of_set(source: Source, evidence: Evidence, match: re.Match[str]) -> Iterator[Sighting]:
    code, member, end = source.code, match.group(2), match.end(2)
    after = code[end : end + 3].lstrip()
    single = pattern(_OF_THE_ONLY).match(code, end) if member in ONLY_ONE else None
    if single is not None:
        yield Sighting(match.start(), single.end(), "member", match.group(1), single.group(1))
    elif member in _GIVES and after.startswith("("):
        opening = code.index("(", end)
        skip = re.match(r"\s*", code[opening + 1 :])
        yield from _keyed(source, evidence, match, opening + 1 + (skip.end() if skip else 0), "index")
    elif after.startswith("(") and (
        pattern(_ASKED_ITSELF).match(code, match.start(2))
        or pattern(_GIVES_ONE).match(code, end)
        or (pattern(_GETTER).match(code, match.start(2)) and not _OF_THE_SERVICE.issuperset(words_of(member)))
    ):
        yield Sighting(match.start(), end, "member", match.group(1), member)
    elif (
        not after.startswith(("(", "[", ")(", "$("))
        and code[end : end + 1] != "<"
        and _is_read(code, match.start(), member, after, end)
        and not _is_asked(code, member, end)
        and pattern(_SEARCHED).match(code, end) is None
    ):
        yield from _member(source, match)


def _member(source: Source, match: re.Match[str]) -> Iterator[Sighting]:
    holder, member, end = match.group(1), match.group(2), match.end(2)
    # In Python FLAGS.size is an option of the command line.
    plain = holder.isupper() and member[:1].islower() and source.language in {"ts", "page"}
    plain = plain or (
        source.language in {"swift", "kt"}
        and member[:1].islower()
        and not holder.isupper()
        and source.code[end : end + 1] not in {".", "?"}
    )
    if not holder[:1].isupper() or (plain and decides(source.code, match.start(), match)):
        yield Sighting(match.start(), end, "member", holder, member)
    elif (member[:1].isupper() or source.language == "rs") and not (holder.isupper() and not member.isupper()):
        # A class or enum: what its member stands for is looked up.
        yield Sighting(match.start(), end, "member", holder, None, f"{holder}.{member}")


def _is_read(code: str, start: int, member: str, after: str, end: int) -> bool:
    if member in NOT_MEMBERS or _is_of_all(member) or (after.startswith("=") and after[:2] not in {"==", "=>"}):
        return False
    if names.is_setter(member) and not member.isupper() and re.match(r"(?:[eE]n|[dD]is)able_?[A-Z_]", member) is None:
        return False
    if after and pattern(_GIVEN).match(code, start + 1):
        return False
    before = code[max(0, start - 200) : start]
    paid = before.endswith("(") and pattern(WHO_PAYS).search(re.sub(r"[\w.]+\($", "", before[-120:])) is not None
    if paid or before.endswith("nameof(") or pattern(_WRITTEN).match(code, end) is not None:
        return False
    if code[start : start + 1].isupper() and _is_only_named(member, before):
        return False
    # What is put under a constant is switched; a member's value is only handed on.
    switched = code[start : start + 1].isupper() and pattern(_SWITCHED).search(before[-60:]) is not None
    return pattern(_IMPORTS).search(before) is None and not switched


def _is_of_all(member: str) -> bool:
    """Whether a member is what keeps them all: InternalCache, but not UseEventStore."""
    words = words_of(member)
    return len(words) < 3 and words[-1:] in _OF_ALL and {"use", "enable", "show", "new"}.isdisjoint(words[:1])


def _is_only_named(member: str, before: str) -> bool:
    """Whether a constant is told or compared, and nothing is asked with it."""
    if member.isupper() and pattern(_NAMED).search(before[-90:]) is not None:
        return True
    return before.endswith((",", " ", "\n")) and pattern(_LOGGED).search(before) is not None


def _is_asked(code: str, member: str, end: int) -> bool:
    """Whether the member is itself asked for a flag: then it is a service, and no flag."""
    found = pattern(_ASKED_WITH).match(code, end)
    if found is None or not services.may_ask_a_service(found.group(1)):
        return False
    is_one = not member[:1].islower() or len(words_of(member)) > 2
    whom = pattern(_WHOM if member[:1].isupper() else _WHOSE).match(code, found.end() - 1) if is_one else None
    one = singular("".join(words_of(member)[-1:])) in {"flag", "toggle", "feature"}
    return whom is None or (keepers.keeps_flags(member) > 0 and not one) or not services.asks_plainly(found.group(1))


def _asked_members(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """Members of enums of flags that are asked whether they are on: Features.NEW_MAP.isActive()."""
    if pattern(_IS_ASKED).search(source.code, *inside) is None:
        return
    for match in pattern(_STATIC).finditer(source.code, *inside):
        holder, member = match.group(1), match.group(2)
        if holder == "FeatureList":
            yield Sighting(match.start(), match.end(2), "member", holder, member)
            continue
        if (
            not (holders.is_registry(holder) or (member[:1].islower() and typed.is_class_of_flags(holder)))
            or typed.is_of_other_trades(holder)
            or evidence.is_module(holder)
            or member in NOT_MEMBERS
            or _is_of_all(member)
            or pattern(_ASKED_FOR).search(match.group()) is not None
        ):
            continue
        if not holders.is_registry(holder):
            yield Sighting(match.start(), match.end(2), "member", holder, member)
        elif not (member[:1].isupper() and holders.is_set_of_flags(holder)):
            yield Sighting(match.start(), match.end(2), "member", holder, None, f"{holder}.{member}")


def _constants_asked(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """Constants that may hold a flag and are asked: NEW_UI.is_enabled(); told only where the constant is known."""
    for match in pattern(_OF_A_MODULE).finditer(source.code, *inside) if source.language == "rs" else ():
        if not holders.is_of_another_trade(match.group(1)):
            yield Sighting(match.start(), match.end(2), "member", match.group(1), match.group(2))
    values = "_value(" in source.code or "_value_async(" in source.code
    for match in pattern(_CONSTANT_VALUE).finditer(source.code, *inside) if values else ():
        home = any(keepers.may_be_home(module) for module in evidence.modules_of(match.group(1)))
        if home or holders.is_key_constant(match.group(1)) or match.group(1).endswith("_FEATURE"):
            yield Sighting(match.start(), match.end(1), "member", match.group(1), None, match.group(1))
    if pattern(_IS_ASKED).search(source.code, *inside) is None:
        return
    for match in pattern(_CONSTANT_ASKED).finditer(source.code, *inside):
        known = holders.is_key_constant(match.group(1)) or match.group(1) in evidence.from_homes()
        form = "member" if known else "object"
        yield Sighting(match.start(), match.end(1), form, match.group(1), None, match.group(1))


def _is_set(source: Source, evidence: Evidence, match: re.Match[str]) -> bool:
    name = match.group(1)
    if evidence.is_module(name):
        return False
    if name in evidence.sets or (holders.is_set_of_flags(name) and not _is_one(source, name)):
        receiver = receiver_before(source, match.start(1))
        return not holders.is_set_of_flags(receiver) or name.isupper()
    if name in {"flags", "features", "toggles"}:
        return services.is_service(receiver_before(source, match.start(1)))
    return False


def _is_one(source: Source, name: str) -> bool:
    """Whether a name without a plural is one flag of many here: it has a name, is given values, or runs over them."""
    if name.endswith("s") or not name[:1].islower():
        return False
    return any(re.search(way.format(name=name), source.code) is not None for way in _ONE_OF_MANY)


def _is_the_only_registry(match: re.Match[str]) -> bool:
    return match.group(2) in ONLY_ONE and match.group(1)[:1].isupper() and holders.is_registry(match.group(1))


def _keyed(source: Source, evidence: Evidence, match: re.Match[str], at: int, form: str) -> Iterator[Sighting]:
    end = at
    while end < len(source.code) and source.code[end] not in "],)\n":
        end += 1
    holder = re.match(r"[A-Za-z_$][\w$]*", match.group())
    name = holder.group() if holder else "flags"
    rules = evidence.rules(name)
    vendor = rules[0].vendor if rules and form == "index" else HOMEMADE
    after = source.code[end : end + 4]
    value = value_at(source, at, end)
    if re.match(r"\]\s*=(?!=)", after) or pattern(_INDEXED_WRITTEN).match(source.code, end):
        return
    if value.kind == "literal" and holders.is_key(value.text):
        yield Sighting(match.start(), end, form, name, value.text, vendor=vendor)
    elif value.kind == "name" and value.text[:1].isupper():
        yield Sighting(match.start(), end, form, name, None, value.text, vendor=vendor)
