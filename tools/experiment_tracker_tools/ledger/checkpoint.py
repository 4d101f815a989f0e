"""A cache of what a journal says, mapped from disk; deleting it costs a second of reading, nothing else."""

import json
import mmap
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

from experiment_tracker_tools.ledger.disk import Handle

VERSION = 4
_BLOCK = 1 << 20


class Checkpoint(NamedTuple):
    """Plain facts and large arrays.

    Attributes:
        facts: whatever JSON holds.
        arrays: bytes by name.
    """

    facts: Mapping[str, Any]
    arrays: Mapping[str, memoryview]


def packed(facts: Mapping[str, Any], arrays: Mapping[str, bytes]) -> list[bytes]:
    """The content of a checkpoint. A power cut may break it; its checksums tell, and it is made anew."""
    sizes = {name: [len(content), crc32(content)] for name, content in arrays.items()}
    head = json.dumps({"version": VERSION, "arrays": sizes, "facts": facts}, separators=(",", ":")).encode()
    # Arrays are mapped as 8-byte numbers and must start at a multiple of eight.
    head += b" " * (-(len(head) + 10) % 8)
    return [b"%08x " % crc32(head), head, b"\n", *arrays.values()]


def load_checkpoint(path: Path) -> Checkpoint | None:
    """The checkpoint, or None where there is none that is whole."""
    try:
        handle = Handle(path, os.O_RDONLY)
        return _checked(handle.fd)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _checked(fd: int) -> Checkpoint | None:
    mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
    end = mapped.find(b"\n")
    head = mapped[9:end]
    if end < 0 or mapped[:8] != b"%08x" % crc32(head):
        return None
    described = json.loads(head)
    if described["version"] != VERSION:
        return None
    arrays: dict[str, memoryview] = {}
    at = end + 1
    for name, (size, crc) in described["arrays"].items():
        if at + size > len(mapped) or _crc(fd, at, size) != crc:
            return None
        arrays[name] = memoryview(mapped)[at : at + size]
        at += size
    return Checkpoint(described["facts"], arrays)


def _crc(fd: int, start: int, size: int) -> int:
    # Read, not through the map: pages that a checksum touches would count as this process's memory.
    crc = 0
    for at in range(start, start + size, _BLOCK):
        crc = crc32(os.pread(fd, min(_BLOCK, start + size - at), at), crc)
    return crc
