"""Which table keeps which kind of record, and the few TinyDB calls that the ledger makes, with types."""

# TinyDB's own annotations leave its documents' types open; here is the one place where they get closed.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
from collections.abc import Iterable
from typing import Any, TypeVar

from tinydb import TinyDB, where

from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.decision import Decision, Look, Promotion, RollBack
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Trial

Content = TypeVar("Content", bound=Model)

_TABLES: dict[type[Model], str] = {
    Trial: "trials",
    Exposure: "exposures",
    Aggregate: "aggregates",
    Look: "looks",
    Decision: "decisions",
    Promotion: "promotions",
    RollBack: "rollbacks",
}
_EXPERIMENTS = "experiments"


def experiments(store: TinyDB) -> list[Experiment]:
    """Every experiment, oldest first."""
    return [Experiment.model_validate(dict(document)) for document in store.table(_EXPERIMENTS)]


def find_experiment(store: TinyDB, experiment_id: str) -> Experiment | None:
    """The experiment of that id, if there is one."""
    found = store.table(_EXPERIMENTS).search(where("id") == experiment_id)
    return Experiment.model_validate(dict(found[0])) if found else None


def experiment_ids(store: TinyDB) -> list[str]:
    """Every id that is taken."""
    return [str(document["id"]) for document in store.table(_EXPERIMENTS)]


def put_experiment(store: TinyDB, experiment: Experiment) -> None:
    """Store an experiment, in the place of the one with its id."""
    store.table(_EXPERIMENTS).upsert(experiment.model_dump(mode="json"), where("id") == experiment.id)


def entries(store: TinyDB, experiment_id: str, kind: type[Content]) -> list[Entry[Content]]:
    """An experiment's entries of one kind, in the order they were recorded."""
    found = store.table(_TABLES[kind]).search(where("experiment") == experiment_id)
    return [_to_entry(kind, dict(document)) for document in found]


def put_entries(store: TinyDB, experiment_id: str, contents: Iterable[Entry[Model]]) -> None:
    """Add entries to the tables of their kinds."""
    by_table: dict[str, list[dict[str, Any]]] = {}
    for entry in contents:
        document = {"experiment": experiment_id, **entry.model_dump(mode="json", exclude_defaults=True)}
        document["content"] = entry.content.model_dump(mode="json", exclude_defaults=True)
        by_table.setdefault(_TABLES[type(entry.content)], []).append(document)
    for name, documents in by_table.items():
        store.table(name).insert_multiple(documents)


def last_seq(store: TinyDB, experiment_id: str) -> int:
    """The position of an experiment's newest entry, 0 where there is none."""
    of_experiment = where("experiment") == experiment_id
    found = (store.table(name).search(of_experiment) for name in _TABLES.values())
    return max((int(document["seq"]) for documents in found for document in documents), default=0)


def _to_entry(kind: type[Content], document: dict[str, Any]) -> Entry[Content]:
    fields = {name: value for name, value in document.items() if name not in {"experiment", "content"}}
    return Entry(content=kind.model_validate(document["content"]), **fields)
