"""Where one file asks for a flag, sends an event or names a key: by vendor shapes, by names, by imports."""

from __future__ import annotations

import re
from typing import Iterator

from experiment_tracker_tools.flags import asked, asking, holders, keepers, names, questions, services, typed
from experiment_tracker_tools.flags.arguments import (
    Argument,
    Value,
    arguments,
    bare_arguments,
    receiver_before,
    value_at,
)
from experiment_tracker_tools.flags.called import called
from experiment_tracker_tools.flags.catalogue import Rule
from experiment_tracker_tools.flags.environment import (
    asks_the_environment,
    in_environment,
    in_properties,
    switches_a_feature,
)
from experiment_tracker_tools.flags.evidence import Evidence, chosen_rule
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.markup import components, directives, elements, template_tags
from experiment_tracker_tools.flags.objects import held
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.places import default_of, first_key, is_in_plain_sight, is_passed_over, values_at
from experiment_tracker_tools.flags.sighting import HOMEMADE, Call, Sighting, Span, told
from experiment_tracker_tools.flags.words import words_of

_BARE = r"\.([a-z_]\w*[?!]?)[ \t]+(?=[:\"'A-Z])|(?<![\w.:$@])([a-z_]\w*[?!]?)[ \t]+(?=:[a-z\"']|[\"'])"
_STRUCT = r"(?<![\w$])([A-Z]\w*Request)\s*\{"
# Hooks whose names say too little; with a text in their brackets they ask.
_HOOKS = ("useExperiment", "useFeature", "useFlag")
# Packages of Go that are asked with what they hold.
_PACKAGES = ("flags", "feature", "features", "featureflags", "featureflag", "toggles")
_STUBS = r"(?:\b(?:when|whenever|given|verify|Setup|stub)\(|\b(?:coEvery|every)\s*\{|=>)\s*(?:\w+\s*=>\s*)?$"
_STUBBED = r"\)?\s*(?:\)\s*\.(?:then|will|do|[rR]eturns)|\}\s*(?:returns|answers))"
_LINKS = (".", ">", ":")
_DEFINES = (
    r"(?:\b(?:def|function|func|fun|fn|sub|class|async|suspend|override|void|bool|boolean|Boolean|Task|"
    r"new)\s+(?:\([^)]*\)\s*)?|\*)$"
)


def sightings(source: Source, evidence: Evidence, span: Span | None = None) -> list[Sighting]:
    """All that one file shows, or what begins inside of a span, in the order of its text."""
    inside = span or (0, len(source.code))
    found = [
        *_calls(source, evidence, inside),
        *held(source, evidence, inside),
        *in_environment(source, inside),
        *typed.typed(source, inside),
        *asked.asked(source, evidence, inside),
    ]
    if source.language in {"java", "kt"}:
        found += in_properties(source, inside)
    if source.language in {"ts", "page"}:
        found += components(source, evidence, inside)
    if source.language == "ts" and "template:" in source.text:
        found += directives(source, inside)
    if source.language in {"page", "template", "cs"}:
        found += elements(source, inside)
    if source.language in {"rb", "ex", "template"}:
        found += _bare_calls(source, evidence, inside)
    if source.language == "template" or "{%" in source.text:
        found += template_tags(source, inside)
    found = [each for each in found if not each.name or each.name.split(".")[0] not in evidence.masks]
    found = [each for each in found if not _is_stubbed(source, each)]
    calls = [each for each in found if each.name and each.form != "member"]
    # In the order of looking: of what stands in one place the first is told, in every process the same.
    kept = dict.fromkeys(
        each._replace(name=evidence.imported(each.name)) if each.name else each
        for each in found
        if each.form != "member" or not any(_hands_on(call, each) for call in calls)
    )
    ordered = sorted(kept, key=lambda each: (each.offset, each.key or "", each.name or "", each.form, each.end))
    # What two ways of looking find in one place is told once.
    once = {(each.offset, each.key, each.name): each for each in reversed(ordered)}
    return list(once.values())[::-1]


def _is_stubbed(source: Source, each: Sighting) -> bool:
    """Whether a test says what a question is to give: when(flags.isEnabled("x")).thenReturn(true)."""
    start = each.offset - (len(each.receiver) + 1 if each.receiver else 0)
    stubs = pattern(_STUBS).search(source.code[max(0, start - 40) : start])
    return stubs is not None and pattern(_STUBBED).match(source.code[each.end : each.end + 40]) is not None


def _hands_on(call: Sighting, member: Sighting) -> bool:
    """Whether a member stands in the brackets of a call that asks for it."""
    if call.name is None:
        return False
    # An object of a flag is handed on by its parts: variation(flags.NEW_UI.key, flags.NEW_UI.default).
    whole, _, last = call.name.rpartition(".")
    names_it = call.name == member.name or last == member.key
    names_it = names_it or (last in {"name", "key", "id", "value", "flag"} and whole.rpartition(".")[2] == member.key)
    return names_it and call.offset <= member.offset < call.end


