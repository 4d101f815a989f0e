"""When trials came, without a single value: counts are no effect, and a page may show them while an experiment runs."""

from array import array
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.ledger.shelf import Volume
from experiment_tracker_tools.ledger.tables import to_entry

_POINTS = 80
_NEWEST = 6
_MOST_TIMES = 2_000


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
        self._times: dict[int, datetime] = {}
        self._lock = Lock()

    def course(self, volume: Volume) -> list[Point]:
        """Evenly chosen points of the course, the first and the last trial among them."""
        seqs = self._follow(volume)
        n = len(seqs)
        places = sorted({round(k * (n - 1) / (_POINTS - 1)) for k in range(_POINTS)}) if n else []
        found = ((place, self._at(volume, seqs[place])) for place in places)
        return [Point(at, place + 1) for place, at in found if at is not None]

    def newest(self, volume: Volume) -> list[Arrival]:
        """The last few trials, the newest first."""
        found: list[Arrival] = []
        for seq in self._follow(volume)[: -_NEWEST - 1 : -1]:
            record = volume.journal.find("trials", seq)
            if record is not None:
                entry = to_entry(Trial, record)
                found.append(Arrival(seq, entry.at, entry.content.variant, entry.provenance))
        return found

    def _follow(self, volume: Volume) -> "array[int]":
        journal = volume.journal
        with self._lock:
            if self._journal != journal.version[:2]:
                self._journal, self._seqs, self._next, self._times = journal.version[:2], array("q"), 1, {}
            if len(self._times) > _MOST_TIMES:
                self._times = {}
            rows = journal.tables.get("trials")
            if rows is not None:
                last = rows.next_id
                self._seqs.extend(seq for seq in range(self._next, last) if rows.get(seq) is not None)
                self._next = last
            return self._seqs

    def _at(self, volume: Volume, seq: int) -> datetime | None:
        found = self._times.get(seq)
        if found is None and (record := volume.journal.find("trials", seq)) is not None:
            found = self._times[seq] = datetime.fromisoformat(record.at)
        return found
