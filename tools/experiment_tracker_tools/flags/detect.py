"""Where one file asks for a flag, sends an event or names a key: by vendor shapes, by names, by imports."""

from __future__ import annotations

import re
from typing import Iterator, NamedTuple, Sequence, Tuple

from experiment_tracker_tools.flags import names
from experiment_tracker_tools.flags.arguments import (
    Argument,
    Value,
    arguments,
    bare_arguments,
    receiver_before,
    value_at,
)
from experiment_tracker_tools.flags.catalogue import Rule
from experiment_tracker_tools.flags.evidence import HOMEMADE, Evidence, chosen_rule
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.places import default_of, first_key, values_at

Span = Tuple[int, int]


class Sighting(NamedTuple):
    """One place where a flag is read, switched or declared, or an event is sent.

    Attributes:
        offset, end: where the call or member begins and ends.
        form: call, wrapper, member, index, component, decorator, environment, or track for events.
        call: name of the function, method or object.
        key: the flag's key or the event's name, where it stands there; None where only a name does.
        name: the constant, member or parameter that stands in the key's place; None for a literal.
        receiver: what it is a member of.
        vendor: whose call shape it is, or home-made.
        kind: boolean, multivariate, experiment, config, toggle, define, event.
        default: source of the fallback value; None where none is given.
        exposure: automatic, by hand or none.
    """

    offset: int
    end: int
    form: str
    call: str
    key: str | None = None
    name: str | None = None
    receiver: str = ""
    vendor: str = HOMEMADE
    kind: str = "boolean"
    default: str | None = None
    exposure: str = "none"


class Call(NamedTuple):
    """A call as it is written."""

    name: str
    receiver: str
    start: int
    given: list[Argument]
    end: int


_CALLED = re.compile(r"(?<![\w$])([A-Za-z_$][\w$]*[?!]?)\s*(?:(?:::)?<[\w\s.,|<>\[\]\"'\x01?]{1,80}>\s*)?(\()")
_BARE = r"\.([a-z_]\w*[?!]?)[ \t]+(?=[:\"'A-Z])|(?<![\w.:$@])([a-z_]\w*[?!]?)[ \t]+(?=:[a-z\"']|[\"'])"
_STRUCT = r"(?<![\w$])([A-Z]\w*Request)\s*\{"
_COMPONENT = r"<([A-Z][\w.]*)(?=[\s/])"
_FLAG_COMPONENT = (
    r"(?i)^(?:with|if|when|show)?(?:feature|feature_?flag|flag|toggle|experiment)"
    r"(?:flag|gate|toggle|enabled|gated?|flagged|guard|provider)?$"
)
_FLAG_PROPERTIES = "flag feature name flagKey featureKey flagName featureFlag experiment toggle".split()
_TEMPLATE_TAG = r"\{%-?\s*(flag|switch|sample)\s+"
_INDEXED = r"(?<![\w$])([A-Za-z_$][\w$]*)\??\.?\[\s*(?=[\"'`:])"
_MEMBER = r"(?<![\w$])([A-Za-z_$][\w$]*)(?=(?:\(\))?(?:\?\.|!?\.|->|::)([A-Za-z_]\w*))"
_GETTER = r"(?:\?\.|\.)get\(\s*(?=[\"'`:])"
_DEFINES = (
    r"(?:\b(?:def|function|func|fun|fn|sub|class|async|suspend|override|void|bool|boolean|Boolean|Task|"
    r"new)\s+(?:\([^)]*\)\s*)?|\*)$"
)
_ENVIRONMENT = (
    r"(?:\bprocess\.env|\bimport\.meta\.env|\bos\.environ|\bENV|\bDeno\.env)(?:\.(?:get|fetch)\(|\[|"
    r"\.)\s*(?:([A-Z][A-Z0-9_]+)\b|(?=[\"']))|"
    r"\b(?:os\.getenv|os\.Getenv|System\.getenv|getenv|env|env\.bool|getBoolEnv|get_bool_env|env_bool|"
    r"os\.LookupEnv)\(\s*(?=[\"'])"
)
_IMPORTS = r"(?:^|\n)[ \t]*(?:import|from|package|using|use)\b[^\n]*$"
_NOT_MEMBERS = frozenset(
    (
        "length size map get set has filter keys values entries forEach find some every isEnabled enabled then data "
        "loading error subscribe pipe update push reduce includes items isLoading toJSON toString prototype value "
        "current state default contains isEmpty copy first last count each any all delete add clear concat join sort "
        "slice constructor call apply bind name type class key id flags isActive is_enabled bool ready fetch reload "
        "refresh reset init load register connect initialize close service provider client store"
    ).split()
)


