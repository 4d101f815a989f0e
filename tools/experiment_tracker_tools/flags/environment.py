"""Flags in the environment: a variable's name says so, or the set of flags that its value goes into."""

from __future__ import annotations

import re
from typing import Iterator

from experiment_tracker_tools.flags import holders
from experiment_tracker_tools.flags.arguments import arguments
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.sighting import Sighting, Span

_READS = (
    r"(?:\bprocess\.env|\bimport\.meta\.env|\bos\.environ|\bENV|\bDeno\.env)(?:\.(?:get|fetch)\(|\[|"
    r"\.)\s*(?:([A-Z][A-Z0-9_]+)\b|(?=[\"']))|"
    r"\b(?:os\.getenv|os\.Getenv|System\.getenv|getenv|env|env\.bool|getBoolEnv|get_bool_env|env_bool|"
    r"os\.LookupEnv|env::var(?:_os)?)\(\s*(?=[\"'])"
)
_SPRING = r"@(Value|ConditionalOnProperty)\s*\("
_SPRING_KEY = r"(?:\$\{)?((?:features?|toggles?|flags?|feature-flags?|experiments?)\.[\w.\-]+)(?::[^}]*)?\}?$"
_HOMES = r"\bclass\s+\w*(?:Feature|Toggle)s?(?:Flags?|Toggles?)\b"
_OF_DEPLOYMENT = ("_HOST", "_PORT", "_URL", "_URI", "_TOKEN", "_KEY", "_PATH", "_DIR", "_FILE", "_ID", "_TIMEOUT")
_ENVIRONMENTS = ("os.environ", "getenv", "Getenv", "LookupEnv", "process.env", "env::var", "ENV[")


def in_environment(source: Source, inside: Span) -> Iterator[Sighting]:
    """Variables of the environment that are read and switch a feature."""
    code = source.code
    if "env" not in code and "ENV" not in code:
        return
    for match in pattern(_READS).finditer(code, *inside):
        literal = source.string_at(match.end()) if match.group(1) is None else (match.group(1), match.end())
        if literal is None or re.match(r"\]?\s*=(?![=>])", code[literal[1] : literal[1] + 6]):
            continue
        if re.search(r"\b(?:delete|unset)\s+$", code[max(0, match.start() - 12) : match.start()]):
            continue
        if switches_a_feature(source, literal[0], match.start()):
            yield Sighting(match.start(), literal[1], "environment", "environment", literal[0])


def in_properties(source: Source, inside: Span) -> Iterator[Sighting]:
    """Spring's properties that switch a feature, where a bean asks for them."""
    if "@Value" not in source.code and "@ConditionalOnProperty" not in source.code:
        return
    for match in pattern(_SPRING).finditer(source.code, *inside):
        given = arguments(source, match.end() - 1)
        for each in given[0] if given is not None else ():
            literal = source.string_at(source.code.find('"', each.start, each.end))
            found = pattern(_SPRING_KEY).match(literal[0]) if literal is not None else None
            if literal is not None and found is not None:
                yield Sighting(match.start(), literal[1], "environment", match.group(1), found.group(1))


def switches_a_feature(source: Source, name: str, offset: int) -> bool:
    """Whether a variable is a flag: by its name, or by the set of flags that it is put into where it is read."""
    if holders.is_environment_flag(name):
        return True
    if not (
        holders.may_be_environment_flag(name)
        or (name.isupper() and "_" in name and pattern(_HOMES).search(source.code))
    ):
        return False
    # Most edits never come this far, so what reads declarations is loaded here.
    from experiment_tracker_tools.flags.declared import container_of

    container = container_of(source, offset)
    # A class of flags asks for nothing else; in a table of flags a name must say something of its own.
    switches = holders.may_be_environment_flag(name) or (container[:1].isupper() and not name.endswith(_OF_DEPLOYMENT))
    return switches and holders.is_set_of_flags(container)


def asks_the_environment(source: Source, name: str) -> bool:
    """Whether a function only reads the environment: its name says so, or its body in this file does."""
    if "env" in name.lower().split("_") or name.startswith("env") or "Env" in name:
        return True
    if not any(word in source.code for word in _ENVIRONMENTS):
        return False
    defined = re.search(rf"\b(?:def|function|func|fn|const|let|bool)\s+{re.escape(name)}\b", source.code)
    if defined is None:
        return False
    body = source.code[defined.end() : defined.end() + 300]
    return any(word in body for word in _ENVIRONMENTS)
