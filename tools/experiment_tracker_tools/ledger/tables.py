"""Which table keeps which kind of record, and how records become entries."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from pydantic import Field, ValidationError

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.domain.alert import Alert, Delivery
from experiment_tracker_tools.domain.base import Model, Note, Slug, UnitId
from experiment_tracker_tools.domain.decision import Decision, Look, Promotion, RollBack
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.intent import Abandoned, Intent
from experiment_tracker_tools.domain.late import Late
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.outside import Outside
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.ramp import Ramped, SwitchedOff, Watched
from experiment_tracker_tools.domain.run import RunState
from experiment_tracker_tools.domain.run_after import RunAfter
from experiment_tracker_tools.domain.seal import Seal
from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Provenance, Trial
from experiment_tracker_tools.ledger.frames import Record
from experiment_tracker_tools.ledger.journal import Draft, JournalFile

Content = TypeVar("Content", bound=Model)
Stored = Callable[[str], str]
"""Makes of a unit id what the store keeps in its place."""

EXPERIMENTS, MARKS = "experiments", "writers"


class Amendment(Model):
    """A tombstone: a trial that was recorded wrongly and no longer counts.

    Attributes:
        seq: the trial's position; variant: where it was counted.
        reason: why, in the words of whoever amended.
    """

    seq: int
    variant: Slug
    reason: Note


class Erasure(Model):
    """Payloads that went, for a person's request or for retention.

    Attributes:
        records: how many.
        reason: why.
        slots: by stratum, where the schedule goes on, so that no erased place is given again.
    """

    records: int = Field(ge=0)
    reason: Note
    slots: dict[str, int] = {}  # noqa: RUF012 pydantic copies it


class Refusal(Model):
    """Entries that were refused for want of consent; whose they were is not kept.

    Attributes:
        without_consent: how many had none; withdrawn: how many were of units that withdrew.
    """

    without_consent: int = Field(default=0, ge=0)
    withdrawn: int = Field(default=0, ge=0)


class Withdrawal(Model):
    """A unit is no longer collected; what was recorded of it before stays until it is erased.

    Attributes:
        unit: as the store keeps it.
        reason: why, in the words of whoever noted it.
    """

    unit: UnitId
    reason: Note


class Export(Model):
    """Rows that left the store; of a running experiment, it breaks the seal.

    Attributes:
        state: of the experiment at that time.
        sealed: false where somebody could see rows before the end.
    """

    state: str
    sealed: bool


TABLES: dict[type[Model], str] = {
    Trial: "trials",
    Exposure: "exposures",
    Aggregate: "aggregates",
    Look: "looks",
    Decision: "decisions",
    Promotion: "promotions",
    RollBack: "rollbacks",
    Amendment: "amendments",
    Erasure: "erasures",
    Export: "exports",
    RunState: "runs",
    Learning: "learnings",
    Ramped: "ramps",
    SwitchedOff: "switch_offs",
    Watched: "watched",
    Feedback: "feedback",
    Intent: "intents",
    Abandoned: "abandoned",
    Refusal: "refusals",
    Withdrawal: "withdrawals",
    Seal: "seals",
    Alert: "alerts",
    Delivery: "deliveries",
    RunAfter: "runs_after",
    Late: "late",
    Outside: "outside",
    PhaseStart: "phases",
}


def last_seq(journal: JournalFile) -> int:
    """The position of an experiment's newest entry, 0 where there is none; entries of every kind share the count."""
    last = 0
    for name, rows in journal.tables.items():
        if name not in {EXPERIMENTS, MARKS} and rows.next_id > last + 1:
            last = rows.next_id - 1
    return last


def find_experiment(journal: JournalFile) -> Experiment | None:
    """The experiment that a journal is about, as it is now."""
    record = journal.find(EXPERIMENTS, 1)
    return understood(Experiment, record.document) if record is not None else None


def put_experiment(draft: Draft, experiment: Experiment, *, new: bool = False) -> None:
    """Store an experiment, in the place of what it was."""
    draft.put("i" if new else "u", EXPERIMENTS, 1, experiment.model_dump(mode="json"))


def put_mark(draft: Draft, journal: JournalFile, writer: str) -> None:
    """Note that what follows is of another store than what stands there."""
    rows = journal.tables.get(MARKS)
    draft.put("i", MARKS, rows.next_id if rows is not None else 1, {"writer": writer})


def put_entries(
    draft: Draft, contents: Iterable[Model], provenance: Provenance, *, after: int, stored: Stored | None = None
) -> int:
    """Add entries behind position `after`, their units as `stored` keeps them; gives the last position."""
    for content in contents:
        after += 1
        draft.put("i", TABLES[type(content)], after, document_of(content, provenance, stored))
    return after


def document_of(content: Model, provenance: Provenance, stored: Stored | None = None) -> dict[str, object]:
    """What is stored of an entry; its position, time and door stand in the line itself."""
    told = content.model_dump(mode="json", exclude_defaults=True)
    if stored is not None and "unit" in told:
        told["unit"] = stored(told["unit"])
    return {"provenance": provenance, "content": told}


def entries(journal: JournalFile, kind: type[Content]) -> list[Entry[Content]]:
    """An experiment's entries of one kind, in the order they were recorded."""
    return [to_entry(kind, record) for record in journal.documents(TABLES[kind])]


def to_entry(kind: type[Content], record: Record) -> Entry[Content]:
    """The entry that a record holds."""
    # The content was checked; the rest was written by this ledger, and is guarded by the line's checksum.
    return Entry(
        record.id,
        datetime.fromisoformat(record.at),
        record.by,
        understood(kind, record.document["content"]),
        record.document["provenance"],
    )


def understood(kind: type[Content], document: Mapping[str, object]) -> Content:
    """The stored model.

    Raises:
        StoreFailure: if it has what this version does not know.
    """
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"]))
        raise StoreFailure(
            f"The store holds a {kind.__name__} that this version does not understand ({field}): a newer one wrote it. "
            "Nothing was changed. Upgrade: pip install --upgrade experiment-tracker-mcp."
        ) from error