def sightings(source: Source, evidence: Evidence, span: Span | None = None) -> list[Sighting]:
    """All that one file shows, or what begins inside of a span, in the order of its text."""
    inside = span or (0, len(source.code))
    found = [*_calls(source, evidence, inside), *_members(source, evidence, inside), *_environment(source, inside)]
    if source.language in {"ts", "page"}:
        found += _components(source, evidence, inside)
    if source.language in {"rb", "ex", "template"}:
        found += _bare_calls(source, evidence, inside)
    if source.language == "template" or "{%" in source.text:
        found += _template_tags(source, inside)
    within = [(each.offset, each.end, each.name) for each in found if each.name and each.form != "member"]
    kept = {
        each
        for each in found
        if each.form != "member" or not any(s <= each.offset < e and name == each.name for s, e, name in within)
    }
    return sorted(kept, key=lambda each: (each.offset, each.key or "", each.name or ""))


def _calls(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    code = source.code
    if source.language in {"go", "rs"}:
        for match in pattern(_STRUCT).finditer(code, *inside):
            yield from _struct(source, evidence, match)
    for match in _CALLED.finditer(code, *inside):
        name, start = match.group(1), match.start(1)
        if not evidence.interests(name) or pattern(_DEFINES).search(code[max(0, start - 60) : start]):
            continue
        parsed = arguments(source, match.start(2))
        if parsed is not None:
            yield from _call(source, evidence, Call(name, receiver_before(source, start), start, *parsed))


def _struct(source: Source, evidence: Evidence, match: re.Match[str]) -> Iterator[Sighting]:
    parsed = arguments(source, match.end() - 1)
    for rule in evidence.rules(match.group(1)):
        if rule.shape == "new" and evidence.mentions(rule.vendor) and parsed is not None:
            whole = [Argument(None, match.end() - 1, parsed[1])]
            yield from _by_rule(source, rule, Call(match.group(1), "", match.start(), whole, parsed[1]), "call")


def _bare_calls(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    for match in pattern(_BARE).finditer(source.code, *inside):
        name, group = match.group(1) or match.group(2), 1 if match.group(1) else 2
        if evidence.interests(name):
            given, start = bare_arguments(source, match.end()), match.start(group)
            end = given[-1].end if given else match.end()
            yield from _call(source, evidence, Call(name, receiver_before(source, start), start, given, end))


def _call(source: Source, evidence: Evidence, call: Call) -> Iterator[Sighting]:
    rule = chosen_rule(source, evidence, call.name, call.receiver, call.given)
    if rule is not None and rule.key_from == "receiver":
        name = call.receiver.rpartition(".")[2]
        yield Sighting(call.start, call.end, "call", call.name, None, name, call.receiver, rule.vendor)
    elif rule is not None:
        yield from _by_rule(source, rule, call, "track" if rule.tracks else _form(rule))
    elif names.sends_an_event(call.name):
        event = first_key(source, call.given, events=True)
        if event is not None:
            yield Sighting(call.start, call.end, "track", call.name, *_told(event), call.receiver, kind="event")
    else:
        yield from _home_made(source, evidence, call)


def _home_made(source: Source, evidence: Evidence, call: Call) -> Iterator[Sighting]:
    position = evidence.vocabulary.wrappers.get(call.name)
    if position is not None:
        found = values_at(source, call.given, ({"position": position},))
        value = found[0] if found else None
    elif (
        names.asks_for_a_flag(call.name)
        or names.asks_a_service(call.receiver, call.name)
        or evidence.comes_from_home(call.name, call.receiver)
    ):
        value = first_key(source, call.given)
    else:
        return
    if value is not None and value.kind in {"literal", "name"}:
        form, kind = "call" if position is None else "wrapper", kind_of(call.name)
        default = default_of(source, call.given, ())
        told = _told(value)
        yield Sighting(call.start, call.end, form, call.name, *told, call.receiver, HOMEMADE, kind, default)


def _by_rule(source: Source, rule: Rule, call: Call, form: str) -> Iterator[Sighting]:
    default = default_of(source, call.given, rule.default)
    kind = "event" if rule.tracks else rule.kind if rule.kind != "multivariate" else kind_of(call.name, rule.kind)
    for value in values_at(source, call.given, rule.key):
        if value.kind in {"literal", "name"} and (rule.tracks or value.kind == "name" or names.is_key(value.text)):
            told = _told(value)
            yield Sighting(
                call.start, call.end, form, call.name, *told, call.receiver, rule.vendor, kind, default, rule.exposure
            )


def _components(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    for match in pattern(_COMPONENT).finditer(source.code, *inside):
        name = match.group(1).rpartition(".")[2]
        rules = [rule for rule in evidence.rules(name) if rule.shape == "component"]
        known = [rule for rule in rules if not rule.needs_import or evidence.mentions(rule.vendor)]
        properties: Sequence[str] = [place["property"] for rule in known for place in rule.key]
        if not known and pattern(_FLAG_COMPONENT).match(name):
            properties = _FLAG_PROPERTIES
        if properties:
            yield from _properties(source, match.start(1), name, properties, known[0].vendor if known else HOMEMADE)


def _properties(source: Source, start: int, name: str, properties: Sequence[str], vendor: str) -> Iterator[Sighting]:
    tag = source.code[start : start + 600]
    tag = tag[: _end_of_tag(tag)]
    found = Sighting(start, start + len(tag), "component", name, vendor=vendor, kind="multivariate")
    for prop in properties:
        match = re.search(rf"[\s]:?{prop}=\{{?\s*(?=[\"'\[A-Za-z])", tag)
        if match is None:
            continue
        at = start + match.end()
        literals = _literals_until(source, at, found.end) if source.code[at] == "[" else [source.string_at(at)]
        constant = re.match(r"[A-Za-z_$][\w$.]*(?=\s*\})", source.code[at : at + 120])
        if constant is not None:
            yield found._replace(name=constant.group())
        yield from (found._replace(key=each[0]) for each in literals if each is not None and names.is_key(each[0]))
        return


def _end_of_tag(tag: str) -> int:
    depth = 0
    for at, sign in enumerate(tag):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        if sign == ">" and depth <= 0 and tag[at - 1] != "=":
            return at
    return len(tag)


def _literals_until(source: Source, at: int, end: int) -> list[tuple[str, int] | None]:
    closing = source.code.find("]", at, end)
    marks = re.finditer(r"[\"']", source.code[at : closing if closing > 0 else end])
    return [literal for mark in marks if (literal := source.string_at(at + mark.start())) is not None] or [None]


def _template_tags(source: Source, inside: Span) -> Iterator[Sighting]:
    for match in pattern(_TEMPLATE_TAG).finditer(source.text, *inside):
        found = re.match(r"[\"']([\w.\-:]+)[\"']", source.text[match.end() :])
        if found is not None:
            yield Sighting(match.start(), match.end(), "call", match.group(1), found.group(1), vendor="django-waffle")


def _members(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    code = source.code
    for match in pattern(_INDEXED).finditer(code, *inside):
        if _is_set(source, evidence, match):
            yield from _keyed(source, evidence, match, match.end(), "index")
    for match in pattern(_MEMBER).finditer(code, *inside):
        if not _is_set(source, evidence, match):
            continue
        member, end = match.group(2), match.end(2)
        after = code[end : end + 3].lstrip()
        if member in {"get", "has", "fetch", "getBoolean"} and after.startswith("("):
            opening = code.index("(", end)
            skip = re.match(r"\s*", code[opening + 1 :])
            yield from _keyed(source, evidence, match, opening + 1 + (skip.end() if skip else 0), "index")
        elif not after.startswith("(") and _is_read(code, match.start(), member, after):
            yield from _member(match, member, end)


def _member(match: re.Match[str], member: str, end: int) -> Iterator[Sighting]:
    held = match.group(1)
    if not held[:1].isupper():
        yield Sighting(match.start(), end, "member", held, member)
    elif member[:1].isupper() and not (held.isupper() and not member.isupper()):
        # A class or enum: what its member stands for is looked up.
        yield Sighting(match.start(), end, "member", held, None, f"{held}.{member}")


def _is_read(code: str, start: int, member: str, after: str) -> bool:
    if member in _NOT_MEMBERS or names.is_setter(member) or (after.startswith("=") and after[:2] not in {"==", "=>"}):
        return False
    return pattern(_IMPORTS).search(code[max(0, start - 200) : start]) is None


def _is_set(source: Source, evidence: Evidence, match: re.Match[str]) -> bool:
    name = match.group(1)
    if any(rule.shape == "index" for rule in evidence.rules(name)):
        return True
    if evidence.is_module(name):
        return False
    if name in evidence.sets or names.is_set_of_flags(name):
        receiver = receiver_before(source, match.start(1))
        return not names.is_set_of_flags(receiver) or name.isupper()
    return False


def _keyed(source: Source, evidence: Evidence, match: re.Match[str], at: int, form: str) -> Iterator[Sighting]:
    end = at
    while end < len(source.code) and source.code[end] not in "],)\n":
        end += 1
    rules = evidence.rules(match.group(1))
    vendor = rules[0].vendor if rules and form == "index" else HOMEMADE
    after = source.code[end : end + 4]
    value = value_at(source, at, end)
    if value.kind == "literal" and names.is_key(value.text) and not re.match(r"\]\s*=(?!=)", after):
        yield Sighting(match.start(), end, form, match.group(1), value.text, vendor=vendor)


def _environment(source: Source, inside: Span) -> Iterator[Sighting]:
    for match in pattern(_ENVIRONMENT).finditer(source.code, *inside):
        literal = source.string_at(match.end()) if match.group(1) is None else (match.group(1), match.end())
        if literal is not None and re.match(r"\]?\s*=(?![=>])", source.code[literal[1] : literal[1] + 6]):
            continue
        if literal is not None and names.is_environment_flag(literal[0]):
            yield Sighting(match.start(), literal[1], "environment", "environment", literal[0])


def kind_of(name: str, otherwise: str = "multivariate") -> str:
    """What a call of that name gives: boolean where the name says so.

    >>> kind_of("isFeatureEnabled"), kind_of("boolVariation"), kind_of("getVariant")
    ('boolean', 'boolean', 'multivariate')
    """
    lowered = name.lower()
    if re.search(r"bool|enabled|active|is_?on\b|is_?off|gate|^is_?|^has_?|^on\?|^off\?", lowered):
        return "boolean"
    if re.search(r"experiment|ab_?test|assignment", lowered):
        return "experiment"
    if re.search(r"variant|variation|treatment|payload|value|string|number|json|decide", lowered):
        return "multivariate"
    return "boolean" if otherwise == "multivariate" and not re.search(r"get|use|eval|feature$", lowered) else otherwise


def _form(rule: Rule) -> str:
    return "decorator" if rule.shape == "decorator" else "call"


def _told(value: Value) -> tuple[str | None, str | None]:
    return (value.text, None) if value.kind == "literal" else (None, value.text)
