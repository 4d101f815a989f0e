"""Flags in markup: components, elements, directives and template tags whose names say so.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from typing import Iterator, Sequence

from experiment_tracker_tools.flags import holders
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.names import is_about_rights
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.sighting import HOMEMADE, Sighting, Span
from experiment_tracker_tools.flags.words import pair_at, singular, words_of

_COMPONENT = r"<([A-Z][\w.]*)(?=[\s/])"
_ELEMENT = r"<([a-z][a-z0-9]*(?:-[a-z0-9]+)+|feature)(?=\s)"
_DIRECTIVE = r"(?<=\s)(?:\*|v-)([A-Za-z][\w-]*)(?:[:.][\w.]+)*=\"\s*'([\w.:\-]+)'\s*(?:[;,][^\"]*)?\""
_TEMPLATE_TAG = r"\{%-?\s*(?:(switch|sample)|(\w*(?:flag|feature)\w*))\s+(?=[\"'])"
# What says by itself that a flag is named, and what any component has.
_SAYS = (
    "flag feature flagKey featureKey flagName featureName featureFlag flagId featureId experiment toggle features "
    "with without"
).split()
_PLAIN = "name id key experimentName by".split()
# What names a flag on any component.
_NAMES_A_FLAG = "toggleName featureFlag featureFlagKey featureFlagName featureToggle".split()
_NOUNS = frozenset("feature flag toggle experiment".split())
_AROUND = frozenset(
    (
        "if when unless with show hide require requires required gate gated guard toggle toggled enabled disabled "
        "flagged flag feature protected route wrapper provider switch boundary on off is has render conditional "
        "component app check behind active use only experiment server client side"
    ).split()
)


def components(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """Components and elements that show something where a flag is on."""
    for match in pattern(_COMPONENT).finditer(source.code, *inside):
        name = match.group(1).rpartition(".")[2]
        rules = [rule for rule in evidence.rules(name) if rule.shape == "component"]
        known = [rule for rule in rules if not rule.needs_import or evidence.mentions(rule.vendor)]
        properties: Sequence[str] = [place["property"] for rule in known for place in rule.key]
        tag = _tag(source, match.start(1))
        properties = properties or _properties_of(name, tag) or _NAMES_A_FLAG
        if properties:
            yield from _properties(source, match.start(1), name, properties, known[0].vendor if known else HOMEMADE)


def elements(source: Source, inside: Span) -> Iterator[Sighting]:
    """Elements and directives of pages: <feature-flag name="new-ui">, *featureFlag="'new-ui'"."""
    for match in pattern(_ELEMENT).finditer(source.code, *inside):
        name = match.group(1).replace("-", "_")
        properties = _properties_of(name, _tag(source, match.start(1)))
        if properties:
            yield from _properties(source, match.start(1), name, properties, HOMEMADE)
    yield from directives(source, inside)


def directives(source: Source, inside: Span) -> Iterator[Sighting]:
    """Directives of pages, and of templates that stand in code."""
    if "feature" not in source.text and "lag=" not in source.text and "oggle=" not in source.text:
        return
    for match in pattern(_DIRECTIVE).finditer(source.text, *inside):
        name = match.group(1).replace("-", "_")
        if _is_about_a_flag(name) and holders.is_key(match.group(2)):
            yield Sighting(match.start(), match.end(), "component", name, match.group(2))


def _tag(source: Source, start: int) -> str:
    tag = source.code[start : start + 600]
    return tag[: _end_of_tag(tag)]


def _properties_of(name: str, tag: str) -> Sequence[str]:
    """The properties that may hold a key: all of them where the name leaves no doubt."""
    if not _is_about_a_flag(name):
        return ()
    words = words_of(name)
    # What has nothing inside decides nothing, but for what it is handed to show.
    shows = not tag.endswith("/") or "=>" in tag or re.search(r"=\{\s*<|\b(?:element|component|render)\w*=", tag)
    if len(words) == 1 and (not shows or words == ("toggle",)):
        return ()
    return [*_SAYS, *_PLAIN] if shows or words[1:] else ()


def _is_about_a_flag(name: str) -> bool:
    """Whether a component's name says that a flag decides.

    >>> [_is_about_a_flag(name) for name in ("FeatureGate", "IfFeature", "ABTest", "FeatureCard", "ToggleButton")]
    [True, True, True, False, False]
    """
    words = words_of(name)
    if is_about_rights(name):
        return False
    pair = pair_at(words)
    if pair is not None:
        return all(word in _AROUND for word in (*words[:pair], *words[pair + 2 :]))
    nouns = [word for word in words if singular(word) in _NOUNS and word != "toggle"]
    return bool(nouns) and len(words) < 5 and all(singular(word) in _NOUNS or word in _AROUND for word in words)


def _properties(source: Source, start: int, name: str, properties: Sequence[str], vendor: str) -> Iterator[Sighting]:
    tag = _tag(source, start)
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
        for each in literals:
            # Razor gives a constant with a sign in front of it.
            if each is not None and each[0].startswith("@"):
                yield found._replace(name=each[0][1:])
            elif each is not None and holders.is_key(each[0]):
                yield found._replace(key=each[0])
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


def template_tags(source: Source, inside: Span) -> Iterator[Sighting]:
    """Tags of templates: {% flag "new-ui" %}, {% iffeature "new-ui" %}."""
    for match in pattern(_TEMPLATE_TAG).finditer(source.text, *inside):
        found = re.match(r"[\"']([\w.\-:]+)[\"']", source.text[match.end() :])
        name = match.group(1) or match.group(2)
        plain = name[2:] if name.startswith("if") else name
        if found is not None and (match.group(1) or _is_about_a_flag(plain)) and holders.is_key(found.group(1)):
            waffle = name in {"switch", "sample", "flag"}
            vendor = "django-waffle" if waffle else "django-flags" if name.startswith("flag_") else HOMEMADE
            yield Sighting(match.start(), match.end(), "call", name, found.group(1), vendor=vendor)
