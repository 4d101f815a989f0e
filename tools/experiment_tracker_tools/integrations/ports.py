"""What a flag provider offers: read a flag, set the share that the treatment gets, switch it off.

On and off, and the share, are different levers everywhere. A change names the version that it was made for, so that
nobody's change in between is overwritten.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, cast

from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.core.text import quoted


class FlagFailure(ExperimentError):
    """The provider refused, could not be reached, or has not done what it was asked."""


class Flag(NamedTuple):
    """A feature flag as its provider has it.

    Attributes:
        key: its name in code.
        on: whether it is switched on; off means that everybody gets the off value.
        share: fraction of the units that get the treatment while it is on, 0 to 1; None where targeting rules decide.
        variants: names of what it can serve.
        version: changes with every change of the flag.
    """

    key: str
    on: bool
    share: float | None
    variants: tuple[str, ...]
    version: str


class FlagProvider(Protocol):
    """A place where flags live."""

    def read(self, key: str) -> Flag:
        """The flag as it is now.

        Raises:
            FlagFailure: if there is no such flag, or the provider does not answer.
        """
        ...

    def set_share(self, key: str, share: float, *, expected: str) -> Flag:
        """Switch the flag on and give the treatment this share, and read it back.

        Args:
            key: the flag.
            share: fraction 0 to 1.
            expected: the version that this change was made for.

        Raises:
            FlagFailure: if the flag has another version, or reads back otherwise.
        """
        ...

    def switch_off(self, key: str) -> Flag:
        """Switch the flag off, whatever its version, and read it back.

        Raises:
            FlagFailure: if it does not read back as off.
        """
        ...


def object_of(value: object) -> dict[str, Any]:
    """A JSON object, empty where it is something else.

    >>> object_of({"a": 1}), object_of([1])
    ({'a': 1}, {})
    """
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def objects_of(value: object) -> list[dict[str, Any]]:
    """The JSON objects of a list, none where it is something else.

    >>> objects_of([{"a": 1}, 2]), objects_of(None)
    ([{'a': 1}, {}], [])
    """
    return [object_of(each) for each in cast("list[object]", value)] if isinstance(value, list) else []


def digest(held: object) -> str:
    """A version for providers that know none: of everything of the flag that decides what is served."""
    return hashlib.sha256(json.dumps(held, sort_keys=True).encode()).hexdigest()[:16]


def check_version(flag: Flag, expected: str) -> None:
    """Let a change pass that was made for the flag as it is.

    Raises:
        FlagFailure: if somebody changed it meanwhile.
    """
    if flag.version != expected:
        raise FlagFailure(
            f"The flag {flag.key} was changed meanwhile (version {flag.version}, expected {expected}). Nothing was "
            "changed; read it again."
        )


def treatment_of(key: str, names: Sequence[str], *, control: str, wanted: str | None) -> str:
    """The variant that a share is the share of: the one that is wanted, or the only one besides control.

    Raises:
        FlagFailure: if the flag has no such variant, or several and none is wanted.

    >>> treatment_of("new-ui", ["off", "on"], control="off", wanted=None)
    'on'
    """
    if wanted is not None:
        if wanted not in names:
            raise FlagFailure(f"The flag {quoted(key)} has no variant {quoted(wanted)}: {', '.join(names)}.")
        return wanted
    others = [name for name in names if name != control]
    if len(others) != 1:
        raise FlagFailure(
            f"The flag {quoted(key)} has the variants {', '.join(names)}: name a variant of the experiment like one of "
            f"them, and not {quoted(control)}."
        )
    return others[0]


def check_share(flag: Flag, share: float) -> Flag:
    """The flag, if it is on and gives that share.

    Raises:
        FlagFailure: if it reads back otherwise.
    """
    if not flag.on or flag.share is None or abs(flag.share - share) > 1e-4:
        told = "off" if not flag.on else "decided by targeting rules" if flag.share is None else f"at {flag.share:.2%}"
        raise FlagFailure(f"The flag {flag.key} reads back {told}, not at {share:.2%}. Look at it where it lives.")
    return flag


def check_off(flag: Flag) -> Flag:
    """The flag, if it is off.

    Raises:
        FlagFailure: if it reads back as on.
    """
    if flag.on:
        raise FlagFailure(f"The flag {flag.key} still reads back as on. Switch it off where it lives, at once.")
    return flag
