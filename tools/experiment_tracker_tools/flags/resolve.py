"""The second pass: names in keys' places are followed to their keys; wrappers, thunks and registries are applied."""

from __future__ import annotations

import re
from collections import Counter
from typing import Iterable, Iterator, Mapping, NamedTuple

from experiment_tracker_tools.flags import holders, names
from experiment_tracker_tools.flags.arguments import arguments
from experiment_tracker_tools.flags.detect import sightings
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.facts import Facts, Seen
from experiment_tracker_tools.flags.keys import key_asked, key_of
from experiment_tracker_tools.flags.languages import language_of
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.sighting import HOMEMADE
from experiment_tracker_tools.flags.vocabulary import Vocabulary


class Use(NamedTuple):
    """One line where a flag is read, switched or declared.

    Attributes:
        key: the flag's key.
        path, line: where.
        form: call, member, object, index, component, decorator, environment, wrapper, thunk, registry.
        call: the function or object, with what it is a member of.
        vendor: whose call shape it is, or home-made.
        kind: boolean, multivariate, experiment, config, toggle, define.
        default: source of the fallback value, or None.
        exposure: automatic, by hand or none.
        offset, end: where in the text.
    """

    key: str
    path: str
    line: int
    form: str
    call: str
    vendor: str
    kind: str
    default: str | None
    exposure: str
    offset: int
    end: int


class Event(NamedTuple):
    """One line that sends an analytics event."""

    name: str
    path: str
    line: int
    call: str
    vendor: str
    offset: int
    end: int


class Found(NamedTuple):
    """Flags and events of one file."""

    uses: tuple[Use, ...]
    events: tuple[Event, ...]


_GENERIC = frozenset(
    (
        "isEnabled is_enabled enabled enabled? IsEnabled isOn is_on isActive is_active check get value getValue "
        "get_value variant variation feature evaluate evaluates test run exec call handle has use if when allow main "
        "render setup init execute process create find load"
    ).split()
)


_DEFINED = (
    r"\b(?:def|function|func|fun|fn|bool|boolean|Boolean|async|Bool|val|var|string)\??\s+(?:self\.|[A-Z]\w*\.|\([^)]*\)\s*)?$|"
    r"\bnameof\($"
)
# Where a method, or what is computed, is asked without brackets.
_NO_BRACKETS = {
    "rb": r"(?<=[?])(?![\w:=(])",
    "cs": r"(?![\w(]|\s*(?:=[^=]|\())",
    "swift": r"(?![\w(:]|\s*=[^=])",
    "kt": r"(?![\w(:]|\s*=[^=])",
}
_OF_SCRIPTS = r"\s*(?::\s*\w[\w<>\[\] |.]*)?\s*\{"
_OF_CLASSES = r"\s*(?:throws [\w, ]+)?(?:\{|=>)"
_BODIES = {"ts": _OF_SCRIPTS, "page": _OF_SCRIPTS, "java": _OF_CLASSES, "cs": _OF_CLASSES}


def is_test(path: str) -> bool:
    """Whether a file tests others: what it declares stands in for the real thing.

    >>> is_test("web/app.test.ts"), is_test("tests/test_app.py"), is_test("web/contest.ts")
    (True, True, False)
    """
    return (
        re.search(
            r"(?:^|/)(?i:tests?|specs?|__tests__|__mocks__|mocks|fixtures|testing|e2e|cypress)/|(?:^|/)test_|"
            r"[._-](?:test|spec|mock|stories)s?\.\w+$|[a-z](?:Test|Tests|Spec)\.\w+$|conftest",
            path,
        )
        is not None
    )


def vocabulary_of(
    facts: Mapping[str, Facts], vendors: Iterable[str] = (), wrappers: Mapping[str, int] | None = None
) -> Vocabulary:
    """What the files say together."""
    mentioned = {*vendors, *(vendor for each in facts.values() for vendor in each.vendors)}
    asked = {each.what.name.rpartition(".")[2] for one in facts.values() for each in one.seen if each.what.name}
    asked |= {thunk.reference.rpartition(".")[2] for one in facts.values() for thunk in one.thunks if thunk.reference}
    keys = _keys(facts, asked)
    registries = _registries(facts)
    vocabulary = Vocabulary(frozenset(mentioned), {}, keys, {}, registries)
    return vocabulary._replace(wrappers={**_wrappers(facts), **(wrappers or {})}, thunks=_thunks(facts, vocabulary))


