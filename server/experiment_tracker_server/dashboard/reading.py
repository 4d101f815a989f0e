"""What pages read of the ledger: each experiment again only after its journal changed, so that a page costs little."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Event
from typing import TypeVar, cast

from experiment_tracker_tools.conduct.summaries import Summary, summary_of
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.trial import Entry
from experiment_tracker_tools.ledger.tables import TABLES
from experiment_tracker_tools.workspace import Workspace

Content = TypeVar("Content", bound=Model)
Version = tuple[object, ...]


class Reader:
    """The ledger as the pages see it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.ready = Event()
        self.read = 0
        self._summaries: dict[str, tuple[Version, Summary]] = {}
        self._entries: dict[tuple[str, type[Model]], tuple[Version, object]] = {}

    def warm(self) -> None:
        """Read everything once; until it is done, pages say how far it is."""
        # What cannot be read is told by the page that wants it.
        with suppress(ExperimentError):
            for _ in self._each():
                self.read += 1
        self.ready.set()

    def every(self) -> list[Summary]:
        """Every experiment, newest first."""
        return list(self._each())[::-1]

    def summaries(self) -> list[Summary]:
        """Every experiment that is not archived, newest first."""
        return [each for each in self.every() if not each.experiment.archived]

    def summary(self, experiment_id: str) -> Summary:
        """One experiment.

        Raises:
            NotFound: with the ids that exist.
        """
        volume, experiment = self.workspace.ledger.shelf.found(experiment_id)
        version = volume.journal.version
        kept = self._summaries.get(experiment.id)
        if kept is None or kept[0] != version:
            kept = self._summaries[experiment.id] = version, summary_of(self.workspace, experiment)
        return kept[1]

    def entries(self, experiment_id: str, kind: type[Content]) -> Sequence[Entry[Content]]:
        """Every entry of a kind, read again only when one came: trials alone change nothing here."""
        volume, experiment = self.workspace.ledger.shelf.found(experiment_id)
        rows = volume.journal.tables.get(TABLES[kind])
        version = (*volume.journal.version[:2], rows.next_id if rows else 0, rows.count if rows else 0)
        kept = self._entries.get((experiment.id, kind))
        if kept is None or kept[0] != version:
            found: Sequence[Entry[Content]] = self.workspace.ledger.entries(experiment.id, kind)
            self._entries[experiment.id, kind] = version, found
            return found
        return cast("Sequence[Entry[Content]]", kept[1])

    def _each(self) -> Iterator[Summary]:
        for experiment in self.workspace.ledger.shelf.experiments():
            yield self.summary(experiment.id)
