"""What is taken out of all flags by their names: const { newUi, oldUi } = useFlags().

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re
from typing import Iterator

from experiment_tracker_tools.flags import holders
from experiment_tracker_tools.flags.evidence import Evidence
from experiment_tracker_tools.flags.lexer import Source
from experiment_tracker_tools.flags.patterns import pattern
from experiment_tracker_tools.flags.sighting import HOMEMADE, Sighting, Span
from experiment_tracker_tools.flags.words import words_of

_TAKEN_APART = (
    r"\b(?:const|let|var)\s*\{([^{}]{1,600})\}\s*(?::[^=]{1,80})?=\s*(?:await\s+)?(?:[\w$]+(?:\?\.|\.)){0,3}([A-Za-z_$][\w$]*)"
    r"(?:(?:<[^()]{0,60}>)?\(\s*\)|(?=\s*(?:;|\n|\?\?)))"
)
_TAKES = ("const {", "let {", "var {", "const{")
ONLY_ONE = frozenset("shared sharedInstance instance default current".split())
NOT_MEMBERS = ONLY_ONE | frozenset(
    (
        "length size map get set has filter keys values entries forEach find some every isEnabled enabled then data "
        "loading error subscribe pipe update push reduce includes items isLoading toJSON toString prototype value "
        "state contains isEmpty copy first last count each any all delete add clear concat join sort "
        "slice constructor call apply bind name type class key id flags isActive is_enabled bool ready fetch reload "
        "isError isFetching isPending isSuccess "
        "refresh reset init load register connect initialize close service provider client store ALL NONE EMPTY"
    ).split()
)


def taken_apart(source: Source, evidence: Evidence, inside: Span) -> Iterator[Sighting]:
    """What is taken out of all flags: const { newUi, oldUi } = useFlags()."""
    for match in pattern(_TAKEN_APART).finditer(source.code, *inside):
        if source.code[match.end() - 1] != ")" and not holders.is_set_of_flags(match.group(2)):
            continue
        hook = match.group(2)
        rules = [rule for rule in evidence.rules(hook) if rule.key_from == "members"]
        vendor = next((rule.vendor for rule in rules if evidence.mentions(rule.vendor)), None)
        member = source.code[match.end() - 1] != ")"
        if not member and vendor is None and (rules or not hook.startswith("use") or not _holds_all(hook[3:])):
            continue
        for part in re.finditer(r"(?<![\w$:.])([A-Za-z_]\w*)\s*(?=[,:=]|$)", match.group(1)):
            at, name = match.start(1) + part.start(), part.group(1)
            plain = vendor is not None or not _is_a_function(source, name)
            plain = plain and (hook != "useRemoteConfig" or words_of(name)[-1] in {"enabled", "active"})
            if plain and name not in NOT_MEMBERS and not _is_value(match.group(1), part.start()):
                yield Sighting(at, at + len(name), "member", hook, name, vendor=vendor or HOMEMADE)


def _holds_all(name: str) -> bool:
    """Whether a hook gives all flags, by the rest of its name: useFeatureFlags, useToggles."""
    return holders.is_set_of_flags(name) or name in {"Toggles", "RemoteConfig"}


def _is_a_function(source: Source, name: str) -> bool:
    """Whether what a hook gave is called, or is all flags again."""
    return name.lower().endswith(("flag", "flags", "toggles", "features")) or f"{name}(" in source.code


def _is_value(parts: str, at: int) -> bool:
    return parts[:at].rstrip()[-1:] in {":", "="}