def _keys(facts: Mapping[str, Facts], asked: set[str]) -> dict[str, str]:
    values: dict[str, set[str]] = {}
    for one in facts.values():
        for each in one.constants:
            if each.name in asked or holders.is_registry(each.container) or holders.is_key_constant(each.name):
                values.setdefault(each.name, set()).add(each.value)
                if each.container:
                    values.setdefault(f"{each.container}.{each.name}", set()).add(each.value)
    return {name: found.pop() for name, found in values.items() if len(found) == 1}


def _registries(facts: Mapping[str, Facts]) -> frozenset[str]:
    """Containers of which a member stands in a key's place somewhere."""
    asked = {
        tuple(each.what.name.split(".")[-2:])
        for one in facts.values()
        for each in one.seen
        if each.what.name and "." in each.what.name and each.what.form != "track"
    }
    known = {(each.container, each.name) for one in facts.values() for each in (*one.constants, *one.members)}
    return frozenset(container for container, _ in asked & known)


def _wrappers(facts: Mapping[str, Facts]) -> dict[str, int]:
    places: dict[str, set[int]] = {}
    for path, one in facts.items():
        for each in one.wrappers if not is_test(path) else ():
            places.setdefault(each.name, set()).add(each.position)
    return {name: found.pop() for name, found in places.items() if len(found) == 1 and _may_wrap(name)}


def _may_wrap(name: str) -> bool:
    return name not in _GENERIC and (
        names.is_about_flags(name) or re.search(r"[a-z][A-Z]|[a-z]_[a-z]", name) is not None
    )


def _thunks(facts: Mapping[str, Facts], vocabulary: Vocabulary) -> dict[str, str]:
    count = Counter(thunk.name for one in facts.values() for thunk in one.thunks)
    found: dict[str, str] = {}
    for path, one in facts.items():
        for thunk in one.thunks if not is_test(path) else ():
            key = thunk.key or (key_of(thunk.reference, one.constants, vocabulary) if thunk.reference else None)
            if (
                key is not None
                and count[thunk.name] == 1
                and thunk.name not in _GENERIC
                and not names.asks_for_a_flag(thunk.name)
                and thunk.name not in vocabulary.wrappers
            ):
                found[thunk.name] = key
    return found


def resolved(path: str, text: str, facts: Facts, vocabulary: Vocabulary) -> Found:
    """Flags and events of one file, with what the project knows."""
    language = language_of(path)
    assert language is not None
    seen: Iterable[Seen] = facts.seen
    extra: list[Use] = []
    words = [name for name in (*vocabulary.wrappers, *vocabulary.thunks, *vocabulary.registries) if name in text]
    if words:
        source = Source(text, language)
        evidence = Evidence(source, vocabulary)
        seen = [Seen(source.line_of(each.offset), each) for each in sightings(source, evidence)]
        extra = [*_thunk_uses(path, source, vocabulary), *_registry_uses(path, source, vocabulary)]
    uses = [use for each in seen if (use := _use(path, each, facts, vocabulary)) is not None]
    events = [event for each in seen if (event := _event(path, each, facts, vocabulary)) is not None]
    # A predicate that the project declares is told by the flag that it gives.
    uses = [use for use in uses if use.form != "member" or use.key not in vocabulary.thunks]
    placed = {(use.key, use.line) for use in uses}
    uses += [use for use in extra if (use.key, use.line) not in placed]
    return Found(tuple(sorted(uses, key=lambda use: (use.offset, use.key))), tuple(events))


