"""The one place that asks for the time, and the ids made of it."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

Clock = Callable[[], datetime]

_ID = re.compile(r"^exp-(\d{4}-\d{2}-\d{2})-(\d{3,})\Z")


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def next_experiment_id(now: datetime, taken: Iterable[str]) -> str:
    """The first free id of the day; call it under the lock that also stores it.

    >>> next_experiment_id(datetime(2026, 11, 20, tzinfo=UTC), ["exp-2026-11-20-001", "exp-2026-11-19-007"])
    'exp-2026-11-20-002'
    """
    day = now.astimezone(UTC).date().isoformat()
    numbers = [int(found[2]) for found in map(_ID.match, taken) if found and found[1] == day]
    return f"exp-{day}-{max(numbers, default=0) + 1:03d}"
