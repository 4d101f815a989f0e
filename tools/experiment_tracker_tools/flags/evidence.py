"""What speaks for a call being a flag's: packages that are mentioned, imports, wrappers that the project has."""

from __future__ import annotations

import re
from functools import lru_cache

from experiment_tracker_tools.flags import keepers, names, questions, services, typed
from experiment_tracker_tools.flags.arguments import Argument
from experiment_tracker_tools.flags.catalogue import Rule, packages, rules_in
from experiment_tracker_tools.flags.imports import (
    all_imported,
    homes_and_modules,
    names_package,
    static_imports,
    taken_from_homes,
    taken_names,
    uses_namespace,
)
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.origins import ways
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.places import values_at
from experiment_tracker_tools.flags.sighting import HOMEMADE
from experiment_tracker_tools.flags.vocabulary import Vocabulary

_SAME_PACKAGES = {"page": "ts", "template": "py"}


# Names that say too little by themselves; what stands in their brackets decides.
_ALSO = frozenset(
    (
        "has hasFeature HasFeature has_feature has_feature? useExperiment useFeature useFlag useToggle getProperty "
        "feature flag featureFlag experiment when unless"
    ).split()
)


@lru_cache(maxsize=50_000)
def _may_ask(name: str) -> bool:
    """Whether a name can ask for a flag, or send an event, by itself or with what stands around it."""
    return (
        name in _ALSO
        or names.asks_for_a_flag(name)
        or names.asks_within(name)
        or names.evaluates(name)
        or names.acts_where_on(name)
        or names.sends_an_event(name)
        or services.may_ask_a_service(name)
        or questions.asks_in_its_own_words(name)
        or questions.marks_with_a_flag(name)
        or typed.makes_a_guard(name)
    )


