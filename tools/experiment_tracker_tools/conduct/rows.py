"""An experiment's recorded rows as they were at a position of its journal, and their hash."""

import hashlib
import json
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.trial import Aggregate, Exposure, Trial
from experiment_tracker_tools.ledger.tables import Amendment
from experiment_tracker_tools.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from experiment_tracker_tools.analysis.cut import Entries


class Rows(NamedTuple):
    """What had been recorded.

    Attributes:
        entries: without the trials that were amended by then.
        feedback: what people had said.
        amended: trials that no longer counted, by variant.
        last: position of the newest row, amendment or feedback: as of it the rows are these again.
    """

    entries: "Entries"
    feedback: "Sequence[Feedback]"
    amended: dict[str, int]
    last: int


def rows_as_of(workspace: Workspace, experiment_id: str, *, seq: int | None = None) -> Rows:
    """The rows up to a position, or all."""
    from experiment_tracker_tools.analysis.cut import Entries, last_seq

    ledger = workspace.ledger
    if seq is None:
        journal = ledger.journal(experiment_id)
        phases = ledger.entries(experiment_id, PhaseStart)
        entries = Entries(journal.trials, journal.exposures, journal.aggregates, phases)
        feedback = [entry.content for entry in ledger.entries(experiment_id, Feedback)]
        beside = [entry.seq for kind in (Amendment, Feedback) if (entry := ledger.latest(experiment_id, kind))]
        last = max(last_seq(entries), *beside, 0)
        return Rows(entries, feedback, dict(ledger.statistics(experiment_id).amended), last)
    gone = [entry.content for entry in ledger.entries(experiment_id, Amendment) if entry.seq <= seq]
    out, counts = {each.seq for each in gone}, dict[str, int]()
    for each in gone:
        counts[each.variant] = counts.get(each.variant, 0) + 1
    trials = [e for e in ledger.entries(experiment_id, Trial) if e.seq <= seq and e.seq not in out]
    exposures = [e for e in ledger.entries(experiment_id, Exposure) if e.seq <= seq]
    aggregates = [e for e in ledger.entries(experiment_id, Aggregate) if e.seq <= seq]
    feedback = [e.content for e in ledger.entries(experiment_id, Feedback) if e.seq <= seq]
    phases = [e for e in ledger.entries(experiment_id, PhaseStart) if e.seq <= seq]
    entries = Entries(trials, exposures, aggregates, phases)
    return Rows(entries, feedback, counts, last_seq(entries))


def data_hash(rows: Rows) -> str:
    """SHA-256 of the rows in their order: position, time and content."""
    digest = hashlib.sha256()
    every = [entry for kind in rows.entries for entry in kind]
    for entry in sorted(every, key=lambda each: each.seq):
        fields = [entry.seq, entry.at.isoformat(), entry.content.model_dump(mode="json", exclude_defaults=True)]
        digest.update(json.dumps(fields, ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode())
    return digest.hexdigest()
