"""The ledger: experiments, what they recorded and what was decided; every rule that must hold between processes."""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import filelock
from tinydb import TinyDB

from experiment_tracker_tools.core.clock import Clock, next_experiment_id
from experiment_tracker_tools.core.errors import NotFound, StoreFailure
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Provenance, Trial
from experiment_tracker_tools.ledger.rules import (
    Batch,
    Known,
    check_running,
    check_sources,
    check_units,
    new_exposures,
    new_trials,
)
from experiment_tracker_tools.ledger.storage import StagedStorage
from experiment_tracker_tools.ledger.tables import (
    entries,
    experiment_ids,
    experiments,
    find_experiment,
    last_seq,
    put_entries,
    put_experiment,
)

Content = TypeVar("Content", bound=Model)
LOCK_DEADLINE_S = 5.0


class Recorded(NamedTuple):
    """What a batch came to.

    Attributes:
        trials: newly recorded; exposures, aggregates: likewise.
        repeats: trials and exposures that were already there, unchanged.
        replaced: aggregates that took the place of the same period.
        last_seq: position of the experiment's newest entry.
    """

    trials: int
    exposures: int
    aggregates: int
    repeats: int
    replaced: int
    last_seq: int


class Journal(NamedTuple):
    """What an experiment recorded, in order."""

    trials: Sequence[Entry[Trial]]
    exposures: Sequence[Entry[Exposure]]
    aggregates: Sequence[Entry[Aggregate]]


class Ledger:
    """The store of one project.

    Args:
        folder: the project's `.experiments`.
        clock: gives the time of every entry.
        writer: the door that entries come through, such as mcp or cli.
    """

    def __init__(self, folder: Path, *, clock: Clock, writer: str) -> None:
        self._folder = folder
        self._path = folder / "ledger.json"
        self._clock = clock
        self._writer = writer

    def plan(self, build: Callable[[str], Experiment]) -> Experiment:
        """Store a new experiment, built for the next free id."""
        with self._writing() as store:
            experiment = build(next_experiment_id(self._clock(), experiment_ids(store)))
            put_experiment(store, experiment)
        return experiment

    def experiments(self) -> tuple[Experiment, ...]:
        """Every experiment, oldest first."""
        return tuple(experiments(self._reading()))

    def experiment(self, experiment_id: str) -> Experiment:
        """One experiment.

        Raises:
            NotFound: with the ids that exist.
        """
        return _find(self._reading(), experiment_id)

    def change(self, experiment_id: str, step: Callable[[Experiment], Experiment]) -> Experiment:
        """Store what `step` makes of the experiment as it is now; what `step` raises changes nothing."""
        with self._writing() as store:
            return _change(store, experiment_id, step)

    def record(self, experiment_id: str, batch: Batch, *, provenance: Provenance = "claimed") -> Recorded:
        """Record a batch, all of it or nothing.

        Raises:
            NotFound, IllegalStep, Conflict: told by the rules; nothing is recorded then.
            StoreFailure: nothing is acknowledged then.
        """
        with self._writing() as store:
            check_running(_find(store, experiment_id))
            known = _known(store, experiment_id)
            check_units(batch, known)
            check_sources(batch, known)
            trials, exposures = new_trials(batch.trials, known), new_exposures(batch.exposures, known)
            self._append(store, experiment_id, exposures, provenance)
            self._append(store, experiment_id, trials, provenance)
            posted = {_slice(entry.content) for entry in entries(store, experiment_id, Aggregate)}
            last = self._append(store, experiment_id, batch.aggregates, provenance)
        replaced = sum(_slice(aggregate) in posted for aggregate in batch.aggregates)
        repeats = len(batch.trials) + len(batch.exposures) - len(trials) - len(exposures)
        return Recorded(len(trials), len(exposures), len(batch.aggregates), repeats, replaced, last)

    def expose(self, experiment_id: str, unit: str, choose: Callable[[], Exposure]) -> Exposure:
        """The unit's exposure: the recorded one, else what `choose` gives, recorded before it is returned."""
        with self._writing() as store:
            check_running(_find(store, experiment_id))
            for entry in entries(store, experiment_id, Exposure):
                if entry.content.unit == unit:
                    return entry.content
            earlier = _known(store, experiment_id).met.get(unit)
            exposure = choose() if earlier is None else Exposure(unit=unit, variant=earlier)
            self._append(store, experiment_id, [exposure], "command")
        return exposure

    def journal(self, experiment_id: str) -> Journal:
        """What an experiment recorded."""
        store = self._reading()
        return Journal(
            entries(store, experiment_id, Trial),
            entries(store, experiment_id, Exposure),
            entries(store, experiment_id, Aggregate),
        )

    def append(
        self, experiment_id: str, content: Model, *, step: Callable[[Experiment], Experiment] | None = None
    ) -> None:
        """Record a look, decision, promotion or roll-back, together with the step that it causes."""
        with self._writing() as store:
            _find(store, experiment_id)
            if step is not None:
                _change(store, experiment_id, step)
            self._append(store, experiment_id, [content], "command")

    def latest(self, experiment_id: str, kind: type[Content]) -> Entry[Content] | None:
        """The newest entry of that kind."""
        found = entries(self._reading(), experiment_id, kind)
        return found[-1] if found else None

    def head(self, experiment_id: str) -> str:
        """Changes whenever anything about the experiment is recorded."""
        store = self._reading()
        return f"{last_seq(store, experiment_id)}.{len(_find(store, experiment_id).history)}"

    def _append(self, store: TinyDB, experiment_id: str, contents: Sequence[Model], provenance: Provenance) -> int:
        last, now = last_seq(store, experiment_id), self._clock()
        put_entries(
            store,
            experiment_id,
            [
                Entry[Model](seq=last + place, at=now, by=self._writer, provenance=provenance, content=content)
                for place, content in enumerate(contents, 1)
            ],
        )
        return last + len(contents)

    @contextmanager
    def _writing(self) -> Generator[TinyDB]:
        lock = filelock.FileLock(self._folder / "ledger.lock", timeout=LOCK_DEADLINE_S)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise StoreFailure(
                f"Another process holds the store for over {LOCK_DEADLINE_S:g} s. Nothing was recorded; try again."
            ) from error
        except OSError as error:
            raise StoreFailure(
                f"The store {self._folder.name} is not writable: {error.strerror}. Nothing was recorded; mend it."
            ) from error
        try:
            staged = StagedStorage(self._path)
            yield TinyDB(storage=lambda: staged)
            staged.commit()
        finally:
            lock.release()

    def _reading(self) -> TinyDB:
        return TinyDB(storage=lambda: StagedStorage(self._path))