class Evidence:
    """What one file, and the project around it, says about names.

    Attributes:
        sets: names of objects in this file whose members are flags.
        hooked: functions that a hook about flags gave.
        masks: enums whose members are bits.
        settings: names of objects that this file imports, whose members are flags where something hangs on them.
    """

    def __init__(self, source: Source, vocabulary: Vocabulary) -> None:
        self._text, self.vocabulary = source.text, vocabulary
        self._language = _SAME_PACKAGES.get(source.language, source.language)
        self._mentioned: dict[str, bool] = {}
        self._spoken: dict[str, bool] = {}
        self._origins: dict[str, str] = {}
        self._code, self._source = source.code, source
        self._near: frozenset[str] | None = None
        self._homes, self._modules = homes_and_modules(source)
        self._members = static_imports(source)
        self._own = rules_in(self._language)
        self.sets, self.hooked = _sets(source)
        self.masks = _masks(source)
        self.settings = _settings(source)
        if self._language == "ts" and "withLDConsumer" in source.text and self.mentions("launchdarkly"):
            self.sets |= {"flags"}

    def interests(self, name: str) -> bool:
        """Whether a call of that name is worth reading."""
        return (
            name in self.hooked
            or name in self._own
            or name in self.vocabulary.wrappers
            or name in self._homes
            or _may_ask(name)
            or (name == "Feature" and name in self.near())
        )

    def rules(self, name: str) -> list[Rule]:
        """The vendors' shapes of that name in this file's language."""
        return self._own.get(name, [])

    def mentions(self, vendor: str) -> bool:
        """Whether the file names one of the vendor's packages."""
        if vendor not in self._mentioned:
            listed = packages().get(vendor, {}).get(self._language, [])
            named = self._language == "php" and uses_namespace(self._text, _stem(vendor))
            self._mentioned[vendor] = named or any(names_package(self._text, package) for package in listed)
        return self._mentioned[vendor]

    def is_module(self, name: str) -> bool:
        """Whether the name is an imported module: its members are its functions and constants."""
        return name in self._modules

    def comes_from(self, vendor: str, receiver: str) -> bool:
        """Whether a receiver was made from something of the vendor's, or has a type of it."""
        if vendor not in self._spoken:
            self._spoken[vendor] = _speaks_of(vendor, self._code)
        return self._spoken[vendor] and _names_vendor(vendor, self.origin(receiver))

    def is_made_by_a_service(self, receiver: str, name: str) -> bool:
        """Whether a receiver was made from a flag service, or has the type of one, and is asked."""
        if not receiver or not (services.asks_plainly(name) or services.gets_a_variant(name)):
            return False
        return any(services.asks_a_service(word, name) for word in re.findall(r"[A-Z]\w+", self.origin(receiver)))

    def asks_a_keeper(self, receiver: str, name: str) -> bool:
        """Whether what is asked keeps flags: by its name, its type, what it was made from, or its module."""
        if not receiver or services.keeps_other_flags(receiver):
            return False
        if services.is_of_another_trade(receiver):
            return services.asks_plainly(name) and self._is_of_a_home(receiver, name, self._made_of(receiver))
        if keepers.asks_a_keeper(services.obtained(receiver), name):
            return True
        if name in {"get", "has", "Get", "Has"}:
            return False
        around = self._made_of(receiver)
        if any(keepers.asks_a_keeper(keepers.without_verb(word), name) for word in around):
            return True
        return self._is_of_a_home(receiver, name, around)

    def _made_of(self, receiver: str) -> list[str]:
        """The words of what a receiver was made from, or of itself where it is a call."""
        made = self.origin(receiver) or (receiver if receiver.endswith(")") else "")
        return re.findall(r"[A-Za-z_]\w+", made)

    def _is_of_a_home(self, receiver: str, name: str, around: list[str]) -> bool:
        """Whether what is asked is, or was made of, something that a module of flags has."""
        first = re.match(r"\w+", receiver)
        words = {*around, first.group() if first is not None and "." not in receiver else ""}
        return not words.isdisjoint(self.near()) and keepers.asks_a_keeper("flagClient", name)

    def near(self) -> frozenset[str]:
        """Names that this file takes from modules whose names say flags."""
        if self._near is None:
            self._near = taken_from_homes(self._source)
        return self._near

    def modules_of(self, name: str) -> list[str]:
        """The modules that a name is imported from."""
        return [module for module, group in all_imported(self._source) if name in dict(taken_names(group))]

    def from_homes(self) -> frozenset[str]:
        """Names that come from modules of flags."""
        return frozenset(self._homes)

    def origin(self, receiver: str) -> str:
        """What a receiver was made from, or its type, where this file says so."""
        root = re.match(r"(?:\$?this(?:\.|->)|self\.|@|\$|[a-z]\.)?_?([A-Za-z_][\w$]*)$", receiver)
        if root is None:
            return ""
        name = root.group(1)
        if name not in self._origins:
            self._origins[name] = "\n".join(ways(self._code, name))
        return self._origins[name]

    def imported(self, name: str) -> str:
        """A name with the class that a static import took it from, where one did."""
        return self._members.get(name, name)

    def comes_from_home(self, name: str, receiver: str) -> bool:
        """Whether a function was imported from a module that is about flags, and does not write."""
        first = receiver.partition(".")[0] if receiver else name
        if first not in self._homes or names.is_setter(name) or name[:1].isupper() or names.is_about_rights(name):
            return False
        return not receiver or (receiver == first and services.asks_a_service("featureFlags", name))


def chosen_rule(source: Source, evidence: Evidence, name: str, receiver: str, given: list[Argument]) -> Rule | None:
    """The vendor's shape that a call has, if the evidence carries it."""
    best: tuple[int, Rule] | None = None
    for rule in evidence.rules(name):
        score = _score(evidence, rule, name, receiver)
        if score and rule.first_literal:
            first = values_at(source, given, ({"position": 0},))
            score = score if first and first[0].text == rule.first_literal else 0
        if score and rule.key and not values_at(source, given, rule.key):
            score = 0
        if score and (best is None or score > best[0]):
            best = score, rule
    if best is None:
        return None
    # A name that several vendors share, on nobody's client, is the project's own.
    shared = {rule.vendor for rule in evidence.rules(name)}
    return best[1] if best[0] > 2 or len(shared) == 1 else best[1]._replace(vendor=HOMEMADE)


