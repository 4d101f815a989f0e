"""Where one file asks for a flag, sends an event or names a key: by vendor shapes, by names, by imports."""

from __future__ import annotations

import re
from typing import Iterator, Sequence

from experiment_tracker_tools.flags import holders, names, services
from experiment_tracker_tools.flags.arguments import (
    Argument,
    Value,
    arguments,
    bare_arguments,
    receiver_before,
    value_at,
)
from experiment_tracker_tools.flags.catalogue import Rule
from experiment_tracker_tools.flags.environment import (
    asks_the_environment,
    in_environment,
    in_properties,
    switches_a_feature,
)
from experiment_tracker_tools.flags.evidence import Evidence, chosen_rule
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.objects import held
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.places import default_of, first_key, is_in_plain_sight, is_passed_over, values_at
from experiment_tracker_tools.flags.sighting import HOMEMADE, Call, Sighting, Span, told
from experiment_tracker_tools.flags.words import words_of

_CALLED = re.compile(r"(?<![\w$])([A-Za-z_$][\w$]*[?!]?)\s*(?:(?:::)?<[\w\s.,|<>\[\]\"'\x01?{}:;]{1,120}>\s*)?(\()")
_BARE = r"\.([a-z_]\w*[?!]?)[ \t]+(?=[:\"'A-Z])|(?<![\w.:$@])([a-z_]\w*[?!]?)[ \t]+(?=:[a-z\"']|[\"'])"
_STRUCT = r"(?<![\w$])([A-Z]\w*Request)\s*\{"
_COMPONENT = r"<([A-Z][\w.]*)(?=[\s/])"
_FLAG_COMPONENT = (
    r"(?i)^(?!toggle$)(?:with|if|when|show)?(?:feature|feature_?flag|flag|toggle|experiment)"
    r"(?:flag|gate|toggle|enabled|gated?|flagged|guard|provider)?$"
)
_FLAG_PROPERTIES = "flag feature name flagKey featureKey flagName featureFlag experiment toggle".split()
# Hooks whose names say too little; with a text in their brackets they ask.
_HOOKS = ("useExperiment", "useFeature", "useFlag")
_TEMPLATE_TAG = r"\{%-?\s*(flag|switch|sample|flag_enabled|flag_disabled)\s+"
_DEFINES = (
    r"(?:\b(?:def|function|func|fun|fn|sub|class|async|suspend|override|void|bool|boolean|Boolean|Task|"
    r"new)\s+(?:\([^)]*\)\s*)?|\*)$"
)


def sightings(source: Source, evidence: Evidence, span: Span | None = None) -> list[Sighting]:
    """All that one file shows, or what begins inside of a span, in the order of its text."""
    inside = span or (0, len(source.code))
    found = [*_calls(source, evidence, inside), *held(source, evidence, inside), *in_environment(source, inside)]
    if source.language in {"java", "kt"}:
        found += in_properties(source, inside)
    if source.language in {"ts", "page"}:
        found += _components(source, evidence, inside)
    if source.language in {"rb", "ex", "template"}:
        found += _bare_calls(source, evidence, inside)
    if source.language == "template" or "{%" in source.text:
        found += _template_tags(source, inside)
    within = [(each.offset, each.end, each.name) for each in found if each.name and each.form != "member"]
    kept = {
        each._replace(name=evidence.imported(each.name)) if each.name else each
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
            yield Sighting(call.start, call.end, "track", call.name, *told(event), call.receiver, kind="event")
    else:
        yield from _home_made(source, evidence, call)


def _home_made(source: Source, evidence: Evidence, call: Call) -> Iterator[Sighting]:
    position, first = evidence.vocabulary.wrappers.get(call.name), None
    if position is not None:
        values = values_at(source, call.given, ({"position": position},))
        if values and values[0].kind == "list":
            values = values_at(source, call.given, ({"list": position},))
    elif _asks(source, evidence, call) or (first := _of_someone(source, call)) is not None:
        first = first_key(source, call.given) if first is None else first
        values = [] if first is None else [first]
    else:
        return
    form, kind, default = "call" if position is None else "wrapper", kind_of(call.name), None
    for value in values:
        if value.kind not in {"literal", "name"}:
            continue
        if asks_the_environment(source, call.name):
            if value.kind == "literal" and switches_a_feature(source, value.text, call.start):
                yield Sighting(call.start, call.end, "environment", call.name, value.text)
            continue
        default, (key, name) = default_of(source, call.given, ()), told(value)
        yield Sighting(call.start, call.end, form, call.name, key, name, call.receiver, HOMEMADE, kind, default)


def _asks(source: Source, evidence: Evidence, call: Call) -> bool:
    """Whether a call asks for a flag by its own name, its receiver's, or that of the module it comes from."""
    if services.keeps_other_flags(call.receiver):
        return False
    return (
        names.asks_for_a_flag(call.name)
        or (source.code[call.start - 1 : call.start] == "@" and holders.is_set_of_flags(call.name))
        or (
            (names.asks_within(call.name) or names.evaluates(call.name))
            and _is_in_plain_sight(first_key(source, call.given))
        )
        or services.asks_a_service(call.receiver, call.name)
        or (evidence.comes_from_home(call.name, call.receiver) and _first(source, call) != "{")
        or evidence.is_made_by_a_service(call.receiver, call.name)
        or (call.name in _HOOKS and not call.receiver and _is_in_plain_sight(first_key(source, call.given)))
        # A set's has() takes one argument; who is asked about comes with a second one.
        or (call.name == "has" and len(call.given) > 1 and call.receiver.rpartition(".")[2] == "features")
    )


def _of_someone(source: Source, call: Call) -> Value | None:
    """The key of has_feature(whom, key), which says who has it and so asks; of what was paid for it says nothing."""
    if words_of(call.name) != ("has", "feature") or len(call.given) != 2:
        return None
    whom, key = (value_at(source, each.start, each.end) for each in call.given)
    asks = whom.kind == "literal" or is_passed_over(whom)
    if not asks or key.kind != "literal" or not holders.is_key(key.text):
        return None
    imported = re.findall(rf"(?m)^.*\b{re.escape(call.name)}\b.*\b(?:import|require|from|use)\b.*$", source.text)
    return None if any(names.is_about_rights(line) for line in imported) else key


def _is_in_plain_sight(key: Value | None) -> bool:
    return key is not None and is_in_plain_sight(key)


def _first(source: Source, call: Call) -> str | None:
    """The character that the first argument begins with."""
    return source.code[call.given[0].start] if call.given else None


def _by_rule(source: Source, rule: Rule, call: Call, form: str) -> Iterator[Sighting]:
    default = default_of(source, call.given, rule.default)
    kind = "event" if rule.tracks else rule.kind if rule.kind != "multivariate" else kind_of(call.name, rule.kind)
    for value in values_at(source, call.given, rule.key):
        if value.kind in {"literal", "name"} and (rule.tracks or value.kind == "name" or holders.is_key(value.text)):
            key, name = told(value)
            yield Sighting(
                call.start,
                call.end,
                form,
                call.name,
                key,
                name,
                call.receiver,
                rule.vendor,
                kind,
                default,
                rule.exposure,
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
        yield from (found._replace(key=each[0]) for each in literals if each is not None and holders.is_key(each[0]))
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
            vendor = "django-flags" if "_" in match.group(1) else "django-waffle"
            yield Sighting(match.start(), match.end(), "call", match.group(1), found.group(1), vendor=vendor)


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
