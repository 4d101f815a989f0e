"""What a whole project says about its flags, as one value."""

from __future__ import annotations

from typing import Mapping, NamedTuple


class Vocabulary(NamedTuple):
    """What the whole project says about its flags.

    Attributes:
        vendors: whose packages are mentioned anywhere.
        wrappers: functions whose parameter is a flag's key: its position, by name.
        keys: values of constants and registry members, by dotted name.
        thunks: functions that only give a flag: its key, by name.
        registries: names of enums, classes and objects whose members stand in keys' places.
    """

    vendors: frozenset[str] = frozenset()
    wrappers: Mapping[str, int] = {}
    keys: Mapping[str, str] = {}
    thunks: Mapping[str, str] = {}
    registries: frozenset[str] = frozenset()
