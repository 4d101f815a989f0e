"""What the catalogue tells: who has withdrawn, what succeeds what, which writer this store is, whether it shares."""

import secrets
from collections.abc import Mapping
from typing import Any, cast

from experiment_tracker_tools.ledger.frames import Record
from experiment_tracker_tools.ledger.journal import Draft, JournalFile

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_LENGTH = 4


class Register:
    """The fold of the catalogue.

    Attributes:
        withdrawn: units, as the store keeps them, that are no longer collected anywhere.
        writer: four characters that name this store among those that share; empty until it first writes.
        successors: by experiment the id of the plan that was about to take its place; it has once that plan is stored.
        sharing: whether it shares; shared: the commit that it shared last under this name, empty where it has not.
    """

    def __init__(self) -> None:
        self.withdrawn: set[str] = set()
        self.successors: dict[str, str] = {}
        self.writer = self.shared = ""
        self.sharing = False

    def apply(self, record: Record) -> None:
        """Take one record."""
        if record.table == "withdrawals":
            self.withdrawn.add(record.document["unit"])
        elif record.table == "successions":
            self.successors[record.document["experiment"]] = record.document["successor"]
        elif record.table == "writers":
            self.writer, self.shared = record.document["writer"], ""
        elif record.table == "shares":
            self.shared, self.sharing = record.document["commit"], True

    def facts(self) -> tuple[dict[str, Any], dict[str, bytes]]:
        """What a checkpoint keeps."""
        told = {"writer": self.writer, "shared": self.shared, "sharing": self.sharing}
        return {"withdrawn": sorted(self.withdrawn), "successors": self.successors, **told}, {}

    def restore(self, facts: Mapping[str, Any], _arrays: Mapping[str, memoryview]) -> None:
        """Take what a checkpoint kept."""
        self.withdrawn, self.sharing = set(facts["withdrawn"]), facts["sharing"]
        # A checkpoint of an earlier version knows of none.
        self.successors = dict(facts.get("successors", {}))
        self.writer, self.shared = facts["writer"], facts["shared"]


def registered(catalogue: JournalFile) -> Register:
    """What the catalogue tells as of its last refresh."""
    return cast("Register", catalogue.fold)


def put_row(catalogue: JournalFile, draft: Draft, table: str, document: Mapping[str, Any]) -> None:
    """Add a document to one of the catalogue's tables."""
    rows = catalogue.tables.get(table)
    draft.put("i", table, rows.next_id if rows is not None else 1, document)


def own_writer(catalogue: JournalFile) -> str:
    """This store's name among those that share, chosen at the first write."""
    catalogue.refresh()
    if not registered(catalogue).writer:
        with catalogue.writing(new=True) as draft:
            if not registered(catalogue).writer:
                put_row(catalogue, draft, "writers", {"writer": fresh_writer()})
    return registered(catalogue).writer


def fresh_writer() -> str:
    """A new name."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
