"""What the last scan left for hooks: the project's vocabulary and keys, as JSON in the store.

Standard library only, Python 3.9 syntax: the hooks read it.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Iterable, Mapping, NamedTuple

from experiment_tracker_tools.flags.vocabulary import Vocabulary

FOLDER, NAME = "flags", "index.json"


class Remembered(NamedTuple):
    """What is known of a project's flags.

    Attributes:
        vocabulary: wrappers, constants, thunks and vendors.
        keys: every flag that the last scan found.
        muted: patterns of keys that the project does not want to hear of.
    """

    vocabulary: Vocabulary = Vocabulary()
    keys: frozenset[str] = frozenset()
    muted: tuple[str, ...] = ()


class Tracked(NamedTuple):
    """The experiment on a flag, and its state."""

    experiment: str
    state: str


def remembered(store: str) -> Remembered:
    """What the last scan left in the store; empty where there was none, or where it cannot be read."""
    try:
        with open(os.path.join(store, FOLDER, NAME), encoding="utf-8") as file:
            content: dict[str, Any] = json.load(file)
        vocabulary = Vocabulary(
            frozenset(content["vendors"]),
            dict(content["wrappers"]),
            dict(content["constants"]),
            dict(content["thunks"]),
            frozenset(content["registries"]),
        )
        return Remembered(vocabulary, frozenset(content["keys"]), tuple(content["muted"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Remembered()


def content_of(vocabulary: Vocabulary, keys: Iterable[str], muted: Iterable[str]) -> str:
    """The JSON that `remembered` reads."""
    content = {
        "vendors": sorted(vocabulary.vendors),
        "wrappers": dict(vocabulary.wrappers),
        "constants": dict(vocabulary.keys),
        "thunks": dict(vocabulary.thunks),
        "registries": sorted(vocabulary.registries),
        "keys": sorted(keys),
        "muted": list(muted),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def is_muted(key: str, muted: Iterable[str]) -> bool:
    """Whether a key fits one of the patterns.

    >>> is_muted("ops-kill-mail", ["ops-*"]), is_muted("new-ui", ["ops-*"])
    (True, False)
    """
    if not (muted := tuple(muted)):
        return False
    from fnmatch import fnmatchcase

    return any(fnmatchcase(key, pattern) for pattern in muted)


def tracked(store: str, keys: Iterable[str]) -> Mapping[str, Tracked]:
    """Which of these flags are an experiment's subject; the newest where there are several."""
    wanted = {key: f'"flag":{json.dumps(key, ensure_ascii=False)}' for key in keys}
    found: dict[str, Tracked] = {}
    try:
        experiments = sorted(name for name in os.listdir(store) if name.startswith("exp-")) if wanted else []
    except OSError:
        return found
    for experiment in experiments:
        try:
            with open(os.path.join(store, experiment, "journal.jsonl"), encoding="utf-8", errors="replace") as file:
                told = file.read(4_000_000)
        except OSError:
            continue
        for key, text in wanted.items():
            if text in told:
                states = re.findall(r'"state":"(\w+)"', told)
                found[key] = Tracked(experiment, states[-1] if states else "planned")
    return found
