"""What a file imports: packages, modules about flags and what is taken from them.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Iterable, Iterator, Sequence

from experiment_tracker_tools.flags import holders, keepers
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern

# Each line begins behind another's end, which is looked for fast; in front of the first one an end is put.
_PYTHON_IMPORT = r"\n[ \t]*from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n]+)"
_PYTHON_MODULE = r"\n[ \t]*import[ \t]+([\w.]+)(?:[ \t]+as[ \t]+(\w+))?"
_SCRIPT_IMPORT = r"\bimport\s+(?:type\s+)?([\w$*\s{},]+?)\s+from\s*(?=[\"'])"
# All that may stand between an import and the module's text: what does not end with one holds no import.
_MAY_IMPORT = r"import(?<=\bimport)\s[\w$*\s{},]+"
_REQUIRED = r"\b(?:const|let|var)\s+(\{[^}]*\}|\w+)\s*=\s*require\(\s*(?=[\"'])"


_GO_IMPORT = r"(?m)^[ \t]*(?:import[ \t]+)?(?:(\w+)[ \t]+)?\"([\w./\-]+)\"[ \t]*$"
_STATIC_IMPORT = r"(?m)^[ \t]*import[ \t]+(?:static[ \t]+)?[\w.]*\b([A-Z]\w*)\.([A-Z]\w*)\b"
# What is imported under such a name is a function, and no module.
_VERB = r"_?(?:get|set|is|has|load|check|parse|to|from|make|read|with)_"
# Languages that take classes by their full names.
_TAKEN = r"(?m)^[ \t]*(?:import|using|use)[ \t]+(?:static[ \t]+)?\\?([\w.:\\]+)(?:(?:::|\\)\{([^}]*)\})?"


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


def uses_namespace(text: str, stem: str) -> bool:
    """Whether a file of PHP uses a namespace that begins so."""
    return re.search(rf"(?i)\buse\s+\\?{re.escape(stem)}", text) is not None


def homes_and_modules(source: Source) -> tuple[set[str], set[str]]:
    """Names that come from modules about flags, and names that are modules."""
    if source.language == "py":
        return _python_imports(source)
    if source.language in {"ts", "page"}:
        return _script_imports(source), set()
    if source.language == "go":
        return set(), _go_packages(source)
    return set(), set()


def static_imports(source: Source) -> dict[str, str]:
    """Members of classes that are imported by themselves, as Java and Kotlin do."""
    if source.language not in {"java", "kt"}:
        return {}
    return {name: f"{owner}.{name}" for owner, name in pattern(_STATIC_IMPORT).findall(source.code)}


def _python_imports(source: Source) -> tuple[set[str], set[str]]:
    homes: set[str] = set()
    modules: set[str] = set()
    if "import" not in source.code:
        return homes, modules
    for module, given in all_imported(source):
        for imported, known_as in taken_names(given):
            if holders.is_home_of_flags(module):
                homes.add(known_as)
            if imported.islower() and holders.is_home_of_flags(imported) and not re.match(_VERB, imported):
                modules.add(known_as)
                homes.add(known_as)
    for module, alias in pattern(_PYTHON_MODULE).findall("\n" + source.code):
        modules.add(alias or module.split(".")[0])
    return homes, modules


def _go_packages(source: Source) -> set[str]:
    """What a file of Go calls the packages that it imports."""
    return {known_as or path.rpartition("/")[2] for known_as, path in pattern(_GO_IMPORT).findall(source.text[:20_000])}


def _script_imports(source: Source) -> set[str]:
    homes: set[str] = set()
    for module, given in all_imported(source):
        if holders.is_home_of_flags(module):
            homes.update(known_as for _, known_as in taken_names(given))
    return homes


def taken_names(given: str) -> Iterable[tuple[str, str]]:
    """What an import lists: the names, and what they are known as here."""
    for part in re.split(r"[,{}()\s]*[,{}()\n]\s*", given.strip()):
        found = re.match(r"^(?:type\s+)?([\w$]+)(?:\s*(?:as|:)\s*([\w$]+))?$", part.strip())
        if found is not None:
            yield found.group(1), found.group(2) or found.group(1)


@lru_cache(maxsize=4)
def all_imported(source: Source) -> Sequence[tuple[str, str]]:
    """Modules, and what a file imports from each, as it is written."""
    if source.language == "py":
        found: list[tuple[str, str]] = pattern(_PYTHON_IMPORT).findall("\n" + source.code)
        return found
    if source.language not in {"ts", "page"}:
        return ()
    places = sorted(_script_places(source.code))
    return [(module[0], given) for at, given in places if (module := source.string_at(at)) is not None]


def _script_places(code: str) -> Iterator[tuple[int, str]]:
    """Where modules' texts begin, and what is taken from them."""
    for run in pattern(_MAY_IMPORT).finditer(code):
        if code[run.end() : run.end() + 1] not in {'"', "'"}:
            continue
        *_, last = re.finditer(r"\bimport\s", run.group())
        found = pattern(_SCRIPT_IMPORT).match(code, run.start() + last.start(), run.end() + 1)
        if found is not None:
            yield found.end(), found.group(1)
    for found in pattern(_REQUIRED).finditer(code) if "require(" in code else ():
        yield found.end(), found.group(1)


def taken_from_homes(source: Source) -> frozenset[str]:
    """Names that a file takes from modules whose names say flags: what they give or make asks for flags."""
    return frozenset(name for name in _taken(source) if name[:1] != "_")


def _taken(source: Source) -> Iterator[str]:
    if source.language in {"py", "ts", "page"}:
        for module, given in all_imported(source):
            if keepers.may_be_home(module):
                yield from (known_as for _, known_as in taken_names(given))
    elif source.language == "go":
        for known_as, path in pattern(_GO_IMPORT).findall(source.text[:20_000]):
            if keepers.may_be_home(path):
                yield known_as or path.rpartition("/")[2]
    elif source.language in {"java", "kt", "cs", "php", "rs", "swift"}:
        for path, group in pattern(_TAKEN).findall(source.code):
            if keepers.may_be_home(path):
                parts = [each for each in re.split(r"[.:\\]+", path) if each]
                yield from {parts[0], parts[-1]} if source.language in {"rs", "swift"} else {parts[-1]}
                yield from re.findall(r"\w+", group)
