"""The ledger: experiments, what they recorded and what was decided; every rule that must hold between processes."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from experiment_tracker_tools.core.clock import Clock, next_experiment_id
from experiment_tracker_tools.core.errors import Conflict, ConsentMissing, NotFound, StoreFailure
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.lifecycle import LIVE, OVER
from experiment_tracker_tools.domain.run_after import RunAfter
from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Provenance, Trial
from experiment_tracker_tools.ledger.answers import Journal, Recorded, Totals
from experiment_tracker_tools.ledger.disk import close_to_others, refuse_network
from experiment_tracker_tools.ledger.erasure import erase_rows, erase_unit, is_past_retention
from experiment_tracker_tools.ledger.exchange import Imported, export_lines, import_journal, sorted_exports
from experiment_tracker_tools.ledger.journal import Draft
from experiment_tracker_tools.ledger.migration import migrate
from experiment_tracker_tools.ledger.recording import Choose, Turn, put_batch, put_exposures, put_run_after
from experiment_tracker_tools.ledger.register import registered
from experiment_tracker_tools.ledger.rules import Batch, check_frozen
from experiment_tracker_tools.ledger.shelf import Shelf, Volume
from experiment_tracker_tools.ledger.spool import Taken, forget, take_in
from experiment_tracker_tools.ledger.state import Damage
from experiment_tracker_tools.ledger.succession import ending
from experiment_tracker_tools.ledger.tables import (
    TABLES,
    Amendment,
    Export,
    Withdrawal,
    entries,
    last_seq,
    put_entries,
    put_experiment,
    put_mark,
    to_entry,
)
from experiment_tracker_tools.ledger.verify import Verified, verify

if TYPE_CHECKING:
    from experiment_tracker_tools.ledger.documents import JournalDB

Content = TypeVar("Content", bound=Model)


class Ledger:
    """The store of one project.

    Args:
        folder: the project's `.experiments`.
        clock: gives the time of every entry.
        writer: the door that entries come through, such as mcp or cli.
        pseudonym: what is stored in the place of a unit id; the id itself where left out.
        told: is told of every experiment that has changed, once that is recorded.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        writer: str,
        pseudonym: Callable[[str], str] | None = None,
        told: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._door = writer
        self._pseudonym = pseudonym
        self._told = told
        self._shelf = Shelf(folder, now=lambda: clock().isoformat(), writer=writer)
        self._local = False

    def plan(
        self,
        build: Callable[[str], Experiment],
        contents: Sequence[Model] = (),
        *,
        taken_elsewhere: Iterable[str] = (),
        iterates: str | None = None,
    ) -> Experiment:
        """Store a new experiment, built for the next id free here and elsewhere, with what was claimed of it before.

        What it `iterates` ends with it; NotFound or IllegalStep say that this cannot be, and nothing is stored then.
        """
        opened = self._opened()
        taken, register = [*opened.ids(), *taken_elsewhere], opened.register()
        while True:
            experiment_id = next_experiment_id(self._clock(), taken, register.writer if register.sharing else "")
            volume = self._shelf.volume(experiment_id)
            with (
                ending(self._shelf, self._writing(iterates) if iterates else None) as end,
                volume.journal.writing(new=True) as draft,
            ):
                if volume.experiment() is None:
                    experiment = build(experiment_id)
                    put_experiment(draft, experiment, new=True)
                    known = volume.known(self._pseudonym, register)
                    put_entries(draft, contents, "claimed", after=0, stored=known.stored)
                    end(experiment)
                    break
            taken.append(experiment_id)
        for changed in (iterates, experiment.id) if iterates else (experiment.id,):
            self._anchor(self._shelf.volume(changed), "plan")
            self._told(changed)
        return experiment

    def experiments(self) -> tuple[Experiment, ...]:
        """Every experiment, oldest first."""
        return tuple(self._opened().experiments())

    def experiment(self, experiment_id: str) -> Experiment:
        """One experiment.

        Raises:
            NotFound: with the ids that exist.
        """
        return self._opened().found(experiment_id)[1]

    def change(self, experiment_id: str, step: Callable[[Experiment], Experiment]) -> Experiment:
        """Store what `step` makes of the experiment as it is now; what `step` raises changes nothing."""
        with self._writing(experiment_id) as (volume, draft):
            before = self._shelf.present(volume)
            changed = check_frozen(before, step(before))
            put_experiment(draft, changed)
        self._anchor(volume, changed.state)
        self._told(experiment_id)
        return changed

    def record(self, experiment_id: str, batch: Batch, *, provenance: Provenance = "claimed", by: str = "") -> Recorded:
        """Record a batch, all of it or nothing; `by` is who says so where it is not this ledger's own door.

        Raises:
            NotFound, IllegalStep, Conflict: told by the rules; nothing is recorded then.
            ConsentMissing: if one of them has no consent that the plan requires, or has withdrawn; it is counted.
            StoreFailure: nothing is acknowledged then.
        """
        with self._writing(experiment_id) as (volume, draft):
            draft.writer = by or draft.writer
            known = volume.known(self._pseudonym, registered(self._shelf.catalogue))
            done = put_batch(draft, self._shelf.present(volume), batch, known, provenance=provenance)
        if isinstance(done, ConsentMissing):
            raise done
        return done

    def expose(
        self,
        experiment_id: str,
        units: Sequence[str],
        choose: Choose,
        *,
        stratum: str = "",
        attributes: Mapping[str, bool | float | str] = MappingProxyType({}),
    ) -> tuple[Exposure, ...]:
        """The units' exposures: the recorded ones, else what `choose` gives, recorded before they are returned.

        Args:
            experiment_id: a running experiment.
            units: different units, in the order in which they take the stratum's places.
            choose: makes the exposure of a unit at the stratum's next place; one that names no slot takes no place.
            stratum: whose schedule goes on.
            attributes: of each of the units.

        Raises:
            NotFound, IllegalStep: told by the rules; nothing is recorded then.
            ConsentMissing: if the plan requires a consent that is missing, or the unit has withdrawn; it is counted.
        """
        turn = Turn(units, choose, stratum, attributes)
        with self._writing(experiment_id) as (volume, draft):
            known = volume.known(self._pseudonym, registered(self._shelf.catalogue))
            done = put_exposures(draft, self._shelf.present(volume), turn, known)
        if isinstance(done, ConsentMissing):
            raise done
        return done

    def withdraw(self, unit: str, *, reason: str) -> tuple[str, ...]:
        """Stop collecting a unit in every experiment, also later ones; gives those that go on without it.

        Once this returns no assignment or trial of the unit is recorded; what is there stays (see `forget_unit`).
        """
        opened = self._opened()
        held = unit if self._pseudonym is None else self._pseudonym(unit)
        if held not in opened.register().withdrawn:
            opened.note("withdrawals", {"unit": held, "reason": reason})
        live = [experiment.id for experiment in self.experiments() if experiment.state not in OVER]
        for experiment_id in live:
            # Whoever asked the catalogue before has written by the time that this has the journal's lock.
            with self._writing(experiment_id) as (volume, draft):
                if held not in volume.tally().withdrawn:
                    entry = Withdrawal(unit=held, reason=reason)
                    put_entries(draft, [entry], "command", after=last_seq(volume.journal))
        return tuple(live)

    def journal(self, experiment_id: str) -> Journal:
        """What an experiment recorded."""
        volume, _ = self._opened().found(experiment_id)
        amended = volume.tally().amended
        return Journal(
            [entry for entry in entries(volume.journal, Trial) if entry.seq not in amended],
            entries(volume.journal, Exposure),
            entries(volume.journal, Aggregate),
        )

    def entries(self, experiment_id: str, kind: type[Content]) -> Sequence[Entry[Content]]:
        """Every entry of one kind, amended trials included."""
        return entries(self._opened().found(experiment_id)[0].journal, kind)

    def statistics(self, experiment_id: str) -> Totals:
        """The running statistics of an experiment, without reading its rows."""
        volume, _ = self._opened().found(experiment_id)
        with volume.journal.still:
            return volume.tally().totals()

    def append(
        self, experiment_id: str, content: Model, *, step: Callable[[Experiment], Experiment] | None = None
    ) -> None:
        """Record a look, decision, promotion or roll-back, together with the step that it causes."""
        with self._writing(experiment_id) as (volume, draft):
            experiment = self._shelf.present(volume)
            if step is not None:
                put_experiment(draft, check_frozen(experiment, step(experiment)))
            put_entries(draft, [content], "command", after=last_seq(volume.journal))
        self._anchor(volume, TABLES[type(content)])
        if step is not None or isinstance(content, Learning | Export):
            self._told(experiment_id)

    def append_new(self, experiment_id: str, content: Content, stands: Callable[[Entry[Content]], bool]) -> bool:
        """Record something unless an entry of its kind already stands for it; gives whether it was recorded."""
        volume = self._writable(experiment_id)
        with volume.journal.writing() as draft:
            is_new = not any(stands(entry) for entry in entries(volume.journal, type(content)))
            if is_new:
                put_entries(draft, [content], "command", after=last_seq(volume.journal))
        return is_new

    def record_after(self, experiment_id: str, run: RunAfter) -> bool:
        """Record a run after the promotion; gives whether it was new and may be kept."""
        with self._writing(experiment_id) as (volume, draft):
            known = volume.known(self._pseudonym, registered(self._shelf.catalogue))
            return put_run_after(draft, self._shelf.present(volume), run, known)

    def amend(self, experiment_id: str, seq: int, *, reason: str) -> Amendment:
        """Let a wrongly recorded trial no longer count; it stays, with a tombstone that says why.

        Raises:
            NotFound: if no trial has this position.
            Conflict: if it was amended before.
        """
        with self._writing(experiment_id) as (volume, draft):
            record = volume.journal.find("trials", seq)
            if record is None:
                raise NotFound(f"{experiment_id} has no trial {seq}. Nothing was amended; name the seq of a trial.")
            if seq in volume.tally().amended:
                raise Conflict(f"Trial {seq} of {experiment_id} was amended before. Nothing was recorded.")
            amendment = Amendment(seq=seq, variant=record.document["content"]["variant"], reason=reason)
            put_entries(draft, [amendment], "command", after=last_seq(volume.journal))
        self._told(experiment_id)
        return amendment

    def latest(self, experiment_id: str, kind: type[Content]) -> Entry[Content] | None:
        """The newest entry of that kind."""
        journal = self._opened().found(experiment_id)[0].journal
        rows = journal.tables.get(TABLES[kind])
        newest = rows.newest() if rows is not None else None
        record = journal.find(TABLES[kind], newest) if newest is not None else None
        return to_entry(kind, record) if record is not None else None

    def head(self, experiment_id: str) -> str:
        """Changes whenever anything about the experiment is recorded: position and hash in its chain."""
        journal = self._opened().found(experiment_id)[0].journal
        return f"{journal.place}.{journal.chain[:16]}"

    def documents(self, experiment_id: str) -> "JournalDB":
        """An experiment's journal as a TinyDB, for queries; tables are trials, exposures, looks, decisions, ..."""
        from experiment_tracker_tools.ledger.documents import JournalDB

        return JournalDB(self._opened().found(experiment_id)[0].journal)

    def damage(self, experiment_id: str) -> Sequence[Damage]:
        """Every sign that bytes of an experiment's journal are not as they were written."""
        return self._opened().found(experiment_id)[0].journal.damage

    def take_in_spools(self, *, held: frozenset[str] = frozenset()) -> Taken:
        """Record what hooks have left in `spool/`, each event once; spools of the sessions in `held` are kept."""

        def record(session: str, experiment_id: str, batch: Batch) -> tuple[int, int]:
            recorded = self.record(experiment_id, batch, provenance="hook", by=f"hook {session}"[:120])
            return recorded.trials + recorded.exposures, recorded.repeats

        return take_in(self._folder / "spool", record, now=self._clock(), held=held)

    def forget_unit(self, unit: str, *, reason: str) -> dict[str, int]:
        """Erase a person's rows everywhere; gives how many went, by experiment. That it was done is recorded."""
        units = frozenset({unit} if self._pseudonym is None else {unit, self._pseudonym(unit)})
        at = self._clock().isoformat()
        gone: dict[str, int] = {}
        forget(self._folder / "spool", units)
        for experiment in self.experiments():
            volume = self._writable(experiment.id)
            if count := erase_unit(volume.journal, units, volume.tally, reason=reason, at=at, by=self._door):
                gone[experiment.id] = count
                self._anchor(volume, "erasure")
        return gone

    def enforce_retention(self, days: float | None = None) -> dict[str, int]:
        """Erase the rows of experiments that ended longer ago than their plan keeps them; their statistics stay.

        Args:
            days: in the place of every plan's own retention_days.

        Returns:
            How many rows went, by experiment.
        """
        now, gone = self._clock(), dict[str, int]()
        for experiment in self.experiments():
            kept = experiment.plan.privacy.retention_days if days is None else days
            if not is_past_retention(experiment, now, kept):
                continue
            volume = self._writable(experiment.id)
            reason = f"retention of {kept:g} days"
            if count := erase_rows(volume.journal, volume.tally(), reason=reason, at=now.isoformat(), by=self._door):
                gone[experiment.id] = count
                self._anchor(volume, "erasure")
        return gone

    def verify(self, experiment_id: str | None = None) -> tuple[Verified, ...]:
        """Walk the chain of one experiment, or of the whole store, and name the first fault."""
        if experiment_id is None:
            return verify(self._folder)
        return verify(self._opened().found(experiment_id)[0].journal.path.parent)

    def export(self, experiment_id: str | None = None) -> Iterator[str]:
        """One experiment, or all, as JSON lines; rows of a live experiment that leave are recorded as a broken seal."""
        chosen = self.experiments() if experiment_id is None else (self.experiment(experiment_id),)
        for experiment in chosen:
            if experiment.state in LIVE:
                self.append(experiment.id, Export(state=experiment.state, sealed=False))
            yield from export_lines(self._writable(experiment.id).journal.path)

    def import_lines(self, lines: Iterable[str]) -> Imported:
        """Take in what `export` gave; records that are there already are left alone.

        Raises:
            InvalidInput: for lines that are no export, or whose chain does not hold; nothing is imported then.
            Conflict: for an experiment that went on differently here; the ones before it are imported.
        """
        found = sorted_exports(lines)
        new = repeats = 0
        for about, exported in found.items():
            volume = self._opened().volume(about)
            with volume.journal.writing(new=True):
                added, there = import_journal(volume.journal.path, about, exported)
            volume.journal.refresh()
            new, repeats = new + added, repeats + there
            if added:
                self._anchor(volume, "import")
        return Imported(new, repeats, tuple(found))

    @property
    def shelf(self) -> Shelf:
        """The journals themselves, for what is beside the rules: sharing, upkeep."""
        return self._opened()

    def close(self) -> None:
        """Leave checkpoints behind for whoever opens the store next; the ledger can still be used."""
        self._shelf.close()

    def _opened(self) -> Shelf:
        if not self._local:
            refuse_network(self._folder)
            close_to_others(self._folder)
            migrate(self._folder, self._shelf)
            self._local = True
        return self._shelf

    def _writable(self, experiment_id: str) -> Volume:
        return self._opened().writable(experiment_id)

    @contextmanager
    def _writing(self, experiment_id: str) -> Generator[tuple[Volume, Draft]]:
        """An experiment's journal for oneself; where another store wrote last, a mark says who goes on from here."""
        volume = self._writable(experiment_id)
        with volume.journal.writing() as draft:
            writer = self._shelf.register().writer
            if writer and volume.writer() != writer:
                put_mark(draft, volume.journal, writer)
            yield volume, draft

    def _anchor(self, volume: Volume, kind: str) -> None:
        """Note in the catalogue how far a journal has come, so that a journal cut short later is found out."""
        journal = volume.journal
        # What is anchored stands already; a catalogue that cannot be written must not deny it.
        with suppress(StoreFailure):
            anchor = {"experiment": journal.about, "place": journal.place, "chain": journal.chain, "kind": kind}
            self._shelf.note("anchors", anchor)