def _find(store: TinyDB, experiment_id: str) -> Experiment:
    found = find_experiment(store, experiment_id)
    if found is not None:
        return found
    newest = ", ".join(experiment_ids(store)[-5:])
    known = f"Newest: {newest}." if newest else "None is planned yet."
    raise NotFound(f"No experiment {quoted(experiment_id)}. {known} Plan one with design_experiment.")


def _change(store: TinyDB, experiment_id: str, step: Callable[[Experiment], Experiment]) -> Experiment:
    changed = step(_find(store, experiment_id))
    put_experiment(store, changed)
    return changed


def _known(store: TinyDB, experiment_id: str) -> Known:
    trials = [entry.content for entry in entries(store, experiment_id, Trial)]
    exposures = [entry.content for entry in entries(store, experiment_id, Exposure)]
    aggregates = [entry.content for entry in entries(store, experiment_id, Aggregate)]
    met: dict[str, str] = {exposure.unit: exposure.variant for exposure in exposures}
    for trial in trials:
        if trial.unit is not None:
            met.setdefault(trial.unit, trial.variant)
    return Known(
        {trial.key: trial for trial in trials if trial.key is not None},
        met,
        frozenset(name for trial in trials for name in trial.metrics),
        frozenset(aggregate.metric or "" for aggregate in aggregates),
    )


def _slice(aggregate: Aggregate) -> tuple[str, str | None, str]:
    return aggregate.variant, aggregate.metric, aggregate.period
