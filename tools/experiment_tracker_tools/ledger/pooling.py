"""What several stores share, as one view: pooled, without duplicates, and with every contradiction told."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from experiment_tracker_tools.domain.decision import FINAL, Decision
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.domain.trial import Aggregate
from experiment_tracker_tools.ledger.contribution import Cited, Content, Contribution, Part
from experiment_tracker_tools.ledger.statistics import Running

MOST_BYTES = 16 * 1024 * 1024


class Pooled(NamedTuple):
    """One experiment over all stores.

    Attributes:
        experiment: its id; name: as its plan says; journal: tells experiments of one id apart.
        states: where it stands, by store.
        trials: how many, by variant; exposed: units, by variant.
        running: sums by variant and metric; None while a store takes trials, when effects stay sealed.
        aggregates: each slice once.
        decisions: every verdict, once; learnings: every one, once.
        duplicates: parts that came from several stores and were counted once.
        notes: contradictions, each with what to do.
    """

    experiment: str
    name: str
    journal: str
    states: dict[str, State]
    trials: dict[str, int]
    exposed: dict[str, int]
    running: dict[tuple[str, str], Running] | None
    aggregates: tuple[Aggregate, ...]
    decisions: tuple[Cited[Decision], ...]
    learnings: tuple[Cited[Learning], ...]
    duplicates: int
    notes: tuple[str, ...]


def read_contributions(shared: Mapping[str, Mapping[str, bytes]]) -> tuple[list[Contribution], list[str]]:
    """What stores gave, by store and file; and what of it cannot be used, because others wrote it.

    >>> read_contributions({"ab12": {"exp-2026-11-20-001.json": b"{"}})[1]
    ['ab12/exp-2026-11-20-001.json is not what `share` writes; it is left out.']
    """
    found, strange = list[Contribution](), list[str]()
    for writer, files in sorted(shared.items()):
        for name, content in sorted(files.items()):
            try:
                given = Contribution.model_validate_json(content[: MOST_BYTES + 1])
            except ValidationError:
                strange.append(f"{writer}/{name} is not what `share` writes; it is left out.")
                continue
            if given.writer != writer or name != f"{given.id}.json":
                strange.append(f"{writer}/{name} says that it is {given.writer}/{given.id}.json; it is left out.")
                continue
            found.append(given)
    return found, strange


def pooled(contributions: Sequence[Contribution]) -> tuple[Pooled, ...]:
    """One view of each experiment."""
    groups: dict[tuple[str, str], list[Contribution]] = {}
    for given in contributions:
        groups.setdefault((given.id, given.journal), []).append(given)
    clashes = {id_ for id_, count in Counter(id_ for id_, _ in groups).items() if count > 1}
    return tuple(_pool(groups[key], clash=key[0] in clashes) for key in sorted(groups))


def _pool(given: Sequence[Contribution], *, clash: bool) -> Pooled:
    parts, duplicates = _own_parts(given)
    slices, notes = _slices(parts)
    decisions = _each_once([each.decisions for each in given])
    if clash:
        notes.insert(0, f"Another experiment has the id {given[0].id} too; these are not pooled with it.")
    finals = [cited for cited in decisions if cited.entry.content.verdict in FINAL]
    if len(finals) > 1:
        told = ", ".join(f"{cited.writer or '?'} {cited.entry.content.verdict}" for cited in finals)
        notes.append(f"{len(finals)} stores decided: {told}. Agree on one; the data are pooled here.")
    return Pooled(
        experiment=given[0].id,
        name=given[0].experiment.name,
        journal=given[0].journal,
        states={each.writer: each.experiment.state for each in given},
        trials=_summed([part.trials for part in parts]),
        exposed=_summed([part.exposed for part in parts]),
        running=_merged(parts),
        aggregates=tuple(slices),
        decisions=decisions,
        learnings=_each_once([each.learnings for each in given]),
        duplicates=duplicates,
        notes=tuple(notes),
    )


def _own_parts(given: Sequence[Contribution]) -> tuple[list[Part], int]:
    """Each store's part once: as whoever knows most of it tells it, the store itself before others."""
    best: dict[str, tuple[tuple[int, bool], Part]] = {}
    count = 0
    for each in given:
        for part in each.parts:
            count += 1
            rank = (part.through_seq, each.writer == part.writer)
            if part.writer not in best or rank > best[part.writer][0]:
                best[part.writer] = (rank, part)
    return [part for _, part in best.values()], count - len(best)


def _merged(parts: Sequence[Part]) -> dict[tuple[str, str], Running] | None:
    found: dict[tuple[str, str], Running] = {}
    for part in parts:
        if part.sums is None:
            return None
        for sums in part.sums:
            found.setdefault((sums.variant, sums.metric), Running()).merge(sums.running())
    return found


def _slices(parts: Sequence[Part]) -> tuple[list[Aggregate], list[str]]:
    """Each posted slice once; one that stores tell differently is left out."""
    found: dict[tuple[str, str | None, str], set[Aggregate]] = {}
    for post in (post for part in parts for post in part.aggregates):
        found.setdefault((post.variant, post.metric, post.period), set()).add(post)
    split = [" ".join(part for part in name if part) for name, posts in found.items() if len(posts) > 1]
    notes = [f"Stores tell {', '.join(sorted(split))} differently; left out. Post it anew from one."] if split else []
    return [post for posts in found.values() if len(posts) == 1 for post in posts], notes


def _each_once(told: Sequence[Sequence[Cited[Content]]]) -> tuple[Cited[Content], ...]:
    """Entries that several stores may hold, oldest first."""
    found = {cited.chain: cited for each in told for cited in each}
    return tuple(sorted(found.values(), key=lambda cited: (cited.entry.at, cited.chain)))


def _summed(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)
