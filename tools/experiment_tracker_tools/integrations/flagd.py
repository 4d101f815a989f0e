"""Flags in a local file in flagd's format (https://flagd.dev/schema/v0/flags.json): the default, which needs nothing.

A flag is on for a share of the units by a `fractional` rule; off is the state DISABLED, which makes every client serve
its own default. Other flags of the file, and what we do not know of a flag, stay as they are.
"""

import json
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.integrations.ports import (
    Flag,
    FlagFailure,
    check_off,
    check_share,
    check_version,
    digest,
    object_of,
    treatment_of,
)

_MOST_BYTES = 10_000_000
Json = dict[str, Any]


class FlagFile:
    """The flags of one file; every change replaces the file in one step, keeping its mode.

    Args:
        path: the JSON file.
        treatment: variant that `share` is the share of; where left out, the one that is not the default.
    """

    def __init__(self, path: Path, *, treatment: str | None = None) -> None:
        self._path = path
        self._treatment = treatment

    def read(self, key: str) -> Flag:
        """The flag as the file has it."""
        flag = _flag(self._file(), key, self._path)
        names = tuple(map(str, flag.get("variants", {})))
        default = str(flag.get("defaultVariant", ""))
        return Flag(
            key=key,
            on=flag.get("state", "ENABLED") == "ENABLED",
            share=_share(flag, treatment_of(key, names, control=default, wanted=self._treatment), default),
            variants=names,
            version=digest(flag),
        )

    def set_share(self, key: str, share: float, *, expected: str) -> Flag:
        """Enable the flag with a fractional rule of this share."""
        held = self.read(key)
        check_version(held, expected)
        content = self._file()
        flag = _flag(content, key, self._path)
        default = str(flag.get("defaultVariant", ""))
        treated = treatment_of(key, held.variants, control=default, wanted=self._treatment)
        rest = default if default != treated else next(name for name in held.variants if name != treated)
        # flagd takes relative weights of whole numbers.
        weight = round(share * 10_000)
        flag["state"] = "ENABLED"
        flag["targeting"] = {"fractional": [[treated, weight], [rest, 10_000 - weight]]}
        self._replace(content)
        return check_share(self.read(key), share)

    def switch_off(self, key: str) -> Flag:
        """Disable the flag; its rules stay for whoever wants to look at them."""
        content = self._file()
        _flag(content, key, self._path)["state"] = "DISABLED"
        self._replace(content)
        return check_off(self.read(key))

    def _file(self) -> Json:
        try:
            if self._path.stat().st_size > _MOST_BYTES:
                raise FlagFailure(f"{quoted(self._path.name)} is larger than {_MOST_BYTES} bytes; nothing was read.")
            content = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not JSON"
            raise FlagFailure(f"The flag file {quoted(self._path.name)} cannot be read: {why}. Mend it.") from error
        if not object_of(object_of(content).get("flags")):
            raise FlagFailure(f"{quoted(self._path.name)} has no object `flags`: it is not in flagd's format.")
        return object_of(content)

    def _replace(self, content: Json) -> None:
        made = self._path.with_name(f".{self._path.name}.{os.getpid()}.new")
        mode = stat.S_IMODE(self._path.stat().st_mode)
        try:
            handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=2, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fsync(file.fileno())
            made.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                made.unlink()
            raise FlagFailure(f"The flag file {quoted(self._path.name)} was not changed: {error.strerror}.") from error


def _flag(content: Json, key: str, path: Path) -> Json:
    flag = object_of(content["flags"].get(key))
    if not object_of(flag.get("variants")):
        raise FlagFailure(f"There is no flag {quoted(key)} in {quoted(path.name)}. Add it, or mend its key.")
    return flag


def _share(flag: Json, treated: str, default: str) -> float | None:
    """The share of the treated variant; None where a rule that we did not write decides."""
    targeting = flag.get("targeting")
    if not targeting:
        return 1.0 if default == treated else 0.0
    rule = object_of(targeting)
    try:
        pairs = {str(name): float(weight) for name, weight in cast("list[list[Any]]", rule["fractional"])}
    except (TypeError, ValueError, KeyError):
        return None
    total = sum(pairs.values())
    return pairs.get(treated, 0.0) / total if total > 0 else None
