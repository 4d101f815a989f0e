"""What speaks for a call being a flag's: packages that are mentioned, imports, wrappers that the project has."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Iterable

from experiment_tracker_tools.flags import holders, names, services
from experiment_tracker_tools.flags.arguments import Argument
from experiment_tracker_tools.flags.catalogue import Rule, packages, rules_in
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.places import values_at
from experiment_tracker_tools.flags.sighting import HOMEMADE
from experiment_tracker_tools.flags.vocabulary import Vocabulary

_SAME_PACKAGES = {"page": "ts", "template": "py"}
_PYTHON_IMPORT = r"(?m)^[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]+)"
_PYTHON_MODULE = r"(?m)^[ \t]*import[ \t]+([\w.]+)(?:[ \t]+as[ \t]+(\w+))?"
_SCRIPT_IMPORT = (
    r"\bimport\s+(?:type\s+)?([\w$*\s{},]+?)\s+from\s*(?=[\"'])|\b(?:const|let|var)\s+(\{[^}]*\}|"
    r"\w+)\s*=\s*require\(\s*(?=[\"'])"
)


_GO_IMPORT = r"(?m)^[ \t]*(?:import[ \t]+)?(?:(\w+)[ \t]+)?\"([\w./\-]+)\"[ \t]*$"
_STATIC_IMPORT = r"(?m)^[ \t]*import[ \t]+(?:static[ \t]+)?[\w.]*\b([A-Z]\w*)\.([A-Z][A-Z0-9_]*)\b"


# How a name comes to be: it is given a value, or declared with a type in front of it or behind it.
_ORIGINS = (
    r"(?<![\w.$])_?{name}[ \t]*(?::[ \t]*[\w.<>\[\]]+)?[ \t]*(?::=|=(?![=>]))[^\n;]{{0,160}}",
    r"\b[\w.]*[A-Z]\w*(?:<[^<>]*>)?[ \t]+_?{name}[ \t]*[,;)=]",
    r"(?<![\w.$])_?{name}(?:[ \t]*:[ \t]*&?|[ \t]+\*?)[\w.:]+[ \t]*[,;)=\n]",
)


# What is imported under such a name is a function, and no module.
_VERB = r"_?(?:get|set|is|has|load|check|parse|to|from|make|read|with)_"


# Names that say too little by themselves; what stands in their brackets decides.
_ALSO = frozenset("has hasFeature HasFeature has_feature has_feature? useExperiment useFeature useFlag".split())


class Evidence:
    """What one file, and the project around it, says about names.

    Attributes:
        sets: names of objects in this file whose members are flags.
        settings: names of objects that this file imports, whose members are flags where something hangs on them.
    """

    def __init__(self, source: Source, vocabulary: Vocabulary) -> None:
        self._text, self.vocabulary = source.text, vocabulary
        self._language = _SAME_PACKAGES.get(source.language, source.language)
        self._mentioned: dict[str, bool] = {}
        self._spoken: dict[str, bool] = {}
        self._origins: dict[str, str] = {}
        self._code = source.code
        self._homes, self._modules = _imports(source)
        self._members = _static_imports(source)
        self._own = rules_in(self._language)
        self.sets = _sets(source)
        self.settings = _settings(source)
        if self._language == "ts" and "withLDConsumer" in source.text and self.mentions("launchdarkly"):
            self.sets |= {"flags"}

    def interests(self, name: str) -> bool:
        """Whether a call of that name is worth reading."""
        return (
            name in self._own
            or name in self.vocabulary.wrappers
            or name in self._homes
            or names.asks_for_a_flag(name)
            or names.asks_within(name)
            or names.evaluates(name)
            or names.sends_an_event(name)
            or services.may_ask_a_service(name)
            or name in _ALSO
        )

    def rules(self, name: str) -> list[Rule]:
        """The vendors' shapes of that name in this file's language."""
        return self._own.get(name, [])

    def mentions(self, vendor: str) -> bool:
        """Whether the file names one of the vendor's packages."""
        if vendor not in self._mentioned:
            listed = packages().get(vendor, {}).get(self._language, [])
            named = self._language == "php" and _uses_namespace(self._text, vendor)
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

    def origin(self, receiver: str) -> str:
        """What a receiver was made from, or its type, where this file says so."""
        root = re.match(r"(?:this\.|self\.|@)?_?([A-Za-z_$][\w$]*)$", receiver)
        if root is None:
            return ""
        name = root.group(1)
        if name not in self._origins:
            ways = (re.search(way.format(name=re.escape(name)), self._code) for way in _ORIGINS)
            self._origins[name] = "\n".join(found.group() for found in ways if found is not None)
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
    stranger = rule.receiver is None and not names.is_self_evident(name) and services.is_of_another_trade(receiver)
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