def _score(evidence: Evidence, rule: Rule, name: str, receiver: str) -> int:
    """How strong the evidence is: 0 none, 1 and 2 by name, 3 by receiver, 4 and 5 by package."""
    other_trade = not names.is_self_evident(name) and services.is_of_another_trade(receiver)
    bought = _is_bought(name, receiver) and not evidence.mentions(rule.vendor)
    stranger = rule.receiver is None and (other_trade or bought)
    if stranger or not _has_shape(evidence, rule, receiver):
        return 0
    named = _names_vendor(rule.vendor, receiver)
    if named or evidence.mentions(rule.vendor) or evidence.comes_from(rule.vendor, receiver):
        return 4 + named
    if rule.needs_import:
        return 0
    if rule.first_literal or (rule.receiver is not None and _says_more(rule.receiver, receiver)):
        return 3
    around = rule.vendor in evidence.vocabulary.vendors
    if names.is_self_evident(name) and not rule.tracks:
        return 2 + around
    return int((around or rule.tracks) and rule.receiver is not None)


def _is_bought(name: str, receiver: str) -> bool:
    """Whether a question that vendors share is put to what knows of other features: license.isFeatureEnabled(...)."""
    return questions.is_bought_or_driven(receiver) and not questions.names_the_trade(name)


def _has_shape(evidence: Evidence, rule: Rule, receiver: str) -> bool:
    if rule.shape in {"func", "hook", "component"} and receiver and not _is_package(rule.vendor, receiver):
        return False
    if rule.shape in {"method", "static"} and not receiver:
        return False
    if rule.receiver is None or pattern(rule.receiver).search(receiver) is not None:
        return True
    # A short name says nothing; what it is a client of may.
    made = evidence.origin(receiver) if evidence.mentions(rule.vendor) else ""
    return pattern(rule.receiver).search(made) is not None


@lru_cache(maxsize=4096)
def _is_package(vendor: str, receiver: str) -> bool:
    """Whether a receiver is the vendor's own module, as in waffle.switch_is_active."""
    return any(receiver == package for listed in packages()[vendor].values() for package in listed)


_GENERIC = r"client|user|ctx|context|analytics|child|factory|flag|feature|ff|\^\$"


@lru_cache(maxsize=4096)
def _says_more(expression: str, receiver: str) -> bool:
    """Whether a receiver fits by more than a word that any client could be called."""
    _, _, alternatives = expression.rpartition("(?i)")
    kept = "|".join(each for each in alternatives.split("|") if not pattern(_GENERIC).fullmatch(each))
    return bool(kept) and kept.count("(") == kept.count(")") and pattern(f"(?i){kept}").search(receiver) is not None


@lru_cache(maxsize=4096)
def _names_vendor(vendor: str, text: str) -> bool:
    """Whether an expression has the vendor's name in it, or a package of it."""
    return _speaks_of(vendor, text)


def _speaks_of(vendor: str, text: str) -> bool:
    listed = packages()[vendor].values()
    modules = {package for group in listed for package in group if package.isidentifier() and len(package) > 5}
    return _stem(vendor) in text.lower().replace("_", "") or any(module in text for module in modules)


def _stem(vendor: str) -> str:
    return vendor.partition("-")[0] if vendor not in {"go-feature-flag", "vercel-flags"} else "ffclient"


_MASK = r"\[Flags(?:Attribute)?\]\s*(?:\w+\s+)*enum\s+(\w+)|\bclass\s+(\w+)\((?:enum\.)?(?:Int)?Flag\)"


# A table of bits: FEATURES = { fields: 1 << 1 }.
_SHIFTED = r"\b(?:enum|const|let|var|class)\s+(\w+)\b[^{};]{0,80}\{\s*\w+\s*[:=]\s*\d+\s*<<"


def _masks(source: Source) -> frozenset[str]:
    """Enums whose members are bits of a number."""
    shifted: set[str] = (
        {match.group(1) for match in pattern(_SHIFTED).finditer(source.code)} if "<<" in source.code else set()
    )
    if source.language not in {"py", "cs"} or "Flag" not in source.code:
        return frozenset(shifted)
    return frozenset(shifted | {first or second for first, second in pattern(_MASK).findall(source.code)})


