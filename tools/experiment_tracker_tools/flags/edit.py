"""What one edit does to flags: at most one line for the model's context, and silence otherwise.

Standard library only, Python 3.9 syntax: the hook after Write and Edit calls it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Callable, Container, Iterator, Mapping, NamedTuple, Sequence, Tuple

from experiment_tracker_tools.flags import gate, holders, names
from experiment_tracker_tools.flags.languages import language_of
from experiment_tracker_tools.flags.remembered import Remembered, Tracked, is_muted
from experiment_tracker_tools.flags.rollout import Rollout, changed_rollouts
from experiment_tracker_tools.flags.vocabulary import Vocabulary

if TYPE_CHECKING:
    from experiment_tracker_tools.flags.evidence import Evidence
    from experiment_tracker_tools.flags.lexer import Source
    from experiment_tracker_tools.flags.sighting import Sighting

    _Asked = Tuple[Source, Evidence, Sighting, str]

Track = Callable[[Sequence[str]], Mapping[str, Tracked]]
_LIVE = ("running", "paused")
_AROUND = 3
_LARGEST = 1_000_000


class Note(NamedTuple):
    """One line for the model.

    Attributes:
        what: new, removed or rollout.
        keys: the flags that it speaks of; do not tell them again in this session.
        text: the line.
    """

    what: str
    keys: tuple[str, ...]
    text: str


class Edit(NamedTuple):
    """A file before and after, by its path from the project's root; `before` is empty for a new file."""

    path: str
    before: str
    after: str


class _New(NamedTuple):
    key: str
    line: int
    event: str | None


def _nowhere(key: str) -> bool:
    return not key


def note_on(
    edit: Edit,
    project: Remembered,
    track: Track,
    *,
    is_elsewhere: Callable[[str], bool] = _nowhere,
    told: Container[str] = (),
) -> Note | None:
    """Tell a flag that the edit brings in and no experiment tracks, or one of a running experiment that it changes.

    Args:
        edit: the file before and after.
        project: what the last scan remembered.
        track: gives the experiments on flags; called once, and only when the edit touches a flag.
        is_elsewhere: whether a key stands in another file of the project; called for a new key only.
        told: keys that this session has been told of.
    """
    if edit.before == edit.after or max(len(edit.before), len(edit.after)) > _LARGEST:
        return None
    new, gone = _new(edit, project), _gone(edit, project)
    rollouts = [
        each for each in changed_rollouts(edit.path, edit.before, edit.after) if _is_open(each.key, project, told)
    ]
    new = [each for each in new if _is_open(each.key, project, told) and each.key not in project.keys]
    gone = [key for key in gone if _is_open(key, project, told)]
    if not (new or gone or rollouts):
        return None
    experiments = track([*(each.key for each in new), *gone, *(each.key for each in rollouts)])
    return (
        _on_rollout(edit, rollouts, experiments)
        or _on_removal(edit, gone, experiments)
        or _on_new(edit, [each for each in new if each.key not in experiments and not is_elsewhere(each.key)])
    )


def _is_open(key: str, project: Remembered, told: Container[str]) -> bool:
    return key not in told and not is_muted(key, project.muted)


def _on_new(edit: Edit, new: Sequence[_New]) -> Note | None:
    if not new:
        return None
    first = new[0]
    others = f" (and {len(new) - 1} more: {', '.join(each.key for each in new[1:4])})" if len(new) > 1 else ""
    told = (
        f"Feature flag {_shown(first.key)} at {_shown(edit.path)}:{first.line}{others} is new and no experiment tracks "
        "it. If it is meant to be tested: design_experiment with this draft, numbers and words to be filled in: "
        f"{_draft(first)}"
    )
    return Note("new", tuple(each.key for each in new), told)


def _on_removal(edit: Edit, gone: Sequence[str], experiments: Mapping[str, Tracked]) -> Note | None:
    for key in gone:
        held = experiments.get(key)
        if held is not None and held.state in _LIVE:
            told = (
                f"{_shown(edit.path)} no longer asks for feature flag {_shown(key)}, but {held.experiment} on it is "
                f"{held.state}: its units would no longer meet their variants. Put it back, or stop the experiment "
                "first (transition_experiment stop)."
            )
            return Note("removed", (key,), told)
    return None


def _on_rollout(edit: Edit, rollouts: Sequence[Rollout], experiments: Mapping[str, Tracked]) -> Note | None:
    for each in rollouts:
        held = experiments.get(each.key)
        if held is not None and held.state in _LIVE:
            told = (
                f"The rollout of feature flag {_shown(each.key)} changed from {each.before} to {each.after} in "
                f"{_shown(edit.path)} while {held.experiment} is {held.state}: shares that change mid-way bias "
                "the result. Put it back, or stop the experiment and plan a new one."
            )
            return Note("rollout", (each.key,), told)
    return None