def _use(path: str, seen: Seen, facts: Facts, vocabulary: Vocabulary) -> Use | None:
    each = seen.what
    if each.form == "track":
        return None
    key = each.key
    if key is None:
        key = key_asked(each.call, each.name or "", facts.constants, vocabulary, receiver=each.receiver)
    if key is not None and not holders.is_key(key) and each.key is None and (each.name or "").isupper():
        key = each.name  # a constant whose text is for people: PROFILES = "ENS Profiles"
    if key is None or not holders.is_key(key) or (each.form == "object" and key == each.name):
        return None
    call = f"{each.receiver}.{each.call}" if each.receiver else each.call
    return Use(
        key,
        path,
        seen.line,
        each.form,
        call[-60:],
        each.vendor,
        each.kind,
        each.default,
        each.exposure,
        each.offset,
        each.end,
    )


def _event(path: str, seen: Seen, facts: Facts, vocabulary: Vocabulary) -> Event | None:
    each = seen.what
    if each.form != "track":
        return None
    name = each.key if each.key is not None else key_of(each.name or "", facts.constants, vocabulary)
    call = f"{each.receiver}.{each.call}" if each.receiver else each.call
    return None if name is None else Event(name, path, seen.line, call[-60:], each.vendor, each.offset, each.end)


def _thunk_uses(path: str, source: Source, vocabulary: Vocabulary) -> Iterator[Use]:
    present = [name for name in vocabulary.thunks if name in source.code]
    if not present:
        return
    follows = rf"(?:\s*(\()|{_NO_BRACKETS.get(source.language, '(?!)')})"
    for match in re.finditer(rf"(?<![\w$@])(?<!(?<!:):)({'|'.join(map(re.escape, present))}){follows}", source.code):
        before = source.code[max(0, match.start() - 40) : match.start()]
        if re.search(_DEFINED, before) or (match.group(2) and _is_header(source, match.end(2) - 1)):
            continue
        key = vocabulary.thunks[match.group(1)]
        line = source.line_of(match.start())
        yield Use(
            key, path, line, "thunk", match.group(1), HOMEMADE, "boolean", None, "none", match.start(), match.end()
        )


def _is_header(source: Source, opening: int) -> bool:
    """Whether brackets are those of a method that is being defined: its body, or its type and body, come behind."""
    parsed = arguments(source, opening) if source.language in _BODIES else None
    return (
        parsed is not None and re.match(_BODIES[source.language], source.code[parsed[1] : parsed[1] + 120]) is not None
    )


def _registry_uses(path: str, source: Source, vocabulary: Vocabulary) -> Iterator[Use]:
    present = [name for name in vocabulary.registries if name in source.code]
    if not present:
        return
    for match in re.finditer(
        rf"(?<![\w$])({'|'.join(map(re.escape, present))})(?:\.|::)([A-Za-z_]\w*)(?!\w*\()", source.code
    ):
        key = vocabulary.keys.get(f"{match.group(1)}.{match.group(2)}")
        if key is None and match.group(2).isupper() and len(match.group(2)) > 2:
            key = match.group(2)
        if key is not None and holders.is_key(key) and not _is_imported(source.code, match.start()):
            line = source.line_of(match.start())
            call = f"{match.group(1)}.{match.group(2)}"
            yield Use(key, path, line, "registry", call, HOMEMADE, "boolean", None, "none", match.start(), match.end())


def _is_imported(code: str, offset: int) -> bool:
    line = code[code.rfind("\n", 0, offset) + 1 : offset]
    return re.match(r"\s*(?:import|from|package|namespace|using|use)\b", line) is not None


def declared_uses(facts: Mapping[str, Facts], uses: Iterable[Use]) -> list[Use]:
    """Where keys are declared that a use corroborates: constants and registries' members."""
    known = {use.key for use in uses}
    placed = {(use.key, use.path, use.line) for use in uses}
    found: list[Use] = []
    for path, one in facts.items():
        for each in one.listed():
            if each.key in known and (each.key, path, each.line) not in placed:
                placed.add((each.key, path, each.line))
                found.append(
                    Use(
                        each.key, path, each.line, "declaration", each.container, HOMEMADE, "define", None, "none", 0, 0
                    )
                )
    return found
