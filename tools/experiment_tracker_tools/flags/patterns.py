"""Regular expressions compiled when they are first needed: most edits need few, and all of them cost time."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Pattern


@lru_cache(maxsize=1_024)
def pattern(expression: str) -> Pattern[str]:
    """The compiled expression."""
    return re.compile(expression)