def _draft(new: _New) -> str:
    metric = re.sub(r"[^a-z0-9]+", "_", (new.event or "conversion").lower()).strip("_")[:60] or "conversion"
    return json.dumps(
        {
            "name": f"Flag {new.key}"[:120],
            "type": "feature",
            "hypothesis": {"change": f"{new.key} on", "impact": "?", "reasoning": "?"},
            "metrics": [
                {
                    "name": metric,
                    "role": "primary",
                    "kind": "binary",
                    "direction": "increase",
                    "baseline": 0.1,
                    "mde": 0.1,
                }
            ],
            "subject": {"flag": new.key},
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _shown(text: str) -> str:
    return "'" + "".join(c for c in text[:120] if c.isprintable()) + "'"


def _new(edit: Edit, project: Remembered) -> list[_New]:
    found: dict[str, _New] = {}
    for source, evidence, each, key in _asked(edit.path, edit.after, edit.before, project.vocabulary):
        if key not in found and not _stands_in(key, each.name, edit.before):
            found[key] = _New(key, source.line_of(each.offset), _event_near(source, evidence, each))
    return list(found.values())


def _gone(edit: Edit, project: Remembered) -> list[str]:
    asked = (
        key
        for *_, each, key in _asked(edit.path, edit.before, edit.after, project.vocabulary)
        if not _stands_in(key, each.name, edit.after)
    )
    return list(dict.fromkeys(asked))


def _stands_in(key: str, name: str | None, text: str) -> bool:
    """Whether the other side of the edit has the key, or asks by the name that stands for it: then it only moved."""
    literal = re.search(rf"(?<![\w\-]){re.escape(key)}(?![\w\-])", text) if key in text else None
    if name is None or name == key:
        return literal is not None
    uses = len(re.findall(rf"(?<![\w.]){re.escape(name)}(?!\w)", text)) if name in text else 0
    declares = re.search(rf"\b{re.escape(name)}\b[^\n=:]*[=:][^\n]*{re.escape(key)}", text) if literal else None
    return uses > 1 if declares is not None else uses > 0 or literal is not None


def _asked(path: str, text: str, other: str, vocabulary: Vocabulary) -> Iterator[_Asked]:
    """Flags that stand in the lines which the other side does not have."""
    language = language_of(path)
    spans = _changed(text, other) if language is not None and text else []
    words = [word for word in (*vocabulary.wrappers, *vocabulary.registries, *vocabulary.thunks) if word in text]
    asks = gate.may_ask if spans and gate.may_hold_flags(text) else gate.may_hold_flags
    spans = [each for each in spans if asks(text[each[0] : each[1]]) or any(word in text for word in words)]
    if not spans or language is None:
        return
    # Most edits never come this far, so what reads code is loaded here.
    from experiment_tracker_tools.flags.declared import constants
    from experiment_tracker_tools.flags.detect import sightings
    from experiment_tracker_tools.flags.evidence import Evidence
    from experiment_tracker_tools.flags.keys import key_asked
    from experiment_tracker_tools.flags.lexer import Source

    source = Source(text, language)
    evidence = Evidence(source, vocabulary)
    held = None
    for span in spans:
        for each in sightings(source, evidence, span):
            if each.form == "track" or each.kind == "toggle":
                continue
            if each.key is None and held is None:
                held = constants(source)
            key = each.key or key_asked(each.call, each.name or "", held or (), vocabulary, receiver=each.receiver)
            if key is not None and holders.is_key(key) and not (each.form == "object" and key == each.name):
                yield source, evidence, each, key


def _changed(text: str, other: str) -> list[tuple[int, int]]:
    """Where the lines stand that the other side has not, each with a few lines before it: calls span lines."""
    there = frozenset(other.split("\n"))
    spans: list[tuple[int, int]] = []
    starts: list[int] = []
    at = 0
    for line in text.split("\n"):
        starts.append(at)
        at += len(line) + 1
        if line.strip() and line not in there:
            begin = starts[max(0, len(starts) - 1 - _AROUND)]
            if spans and begin <= spans[-1][1]:
                spans[-1] = (spans[-1][0], at)
            else:
                spans.append((begin, at))
    return [(begin, min(end, len(text))) for begin, end in spans]


def _event_near(source: Source, evidence: Evidence, each: Sighting) -> str | None:
    from experiment_tracker_tools.flags.detect import sightings

    near = sightings(source, evidence, (each.offset, min(len(source.code), each.offset + 2_000)))
    return next((one.key for one in near if one.form == "track" and one.key and not names.is_exposure(one.key)), None)
