"""TinyDB over a journal: its queries and tables as documented, without rewriting the file and for many processes."""

# TinyDB's own annotations leave its documents' types open; here is the one place where they get closed.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportMissingTypeArgument=false, reportUnnecessaryIsInstance=false
# pyright: reportUnknownParameterType=false, reportUnknownVariableType=false, reportMissingParameterType=false
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.queries import QueryLike
from tinydb.storages import Storage
from tinydb.table import Document, Table

from experiment_tracker_tools.core.clock import system_clock
from experiment_tracker_tools.ledger.frames import encoded
from experiment_tracker_tools.ledger.journal import Draft, JournalFile

Fields = Mapping[str, Any]
Documents = dict[int, Fields]


class JournalStorage(Storage):
    """A storage whose `write` appends what has changed.

    Args:
        journal: an engine, or the path of a journal of its own.
    """

    def __init__(self, journal: JournalFile | Path | str) -> None:
        if not isinstance(journal, JournalFile):
            path = Path(journal)
            journal = JournalFile(path, about=path.stem, now=lambda: system_clock().isoformat(), writer="tinydb")
        self.journal = journal

    def read(self) -> dict[str, dict[str, Any]] | None:
        self.journal.refresh()
        return self._tables() or None

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        with self.journal.writing(new=True) as draft:
            before = self._tables()
            for name in before.keys() - data.keys():
                draft.put("x", name, 0)
            for name, documents in data.items():
                old = {int(id_): document for id_, document in before.get(name, {}).items()}
                _put_changes(draft, name, old, {int(id_): d for id_, d in documents.items()}, known=name in before)

    def close(self) -> None:
        self.journal.save_checkpoint()

    def _tables(self) -> dict[str, dict[str, Any]]:
        journal = self.journal
        return {name: {str(r.id): r.document for r in journal.documents(name)} for name in list(journal.tables)}


class JournalTable(Table):
    """A table that appends, and that sees what other processes have appended."""

    _storage: JournalStorage
    _seen: tuple[str, int, int] = ("", 0, 0)

    def insert(self, document: Fields) -> int:
        return self.insert_multiple([document])[0]

    def insert_multiple(self, documents: Iterable[Fields]) -> list[int]:
        ids: list[int] = []
        with self._journal.writing(new=True) as draft:
            rows = self._journal.tables.get(self.name)
            following = rows.next_id if rows is not None else 1
            for document in documents:
                if not isinstance(document, Mapping):
                    raise ValueError("Document is not a Mapping")
                id_ = document.doc_id if isinstance(document, self.document_class) else following
                if id_ in ids or (rows is not None and rows.get(id_) is not None):
                    raise ValueError(f"Document with ID {id_} already exists")
                draft.put("i", self.name, id_, document)
                ids.append(id_)
                following = max(following, id_ + 1)
        self.clear_cache()
        return ids

    def search(self, cond: QueryLike) -> list[Document]:
        self._journal.refresh()
        if self._journal.version != self._seen:
            self._seen = self._journal.version
            self.clear_cache()
        return super().search(cond)

    def upsert(self, document: Fields, cond: QueryLike | None = None) -> list[int]:
        id_ = document.doc_id if isinstance(document, self.document_class) else None
        if id_ is None and cond is None:
            raise ValueError("upsert needs a query, or a tinydb.table.Document that has a doc_id")
        ids: list[int] = []

        def put(table: Documents) -> None:
            matches = [i for i, found in table.items() if (i == id_ if id_ is not None else cond and cond(found))]
            for match in matches or [self._next_id_now() if id_ is None else id_]:
                table[match] = {**table.get(match, {}), **document}
                ids.append(match)

        self._update_table(put)
        return ids

    @property
    def _journal(self) -> JournalFile:
        return self._storage.journal

    def _get_next_id(self) -> int:
        self._journal.refresh()
        return self._next_id_now()

    def _next_id_now(self) -> int:
        rows = self._journal.tables.get(self.name)
        return rows.next_id if rows is not None else 1

    def _read_table(self) -> Mapping[str, Fields]:  # type: ignore[override]
        self._journal.refresh()
        return TableView(self._journal, self.name)

    def _update_table(self, updater: Callable[[Documents], None]) -> None:
        with self._journal.writing(new=True) as draft:
            before = {record.id: record.document for record in self._journal.documents(self.name)}
            stored = {id_: encoded(document) for id_, document in before.items()}
            after: Documents = dict(before)
            updater(after)
            _put_changes(draft, self.name, stored, after, known=self.name in self._journal.tables)
        self.clear_cache()


class TableView(Mapping[str, Fields]):
    """A table's documents by id, read when they are asked for."""

    def __init__(self, journal: JournalFile, name: str) -> None:
        self._journal, self._name = journal, name
        self._rows = journal.tables.get(name)

    def __len__(self) -> int:
        return self._rows.count if self._rows is not None else 0

    def __iter__(self) -> Iterator[str]:
        return (str(id_) for id_, _ in self._rows.items()) if self._rows is not None else iter(())

    def __getitem__(self, id_: str) -> Fields:
        record = self._journal.find(self._name, int(id_))
        if record is None:
            raise KeyError(id_)
        return record.document

    def items(self) -> ItemsView[str, Fields]:
        return {str(record.id): record.document for record in self._journal.documents(self._name)}.items()


class JournalDB(TinyDB):
    """TinyDB whose data is a journal: `JournalDB(path)`."""

    default_storage_class = JournalStorage  # type: ignore[assignment]
    table_class = JournalTable


def _put_changes(draft: Draft, name: str, before: Mapping[int, Any], after: Documents, *, known: bool) -> None:
    """Put what makes the table from what it was; `before` holds documents or their JSON."""
    if not known and not after:
        draft.put("c", name, 0)
    for id_ in before.keys() - after.keys():
        draft.put("r", name, id_)
    for id_, document in after.items():
        if id_ not in before:
            draft.put("i", name, id_, document)
        elif (old := before[id_]) != document and old != encoded(document):
            draft.put("u", name, id_, document)
