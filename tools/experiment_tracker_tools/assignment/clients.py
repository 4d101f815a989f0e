"""The client's process, named so that a later process of the same number is not taken for it."""

import os


def client() -> str:
    """Names the client whose hook we are: its number, and when it began where the system tells."""
    return _named(os.getppid())


def is_gone(name: str) -> bool:
    """Whether the client of that name has ended.

    >>> is_gone(_named(os.getpid())), is_gone("4194305-1")
    (False, True)
    """
    number = name.partition("-")[0]
    return not number.isdigit() or _named(int(number)) != name


def _named(number: int) -> str:
    """The name of a running process; empty for one that is not there."""
    if os.path.isdir("/proc/self"):
        try:
            with open(f"/proc/{number}/stat", encoding="utf-8", errors="replace") as file:
                return f"{number}-{file.read().rpartition(chr(41))[2].split()[19]}"
        except (OSError, IndexError):
            return ""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return f"{number}-"
