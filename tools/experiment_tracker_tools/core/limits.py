"""How many files this process may open: as many as the system allows, while what it starts keeps what we were given."""

import resource
from contextlib import suppress

_MANY_FILES = 65_536
_GIVEN = resource.getrlimit(resource.RLIMIT_NOFILE)


def allow_many_files() -> None:
    """Let this process open as many files as the system allows: every experiment's journal stays open once it was read.

    Many systems let a program have 1,024 unless it asks.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def keep_given_limit(pid: int) -> None:
    """Let a process that was just started have as many files as it had without us; Linux alone can be asked for that.

    Old programs break where they may open more than 1,024, and what is measured must not be another than the user's.
    """
    if hasattr(resource, "prlimit"):
        with suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_NOFILE, _GIVEN)
