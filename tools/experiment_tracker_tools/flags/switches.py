"""Names that are flags by themselves: imported switches, objects and variables that hold one flag, members called so.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from typing import Iterator

from experiment_tracker_tools.flags import holders, keepers, questions
from experiment_tracker_tools.flags.arguments import receiver_before
from experiment_tracker_tools.flags.configured import decides, stands_in_a_condition
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.sighting import Sighting, Span
from experiment_tracker_tools.flags.words import words_of

_LINK = r"(?:\?\.|!?\.|->|::)"
_SWITCH = r"(?:enable|disable|is|has|use|show|allow|should|support|with)s?_?[A-Z_a-z]\w+$|[A-Z][A-Z0-9]*_[A-Z0-9_]+$"
_NAMED_SO = r"(?<=[.>])((?:[fF]eatureFlag|[fF]eatureToggle)_?[A-Z]\w+)(?![\w(.\[])"
_NO_FLAGS = frozenset("key keys name names state type config context map list set options value values error".split())
# Go's objects: featureflag.NewUi.IsEnabled(ctx).
_OBJECT = (
    r"(?<![\w.])(?:feature_?flags?|features?|flags|toggles|experiments)\.([A-Z]\w+)\."
    r"(?:Is)?(?:Enabled|Disabled|Active|On)\(\s*(?:[a-z][\w.]*(?:\(\))?)?\s*\)"
)
# What gives all of them: features.Get().NewUi.
_OF_ALL = (
    r"(?<![\w.])(?:feature_?flags?|feature_?config|features|toggles|experiments|rollouts)\."
    r"(?:Get|Current|Instance|Config|All)\(\)\.([A-Z]\w+)"
)
# What is set from afar, and decides; of itself such a class says whether it is there.
_REMOTE = r"(?<![\w.])RemoteConfig\.(?:(?:current|shared|instance)\.)?([a-z]\w+)\b"
_OF_THE_SETTINGS = frozenset(
    "initialized ready loaded loading fetched debug available error mock version shared instance current".split()
)
# A state of several that one is compared with: cfg.Features.NewUi == config.Disabled.
_COMPARED = (
    r"(?<=\.)(Features|FeatureFlags|FeatureGates)\.([A-Z]\w+)(?=\s*[!=]=\s*(?:\w+\.)?(?:Enabled|Disabled|Allowed)\b)"
)
# A class that is generated of flags has one method for each: Flags.splitDeck().
_GENERATED = r"(?m)^import[ \t]+(?:static[ \t]+)?[\w.]+\.((?:Feature)?Flags)(?:\.([a-z]\w+))?;?[ \t]*$"
_NO_GENERATED = frozenset(
    (
        "get set parse values value of none all empty builder from to with is has create build new default reset copy"
    ).split()
)
_SHARED = r"^Default|(?:Gates?|Client|Set|Manager|Provider|Registry)$"
_CONSTANT_KEY = r"[A-Za-z]\w*(?:Gate|Flag|Feature)(?:ID|Id|Key|Name)\b"
# What gives one flag: flipper[:x], Feature.named("x"), feature.NewFlag("x"); begins with what is rare.
_GIVES = rf"(?:lipper\[|egister\(|named\(|ind\(|eature\(|lag\(|xperiment\(|oggle\()\s*(?=[\"':]|{_CONSTANT_KEY})"
_GIVERS = ("lipper[", "egister(", "named(", "ind(", "eature(", "lag(", "xperiment(", "oggle(")
_GIVEN_TO = (
    r"(?<![\w.>])\$?([a-z_]\w*)\s*(?::[\w ?<>]+)?:?=\s*(?:await\s+)?(?:[fF]lipper\[|(?:[A-Z]\w*|feature|flipper|"
    r"features|rollouts?|(?:feature|flag|toggle)s?_?gates?(?:\.\w+\(\))?)(?:\.|::|->)(?i:named|find|feature|flag|newflag|experiment|toggle|(?:must)?register)\()$"
)
# What stands behind the last equals sign, if a name is given one: an index, or a call of something's member.
_GIVEN = r"\s*(?:await\s+)?(?:\w+\[|[\w.:>()\-]*[.:>]\w+\()$"
_ASKED = rf"{_LINK}(?:(?i:is_?)?(?:[eE]nabled|[aA]ctive|[oO]n)(?:_?[fF]or)?)\b\??(?:\([^()\"']*\))?(?!\s*=[^=])"


def switches(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """Names that are flags by themselves, where something hangs on them."""
    yield from _imported(source, evidence, inside)
    text = source.code[slice(*inside)]
    if "eatureFlag" in text or "eatureToggle" in text:
        yield from _named_so(source, inside)
    if "RemoteConfig." in text and source.language in {"kt", "swift", "ts", "cs", "page"}:
        for match in pattern(_REMOTE).finditer(source.code, *inside):
            words = words_of(match.group(1))
            says = words[0] == "is" and words[-1] == "enabled" and source.code[match.end() : match.end() + 1] != "("
            if _OF_THE_SETTINGS.isdisjoint(words) and (says or decides(source.code, match.start(), match)):
                yield Sighting(match.start(), match.end(), "member", "RemoteConfig", match.group(1))
    if source.language in {"java", "kt"} and "Flags" in source.code:
        yield from _generated(source, inside)
    if source.language == "go" and "." in text:
        yield from _of_go(source, inside)
    if any(word in text for word in ("nabled", "ctive", ".on")):
        yield from _variables(source, inside)


def _of_go(source: Source, inside: Span) -> Iterator[Sighting]:
    """Flags of Go: objects that are asked, members of what gives all of them, states that are compared."""
    text = source.code[slice(*inside)]
    for match in pattern(_OBJECT).finditer(source.code, *inside):
        if re.search(_SHARED, match.group(1)) is None:
            yield Sighting(match.start(), match.end(1), "member", "flag", match.group(1))
    for match in pattern(_COMPARED).finditer(source.code, *inside):
        if questions.is_bought_or_driven(f"{receiver_before(source, match.start())}.{match.group(1)}"):
            continue
        yield Sighting(match.start(), match.end(), "member", match.group(1), match.group(2))
    for match in pattern(_OF_ALL).finditer(source.code, *inside) if "()." in text else ():
        if decides(source.code, match.start(), match):
            yield Sighting(match.start(), match.end(), "member", "flag", match.group(1))


def _generated(source: Source, inside: Span) -> Iterator[Sighting]:
    """Methods without an argument of a class Flags that is imported, where something hangs on them."""
    taken = pattern(_GENERATED).findall(source.code)
    owners = {owner for owner, method in taken if not method}
    methods = {method for _, method in taken if method}
    ways = [rf"{owner}\.(?P<{owner}>[a-z]\w+)" for owner in sorted(owners)] + sorted(map(re.escape, methods))
    if not ways:
        return
    for match in re.finditer(rf"(?<![\w$.])(?:{'|'.join(ways)})\(\)", source.code[: inside[1]]):
        name = match.group()[:-2].rpartition(".")[2]
        if match.start() < inside[0] or not _NO_GENERATED.isdisjoint(words_of(name)[:1]):
            continue
        if stands_in_a_condition(source.code, match.start(), match.end()):
            yield Sighting(match.start(), match.end(), "member", "Flags", name)


def _imported(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """What is imported from a module of flags, is called nowhere, and decides: if (enableNewUi)."""
    known = [name for name in evidence.from_homes() if re.match(_SWITCH, name) and "flags" not in name.lower()]
    if not known:
        return
    code = source.code
    for match in re.finditer(
        rf"(?<![\w$.\"'])({'|'.join(map(re.escape, sorted(known)))})(?![\w$(.\[])", code[: inside[1]]
    ):
        name = match.group(1)
        if match.start() < inside[0] or re.search(rf"(?<![\w$.]){re.escape(name)}\s*\(", code):
            continue
        line = code[code.rfind("\n", 0, match.start()) + 1 : match.start()]
        imports = re.match(r"\s*(?:import|from|export)\b", line) is not None
        if not imports and stands_in_a_condition(code, match.start(), match.end()):
            yield Sighting(match.start(), match.end(), "member", name, name)


def _named_so(source: Source, inside: Span) -> Iterator[Sighting]:
    for match in pattern(_NAMED_SO).finditer(source.code, *inside):
        name = match.group(1)
        last = words_of(name)[-1:]
        if keepers.keeps_flags(name) == 2 and last != ("flag",) and len(words_of(name)) == 3:
            continue
        start = match.start() - len(
            re.findall(r"[\w$.>()\-]*$", source.code[max(0, match.start() - 60) : match.start()])[0]
        )
        if _NO_FLAGS.isdisjoint(last) and decides(source.code, start, match):
            yield Sighting(match.start(), match.end(), "member", name, name)


def _variables(source: Source, inside: Span) -> Iterator[Sighting]:
    """Variables that hold one flag, and are asked: search = flipper[:search]; search.enabled?"""
    code = source.code
    held: dict[str, tuple[str | None, str | None]] = {}
    for match in pattern(_GIVES).finditer(code) if any(word in code for word in _GIVERS) else ():
        before = code[max(0, match.start() - 90) : match.end()].rstrip()
        if pattern(_GIVEN).match(before, before.rfind("=") + 1) is None:
            continue
        given = pattern(_GIVEN_TO).search(before)
        if given is None:
            continue
        literal = source.string_at(match.end())
        symbol = re.match(r":([a-z_]\w*)", code[match.end() : match.end() + 80])
        key = literal[0] if literal is not None else symbol.group(1) if symbol is not None else ""
        constant = pattern(_CONSTANT_KEY).match(code, match.end())
        if holders.is_key(key):
            held[given.group(1)] = (key, None)
        elif constant is not None:
            held[given.group(1)] = (None, constant.group())
    for name, (key, reference) in held.items():
        for match in re.finditer(rf"(?<![\w.>])\$?{re.escape(name)}{_ASKED}", code[: inside[1]]):
            if match.start() >= inside[0]:
                yield Sighting(match.start(), match.end(), "member", name, key, reference)
