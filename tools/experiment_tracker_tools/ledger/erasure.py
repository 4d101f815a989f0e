"""Payloads that must go: one person's, on request, and rows past their time. The chain stays, and still verifies."""

from collections.abc import Callable
from datetime import datetime, timedelta

from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import OVER
from experiment_tracker_tools.ledger.frames import Order, Record, encoded
from experiment_tracker_tools.ledger.journal import JournalFile
from experiment_tracker_tools.ledger.tables import TABLES, Erasure, document_of, last_seq
from experiment_tracker_tools.ledger.tally import Tally

ROWS = ("trials", "exposures", "feedback", "runs_after", "late", "outside")


def erase_unit(
    journal: JournalFile, units: frozenset[str], tally: Callable[[], Tally], *, reason: str, at: str, by: str
) -> int:
    """Remove payload and nonce of every row of these units and record that it was done; gives how many went.

    Args:
        journal: of one experiment.
        units: every form in which the store may hold the unit.
        tally: the journal's, as it is when the note is written.
        reason: why; at: when; by: which door.
    """

    def is_theirs(record: Record) -> bool:
        return record.table in ROWS and record.document.get("content", {}).get("unit") in units

    journal.refresh()
    count = sum(is_theirs(record) for record in journal.records())
    if count:

        def notes() -> list[Order]:
            return _note(journal, Erasure(records=count, reason=reason, slots=dict(tally().slots)), at=at, by=by)

        journal.rewrite(lambda record, _current: not is_theirs(record), notes)
        _drop_leftovers(journal)
    return count


def erase_rows(journal: JournalFile, tally: Tally, *, reason: str, at: str, by: str) -> int:
    """Remove every row of an experiment; its running statistics stay, as a record of their own."""
    journal.refresh()
    count = sum(record.table in ROWS for record in journal.records())
    if count:
        summary = {"provenance": "command", "content": tally.summary()}

        def notes() -> list[Order]:
            place = last_seq(journal) + 1
            erasure = _note(journal, Erasure(records=count, reason=reason), at=at, by=by)
            return [Order("i", "summaries", place + 1, encoded(summary), at, by), *erasure]

        journal.rewrite(lambda record, _current: record.table not in ROWS, notes)
        _drop_leftovers(journal)
    return count


def is_past_retention(experiment: Experiment, now: datetime, days: float) -> bool:
    """Whether an experiment took its last row more than so many days ago; later steps do not keep rows longer."""
    ended = next((step.at for step in experiment.history if step.state in OVER), None)
    return ended is not None and now - ended > timedelta(days=days)


def _note(journal: JournalFile, content: Model, *, at: str, by: str) -> list[Order]:
    document = encoded(document_of(content, "command"))
    return [Order("i", TABLES[type(content)], last_seq(journal) + 1, document, at, by)]


def _drop_leftovers(journal: JournalFile) -> None:
    # Bytes that a dead writer or a dead compaction left unfinished may hold what was asked to go.
    journal.path.with_suffix(".cut").unlink(missing_ok=True)
    for unfinished in journal.path.parent.glob(f"{journal.path.stem}.*.new"):
        unfinished.unlink(missing_ok=True)
