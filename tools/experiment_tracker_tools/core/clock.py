"""The one place that asks for the time, and the ids made of it."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

Clock = Callable[[], datetime]

ID_PATTERN = r"exp-([0-9]{4}-[0-9]{2}-[0-9]{2})-([0-9]{3,6})(?:-([a-z0-9]{4}))?"
"""Of an experiment: its day, its number, and the writer that planned it where the store shares."""

_ID = re.compile(rf"{ID_PATTERN}\Z")


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def next_experiment_id(now: datetime, taken: Iterable[str], writer: str = "") -> str:
    """The first free id of the day, with its writer where there is one; call it under the lock that also stores it.

    >>> next_experiment_id(datetime(2026, 11, 20, tzinfo=UTC), ["exp-2026-11-20-001", "exp-2026-11-19-007"])
    'exp-2026-11-20-002'
    >>> next_experiment_id(datetime(2026, 11, 20, tzinfo=UTC), ["exp-2026-11-20-001"], "ab12")
    'exp-2026-11-20-002-ab12'
    """
    day = now.astimezone(UTC).date().isoformat()
    numbers = [int(found[2]) for found in map(_ID.match, taken) if found and found[1] == day]
    return f"exp-{day}-{max(numbers, default=0) + 1:03d}" + (f"-{writer}" if writer else "")
