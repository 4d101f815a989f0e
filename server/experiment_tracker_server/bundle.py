"""Finds prompts/, agents/ and commands/: inside the wheel, or at the top of a checkout."""

from pathlib import Path

_HERE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder of that name.

    >>> sorted(path.suffix for path in folder("prompts").iterdir())[0]
    '.md'
    """
    bundled = _HERE / "bundled" / name
    return bundled if bundled.is_dir() else _HERE.parents[1] / name
