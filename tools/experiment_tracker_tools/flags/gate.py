"""The word gate: most texts say by their words that they have nothing to do with flags, and are read no further.

Standard library only, Python 3.9 syntax: the hooks use it.
"""

from __future__ import annotations

import re

# A file without one of these words cannot hold a hit; lower case.
_WORDS = (
    "flag toggle experiment variation variant feature gate treatment waffle flipper unleash enabled "
    "enable_ getboolean decide track capture logevent log_event abtest ab_test ab-test exposure statsig "
    "posthog optimizely devcycle growthbook launchdarkly ldclient ff4j togglz configcat flipt rollout "
    "killswitch justknobs switch_is switches. remoteconfig. remoteconfig, use_new beta_ fg( ff( labs. labsservice "
).split()


def may_hold_flags(text: str) -> bool:
    """The word gate: whether a file is worth reading.

    >>> may_hold_flags("x = isFeatureEnabled('y')"), may_hold_flags("print('hello')")
    (True, False)
    """
    lowered = text.lower()
    return any(word in lowered for word in _WORDS)


_MAY_ASK = (
    r"(?i)(?:value|is_?on|decide|check|evaluate|assignment|has|active|config|layer|get)\w*[?!]?\s*[(\[]\s*[\"':{\w.$@&]"
)


def may_ask(text: str) -> bool:
    """The word gate of a few lines in a file that speaks of flags: whether anything is asked for there."""
    return may_hold_flags(text) or re.search(_MAY_ASK, text) is not None