def names_package(text: str, package: str) -> bool:
    """Whether a text names a package where imports and manifests name them."""
    at = text.find(package)
    while at >= 0:
        before = text[max(0, at - 40) : at]
        if re.search(
            r"(?:[\"'`@/.\\<]|import\s+|from\s+|use\s+|using\s+|require\s+|alias\s+|^|\n)[\w./@\\\-]*$", before
        ):
            return True
        at = text.find(package, at + 1)
    return False


def _uses_namespace(text: str, vendor: str) -> bool:
    return re.search(rf"(?i)\buse\s+\\?{re.escape(_stem(vendor))}", text) is not None


def _imports(source: Source) -> tuple[set[str], set[str]]:
    """Names that come from modules about flags, and names that are modules."""
    if source.language == "py":
        return _python_imports(source)
    if source.language in {"ts", "page"}:
        return _script_imports(source), set()
    if source.language == "go":
        return set(), _go_packages(source)
    return set(), set()


def _static_imports(source: Source) -> dict[str, str]:
    """Members of classes that are imported by themselves, as Java and Kotlin do."""
    if source.language not in {"java", "kt"}:
        return {}
    return {name: f"{owner}.{name}" for owner, name in pattern(_STATIC_IMPORT).findall(source.code)}


def _python_imports(source: Source) -> tuple[set[str], set[str]]:
    homes: set[str] = set()
    modules: set[str] = set()
    if "import" not in source.code:
        return homes, modules
    for module, given in pattern(_PYTHON_IMPORT).findall(source.code):
        for imported, known_as in _listed(given):
            if holders.is_home_of_flags(module):
                homes.add(known_as)
            if imported.islower() and holders.is_home_of_flags(imported) and not re.match(_VERB, imported):
                modules.add(known_as)
                homes.add(known_as)
    for module, alias in pattern(_PYTHON_MODULE).findall(source.code):
        modules.add(alias or module.split(".")[0])
    return homes, modules


def _go_packages(source: Source) -> set[str]:
    """What a file of Go calls the packages that it imports."""
    return {known_as or path.rpartition("/")[2] for known_as, path in pattern(_GO_IMPORT).findall(source.text[:20_000])}


def _script_imports(source: Source) -> set[str]:
    homes: set[str] = set()
    for module, given in _imported(source):
        if holders.is_home_of_flags(module):
            homes.update(known_as for _, known_as in _listed(given))
    return homes


def _listed(given: str) -> Iterable[tuple[str, str]]:
    for part in re.split(r"[,{}()\s]*[,{}()\n]\s*", given.strip()):
        found = re.match(r"^(?:type\s+)?([\w$]+)(?:\s*(?:as|:)\s*([\w$]+))?$", part.strip())
        if found is not None:
            yield found.group(1), found.group(2) or found.group(1)


_HOOKS = (
    r"(?:\b(?:const|let|var|val)\s+)(\{[^}]{1,400}\}|[\w$]+)\s*=\s*(?:await\s+)?([\w$.]*?(?:[uU]se|"
    r"[gG]et)\w*?(?:Flags|Toggles|Features))\(\s*\)"
)


def _sets(source: Source) -> frozenset[str]:
    """Objects that hold all flags: what a hook such as useFlags() gave."""
    if source.language not in {"ts", "page"}:
        return frozenset()
    found: set[str] = set()
    for match in pattern(_HOOKS).finditer(source.code):
        if match.group(1).startswith("{"):
            found.update(each for each in re.findall(r"[\w$]+", match.group(1)) if each in _SETTINGS)
        elif "Flags" in match.group(2):
            found.add(match.group(1))
    return frozenset(found)


_SETTINGS = frozenset("features flags toggles".split())
# Modules of Python whose names leave no doubt; what they hold may also be functions.
_OWN_MODULES = frozenset("feature_flags feature_toggles".split())
_KEEPERS = ("config", "settings", "features", "flags", "toggles", "constants", "env")


def _settings(source: Source) -> frozenset[str]:
    """What a file imports from the project's settings under a name that says flags."""
    if not any(word in source.code for word in _SETTINGS):  # of which the modules' names end in one
        return frozenset()
    listed = ((module, known_as) for module, group in _imported(source) for _, known_as in _listed(group))
    return frozenset(
        known_as
        for module, known_as in listed
        if known_as in _OWN_MODULES or (known_as in _SETTINGS and _keeps(module))
    )


def _imported(source: Source) -> Iterable[tuple[str, str]]:
    """Modules, and what a file imports from each, as it is written."""
    if source.language == "py":
        yield from pattern(_PYTHON_IMPORT).findall(source.code)
    elif source.language in {"ts", "page"}:
        for match in pattern(_SCRIPT_IMPORT).finditer(source.code):
            module = source.string_at(match.end())
            if module is not None:
                yield module[0], match.group(1) or match.group(2)


def _keeps(module: str) -> bool:
    last = re.split(r"[/.]", re.sub(r"\.(?:[jt]sx?|json|mjs)$", "", module))[-1].lower()
    return last.endswith(_KEEPERS)