# What a hook cannot do without is looked for first.
_ALL = r"(?:Flags|Toggles|Features|FlagMap|FlagsMap|FlagValues)"
_GIVES_ALL = rf"{_ALL}\(\s*\)"
_HOOKS = (
    r"(?:\b(?:const|let|var|val)\s+)(\{[^}]{1,400}\}|[\w$]+)\s*=\s*(?:await\s+)?([\w$.]*?(?:[uU]se|"
    rf"[gG]et)\w*?{_ALL})\(\s*\)"
)
# A hook without a key gives what is asked with one: const gate = useGate().
_USES = (
    r"use(?:Feature)?(?:Gate|Flag|FeatureFlag|FeatureToggle|Experiment|Variant)"
    r"(?:Checker|Check|Getter|Value|Client)?\(\s*\)"
)
_GIVES_A_QUESTION = rf"\b(?:const|let|var)\s+([\w$]+)\s*=\s*{_USES}"


# What is made of all flags, or has the type of it: flags = get_feature_flags(), flags: FeatureFlags.
_MADE = (
    r"(?<![\w.$])([a-z_]\w*)\s*(?::[^=\n]{1,40})?:?=\s*(?:await\s+)?(?:\w+\.)*(?:get|load|fetch|read|current)_?"
    r"[fF]eature_?[fF]lags\(\)|"
    r"(?<![\w.])(flags)\s*=\s*load_flags\(\)|"
    r"(?<![\w.$])([a-z_]\w*)\s*:\s*&?(?:\w+\.)*(?:FeatureFlags|FeatureToggles)\b(?![.\w(<\[])|"
    r"(?<![\w.$])(?:FeatureFlags|FeatureToggles)\s+([a-z_]\w*)\s*[,;)=]"
)


def _sets(source: Source) -> tuple[frozenset[str], frozenset[str]]:
    """Objects that hold all flags, as a hook such as useFlags() gave them, and the functions that it gave."""
    found: set[str] = set()
    if any(word in source.code for word in ("eatureFlags", "eature_flags", "FeatureToggles", "load_flags")):
        found.update(name for match in pattern(_MADE).finditer(source.code) for name in match.groups() if name)
    if source.language not in {"ts", "page"}:
        return frozenset(found), frozenset()
    functions: set[str] = set()
    for match in pattern(_HOOKS).finditer(source.code) if pattern(_GIVES_ALL).search(source.code) else ():
        if match.group(1).startswith("{"):
            given = re.findall(r"[\w$]+", match.group(1))
            found.update(each for each in given if each in _SETTINGS)
            functions.update(given)
        elif "Flag" in match.group(2):
            found.add(match.group(1))
    if pattern(_USES).search(source.code):
        functions.update(match.group(1) for match in pattern(_GIVES_A_QUESTION).finditer(source.code))
    return frozenset(found), frozenset(functions)


_SETTINGS = frozenset("features flags toggles".split())
# Modules of Python whose names leave no doubt; what they hold may also be functions.
_OWN_MODULES = frozenset("feature_flags feature_toggles".split())
_KEEPERS = ("config", "settings", "features", "flags", "toggles", "constants", "env")


def _settings(source: Source) -> frozenset[str]:
    """What a file imports from the project's settings under a name that says flags."""
    if not any(word in source.code for word in _SETTINGS):  # of which the modules' names end in one
        return frozenset()
    listed = ((module, known_as) for module, group in all_imported(source) for _, known_as in taken_names(group))
    return frozenset(
        known_as
        for module, known_as in listed
        if known_as in _OWN_MODULES or (known_as in _SETTINGS and _keeps(module))
    )


def _keeps(module: str) -> bool:
    last = re.split(r"[/.]", re.sub(r"\.(?:[jt]sx?|json|mjs)$", "", module))[-1].lower()
    return last.endswith(_KEEPERS)
