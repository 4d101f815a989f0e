"""A name taken apart into lower-case words: cheaper than one large pattern, which costs milliseconds to compile.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Tuple

Words = Tuple[str, ...]

# Two words that together mean a flag and nothing else.
PAIRS = frozenset(
    [*(("feature", kind) for kind in ("flag", "toggle", "switch", "gate")), ("kill", "switch"), ("ab", "test")]
)

# Two words that are often written as one.
_GLUED = ("featureflag", "featuretoggle", "featureswitch", "featuregate", "killswitch", "launchdarkly", "abtest")
_HEADS = ("feature", "kill", "launch", "ab")


@lru_cache(maxsize=50_000)
def words_of(name: str) -> Words:
    """The words of a name, whether it is written with humps or underscores.

    >>> words_of("isFeatureEnabledFor"), words_of("@flag_set?"), words_of("useABTest"), words_of("hasFeatureflags")
    (('is', 'feature', 'enabled', 'for'), ('flag', 'set'), ('use', 'ab', 'test'), ('has', 'feature', 'flags'))
    """
    found: list[str] = []
    for part in name.strip("_$@?!").split("_"):
        begin = 0
        for at in range(1, len(part)):
            if part[at].isupper() and (not part[at - 1].isupper() or part[at + 1 : at + 2].islower()):
                found += _opened(part[begin:at].lower())
                begin = at
        found += _opened(part[begin:].lower())
    return tuple(found)


def _opened(word: str) -> list[str]:
    if word.startswith(_GLUED):
        head = next(each for each in _HEADS if word.startswith(each))
        return [head, word[len(head) :]]
    if word == "isenabled":
        return ["is", "enabled"]
    return [word] if word else []


def singular(word: str) -> str:
    """A noun of the trade without its plural.

    >>> singular("flags"), singular("switches"), singular("is")
    ('flag', 'switch', 'is')
    """
    if word == "switches":
        return "switch"
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def pair_at(words: Words) -> int | None:
    """Where two words stand that together mean a flag, if they do.

    >>> pair_at(("admin", "feature", "flags")), pair_at(("flag", "icon"))
    (1, None)
    """
    return next((at for at in range(len(words) - 1) if (words[at], singular(words[at + 1])) in PAIRS), None)
