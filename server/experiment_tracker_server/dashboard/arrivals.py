"""When trials came, without a single value: counts are no effect, and a page may show them while an experiment runs."""

from array import array
from collections.abc import Iterable
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.ledger.shelf import Volume
from experiment_tracker_tools.ledger.tables import to_entry

_POINTS = 64
_NEWEST = 6
_MOST_KNOWN = 2_000


class Point(NamedTuple):
    """So many trials had come by then."""

    at: datetime
    trials: int


class Arrival(NamedTuple):
    """One trial: its number in the journal, when, of which variant, and who measured it."""

    seq: int
    at: datetime
    variant: str
    provenance: str


class Arrivals:
    """The course of one experiment's trials, continued from where it was last asked."""

    def __init__(self) -> None:
        self._journal: tuple[object, ...] = ()
        self._seqs = array("q")
        self._next = 1
        self._known: dict[int, Arrival] = {}
        self._lock = Lock()

    def course(self, volume: Volume) -> list[Point]:
        """Evenly chosen points of the course, the first and the last trial among them.

        The chosen ones stay the same while more come in, until every other one does, so that few are read anew.
        """
        seqs = self._follow(volume)
        n, step = len(seqs), 1
        while n > step * _POINTS:
            step *= 2
        places = sorted({*range(0, n, step), *range(max(0, n - 1), n)})
        found = self._read(volume, [seqs[place] for place in places])
        return [Point(found[seqs[place]].at, place + 1) for place in places if seqs[place] in found]

    def newest(self, volume: Volume) -> list[Arrival]:
        """The last few trials, the newest first."""
        return list(self._read(volume, self._follow(volume)[: -_NEWEST - 1 : -1]).values())

    def _follow(self, volume: Volume) -> "array[int]":
        journal = volume.journal
        with self._lock:
            if self._journal != journal.version[:2]:
                self._journal, self._seqs, self._next, self._known = journal.version[:2], array("q"), 1, {}
            if len(self._known) > _MOST_KNOWN:
                self._known = {}
            rows = journal.tables.get("trials")
            if rows is not None:
                last = rows.next_id
                self._seqs.extend(seq for seq in range(self._next, last) if rows.get(seq) is not None)
                self._next = last
            return self._seqs

    def _read(self, volume: Volume, seqs: Iterable[int]) -> dict[int, Arrival]:
        """These trials, as far as they can be read; a batch is one line, which one reader takes apart once."""
        known, reader = self._known, volume.journal.reader()
        found: dict[int, Arrival] = {}
        for seq in seqs:
            arrival = known.get(seq)
            if arrival is None and (record := volume.journal.find("trials", seq, reader)) is not None:
                entry = to_entry(Trial, record)
                arrival = known[seq] = Arrival(seq, entry.at, entry.content.variant, entry.provenance)
            if arrival is not None:
                found[seq] = arrival
        return found