def _calls(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    code = source.code
    if source.language in {"go", "rs"}:
        for match in pattern(_STRUCT).finditer(code, *inside):
            yield from _struct(source, evidence, match)
    for name, start, opening in called(code, *inside):
        if not _is_of_interest(source, evidence, name, start):
            continue
        defines = pattern(_DEFINES).search(code[max(0, start - 60) : start])
        if defines and not (defines.group().strip() == "new" and questions.marks_with_a_flag(name)):
            continue
        parsed = arguments(source, opening)
        if parsed is not None:
            yield from _call(source, evidence, Call(name, receiver_before(source, start), start, *parsed))


def _is_of_interest(source: Source, evidence: Evidence, name: str, start: int) -> bool:
    if evidence.interests(name):
        return True
    near = source.code[max(0, start - 30) : start]
    if near[-1:] not in _LINKS or not (keepers.may_ask_a_keeper(name) or "lag" in near or "oggle" in near):
        return False
    return evidence.asks_a_keeper(receiver_before(source, start), name)


def _struct(source: Source, evidence: Evidence, match: re.Match[str]) -> Iterator[Sighting]:
    parsed = arguments(source, match.end() - 1)
    for rule in evidence.rules(match.group(1)):
        if rule.shape == "new" and evidence.mentions(rule.vendor) and parsed is not None:
            whole = [Argument(None, match.end() - 1, parsed[1])]
            yield from _by_rule(source, rule, Call(match.group(1), "", match.start(), whole, parsed[1]), "call")


def _bare_calls(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    for match in pattern(_BARE).finditer(source.code, *inside):
        name, group = match.group(1) or match.group(2), 1 if match.group(1) else 2
        if _is_of_interest(source, evidence, name, match.start(group)):
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
        first = _behind_what_is_wrapped(source, call) if first is None else first
        first = _of_its_package(source, call) if first is None else first
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
    if services.keeps_other_flags(call.receiver) and "feature" not in call.receiver.lower():
        return False
    if (
        asking.tells_who_pays(source, call)
        or asking.is_paid_for(source, call)
        or asking.is_told_from_a_flag(source, call.name)
        or questions.is_bought_or_driven(call.receiver)
    ):
        return False
    return (
        (names.asks_for_a_flag(call.name) and not asking.is_another_trades(source, call))
        or (source.code[call.start - 1 : call.start] == "@" and holders.is_set_of_flags(call.name))
        or (
            (names.asks_within(call.name) or names.evaluates(call.name))
            and not asking.is_another_trades(source, call)
            and _is_in_plain_sight(first_key(source, call.given))
        )
        or services.asks_a_service(call.receiver, call.name)
        or (asking.asks_in_other_words(source, evidence, call) and _is_in_plain_sight(first_key(source, call.given)))
        or (evidence.comes_from_home(call.name, call.receiver) and _first(source, call) != "{")
        or evidence.is_made_by_a_service(call.receiver, call.name)
        or _of_its_package(source, call) is not None
        or (call.name in _HOOKS and not call.receiver and _is_in_plain_sight(first_key(source, call.given)))
        or (call.name == "useToggle" and len(call.given) == 1 and asking.takes_a_state(source, call.start))
        or asking.asks_in_one_word(source, evidence, call)
        or (not call.receiver and call.name in evidence.hooked and asking.asks_what_a_hook_gave(source, call))
        # A set's has() takes one argument; who is asked about comes with a second one.
        or (call.name == "has" and len(call.given) > 1 and call.receiver.rpartition(".")[2] == "features")
    )


def _of_someone(source: Source, call: Call) -> Value | None:
    """The key that stands behind whom or what is asked: has_feature(whom, key), of nothing paid for."""
    if asking.asks_what_is_set_from_afar(call, source):
        return value_at(source, call.given[1].start, call.given[1].end)
    if words_of(call.name) != ("has", "feature") or len(call.given) != 2 or questions.is_elsewhere(call.receiver):
        return None
    whom, key = (value_at(source, each.start, each.end) for each in call.given)
    asks = whom.kind == "literal" or is_passed_over(whom)
    if not asks or key.kind != "literal" or not holders.is_key(key.text):
        return None
    imported = re.findall(rf"(?m)^.*\b{re.escape(call.name)}\b.*\b(?:import|require|from|use)\b.*$", source.text)
    return None if any(names.is_about_rights(line) for line in imported) else key


def _behind_what_is_wrapped(source: Source, call: Call) -> Value | None:
    """The key behind a component that is shown only where it is on: withFeatureFlag(Search, "new-search")."""
    if words_of(call.name)[:1] != ("with",) or len(call.given) < 2:
        return None
    component, key = (value_at(source, each.start, each.end) for each in call.given[:2])
    is_one = component.kind == "other" or (component.text[:1].isupper() and not component.text.isupper())
    return (
        key if component.kind != "literal" and is_one and "." not in component.text and key.kind == "literal" else None
    )


def _of_its_package(source: Source, call: Call) -> Value | None:
    """A package's own constant that it is asked with: flags.Bool(ctx, client, flags.NewUi)."""
    if source.language != "go" or call.receiver not in _PACKAGES:
        return None
    own = (each for each in call.given if source.code.startswith(f"{call.receiver}.", each.start))
    return next((value_at(source, each.start, each.end) for each in own), None)


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
