"""The journals of one store: where each stands, opened once and kept."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, cast

from experiment_tracker_tools.core.clock import ID_PATTERN
from experiment_tracker_tools.core.errors import InvalidInput, NotFound, StoreFailure
from experiment_tracker_tools.core.limits import allow_many_files
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.ledger.index import Rows
from experiment_tracker_tools.ledger.journal import JournalFile
from experiment_tracker_tools.ledger.known import Known
from experiment_tracker_tools.ledger.register import Register, own_writer, put_row, registered
from experiment_tracker_tools.ledger.tables import EXPERIMENTS, find_experiment
from experiment_tracker_tools.ledger.tally import Tally

_ID = re.compile(rf"{ID_PATTERN}\Z")


class Volume:
    """One experiment's journal, with what was last read of the experiment itself."""

    def __init__(self, journal: JournalFile) -> None:
        self.journal = journal
        self._read: tuple[Rows | None, int, Experiment | None] = (None, 0, None)

    def experiment(self) -> Experiment | None:
        """The experiment as its own journal says it, as of the last refresh; what has succeeded it the shelf knows."""
        rows = self.journal.tables.get(EXPERIMENTS)
        offset = rows.get(1) if rows is not None else None
        if offset is None:
            return None
        # Rows are made anew with every opening of the file, so that an old offset cannot be mistaken.
        if self._read[0] is not rows or self._read[1] != offset:
            self._read = (rows, offset, find_experiment(self.journal))
        return self._read[2]

    def known(self, stored: Callable[[str], str] | None, register: Register) -> Known:
        """What the rules may ask."""
        return Known(self.journal, self.tally(), stored, register.withdrawn)

    def writer(self) -> str:
        """The store whose entries the newest ones are; empty where nobody said."""
        return self.tally().writer or str(self.journal.header.get("writer", ""))

    def tally(self) -> Tally:
        """The running statistics as of the journal's last refresh; without amended trials."""
        with self.journal.still:
            tally = cast("Tally", self.journal.fold)
            if tally.stale:
                trials = (record for record in self.journal.records() if record.table == "trials")
                tally.recount(record for record in trials if record.id not in tally.amended)
            return tally


class Shelf:
    """Every journal below one folder."""

    def __init__(self, folder: Path, *, now: Callable[[], str], writer: str) -> None:
        allow_many_files()
        self._folder, self._now, self._writer = folder, now, writer
        self._volumes: dict[str, Volume] = {}
        self._adding = Lock()
        path = folder / "catalogue.jsonl"
        self.catalogue = JournalFile(path, about="catalogue", now=now, writer=writer, fold=Register)

    def volume(self, experiment_id: str) -> Volume:
        """The journal of that experiment, which need not exist yet.

        Raises:
            InvalidInput: for what is no experiment's id, and could name another folder.
        """
        volume = self._volumes.get(experiment_id)
        if volume is None and not _ID.match(experiment_id):
            raise InvalidInput(f"{quoted(experiment_id)} is no experiment id. Ids look like exp-2026-11-20-001.")
        if volume is None:
            with self._adding:
                volume = self._volumes.setdefault(experiment_id, Volume(self._journal(experiment_id)))
        return volume

    def found(self, experiment_id: str) -> tuple[Volume, Experiment]:
        """The journal of an experiment, up to date, and the experiment; an alias of one will do.

        Raises:
            NotFound: with the ids that exist.
        """
        if _ID.match(experiment_id):
            volume = self.volume(experiment_id)
            volume.journal.refresh()
            experiment = self.standing(volume)
            if experiment is not None:
                return volume, experiment
        named = next((each for each in self.experiments() if experiment_id in each.aliases), None)
        if named is not None:
            return self.volume(named.id), named
        newest = ", ".join(self.ids()[-5:])
        known = f"Newest: {newest}." if newest else "None is planned yet."
        raise NotFound(f"No experiment {quoted(experiment_id)}. {known} Plan one with design_experiment.")

    def writable(self, experiment_id: str) -> Volume:
        """The journal of an experiment that exists; whoever writes reads what is new under the lock.

        Raises:
            NotFound: with the ids that exist.
        """
        volume = self._volumes.get(experiment_id)
        return volume if volume is not None and volume.journal.place else self.found(experiment_id)[0]

    def experiments(self) -> Iterator[Experiment]:
        """Every experiment, oldest first."""
        found: dict[str, Experiment] = {}
        for experiment_id in self._names():
            volume = self.volume(experiment_id)
            volume.journal.refresh()
            if (experiment := volume.experiment()) is not None:
                found[experiment_id] = experiment
        # What a plan iterates may have been read before that plan was stored, or never have been told of it by a crash.
        for old in [found[each.iterates] for each in found.values() if each.iterates in found]:
            if old.is_iterable:
                found[old.id] = self.found(old.id)[1]
        return iter(found.values())

    def standing(self, volume: Volume) -> Experiment | None:
        """The experiment as of its journal's last refresh, ended if the plan that iterates it is stored."""
        experiment = volume.experiment()
        if experiment is None or not experiment.is_iterable:
            return experiment
        # The catalogue was told before that plan could be stored.
        successor = self.register().successors.get(experiment.id)
        if successor is None:
            return experiment
        other = self.volume(successor)
        other.journal.refresh()
        plan = other.experiment()
        return experiment if plan is None or plan.iterates != experiment.id else experiment.iterated_by(plan)

    def present(self, volume: Volume) -> Experiment:
        """The same of a journal that must have one.

        Raises:
            NotFound: if it has gone.
        """
        experiment = self.standing(volume)
        if experiment is None:
            raise NotFound(f"{volume.journal.about} was there a moment ago and is gone. Look at the store's folder.")
        return experiment

    def register(self) -> Register:
        """What the catalogue tells now."""
        self.catalogue.refresh()
        return registered(self.catalogue)

    def note(self, table: str, document: Mapping[str, Any]) -> None:
        """Add a document to one of the catalogue's tables."""
        with self.catalogue.writing(new=True) as draft:
            put_row(self.catalogue, draft, table, document)

    def ids(self) -> list[str]:
        """Every id that is taken, oldest first."""
        return [experiment.id for experiment in self.experiments()]

    def close(self) -> None:
        """Leave checkpoints behind for whoever opens the store next."""
        for volume in self._volumes.values():
            if volume.journal.place > 0:
                volume.journal.save_checkpoint()

    def _names(self) -> list[str]:
        try:
            found = [match for entry in self._folder.iterdir() if (match := _ID.match(entry.name))]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreFailure(
                f"Cannot read the store {self._folder.name}: {error.strerror}. Mend that, then try again."
            ) from error
        return [match[0] for match in sorted(found, key=lambda match: (match[1], int(match[2]), match[0]))]

    def _journal(self, experiment_id: str) -> JournalFile:
        path = self._folder / experiment_id / "journal.jsonl"
        own = partial(own_writer, self.catalogue)
        return JournalFile(path, about=experiment_id, now=self._now, writer=self._writer, fold=Tally, store=own)
