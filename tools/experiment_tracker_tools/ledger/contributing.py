"""Which store recorded what of an experiment, and the statistics of each store's own part."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.decision import Decision, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.learning import Learning
from experiment_tracker_tools.domain.lifecycle import LIVE
from experiment_tracker_tools.domain.trial import Aggregate
from experiment_tracker_tools.ledger.contribution import WITHHELD, Cited, Contribution, Part, Sums
from experiment_tracker_tools.ledger.frames import read_parts
from experiment_tracker_tools.ledger.shelf import Volume
from experiment_tracker_tools.ledger.tables import MARKS, TABLES, entries, last_seq
from experiment_tracker_tools.ledger.tally import Tally

Marks = Sequence[tuple[int, str]]
Content = TypeVar("Content", bound=Model)


def contribution_of(volume: Volume, experiment: Experiment, writer: str) -> Contribution:
    """What this store gives of an experiment: no row, no unit, no salt."""
    plan = experiment.plan.model_copy(update={"salt": WITHHELD})
    return Contribution(
        format=1,
        writer=writer,
        journal=str(volume.journal.header["journal"]),
        experiment=experiment.model_copy(update={"plan": plan}),
        looks=tuple(_cited(volume, Look)),
        decisions=tuple(_cited(volume, Decision)),
        learnings=tuple(_cited(volume, Learning)),
        parts=parts_of(volume, sealed=experiment.state in LIVE),
    )


def marks_of(volume: Volume) -> Marks:
    """Behind which place in the chain which store's entries begin, in order."""
    begins = [(0, str(volume.journal.header.get("writer", "")))]
    return [*begins, *((record.place, str(record.document["writer"])) for record in volume.journal.documents(MARKS))]


def writer_at(marks: Marks, place: int) -> str:
    """The store that recorded what stands at a place."""
    return next(writer for begin, writer in reversed(marks) if place > begin)


def parts_of(volume: Volume, *, sealed: bool) -> tuple[Part, ...]:
    """Each store's part of an experiment; sums stay sealed while effects may not be seen."""
    tallies = _tallies(volume)
    slices = _newest(volume)
    return tuple(
        Part(
            writer=writer,
            through_seq=last,
            trials=tally.trials,
            repeated=tally.repeated,
            exposed=tally.exposed,
            sums=None if sealed else tuple(Sums.of(*name, running) for name, running in tally.running.items()),
            aggregates=() if sealed else tuple(slices.get(writer, ())),
        )
        for writer, (tally, last) in tallies.items()
    )


def _cited(volume: Volume, kind: type[Content]) -> Iterator[Cited[Content]]:
    marks, journal = marks_of(volume), volume.journal
    reader, table = journal.reader(), TABLES[kind]
    for entry in entries(journal, kind):
        offset = journal.tables[table].get(entry.seq)
        if reader is None or offset is None:
            continue
        part = next(p for p in read_parts(reader.line(offset)) if (p.table, p.id) == (table, entry.seq))
        yield Cited[Content].model_construct(writer=writer_at(marks, part.place), chain=part.chain, entry=entry)


def _tallies(volume: Volume) -> dict[str, tuple[Tally, int]]:
    marks, whole = marks_of(volume), volume.tally()
    if len(marks) == 1:
        return {marks[0][1]: (whole, last_seq(volume.journal))}
    found: dict[str, tuple[Tally, int]] = {}
    for record in volume.journal.records():
        if record.table not in {"trials", "exposures"} or record.id in whole.amended:
            continue
        writer = writer_at(marks, record.place)
        tally, last = found.get(writer) or (Tally(), 0)
        tally.apply(record)
        found[writer] = (tally, max(last, record.id))
    return found


def _newest(volume: Volume) -> dict[str, list[Aggregate]]:
    marks, kept = marks_of(volume), volume.tally().slices
    found: dict[str, list[Aggregate]] = {}
    for record, entry in zip(volume.journal.documents("aggregates"), entries(volume.journal, Aggregate), strict=True):
        post = entry.content
        if kept.get((post.variant, post.metric, post.period)) == entry.seq:
            found.setdefault(writer_at(marks, record.place), []).append(post)
    return found
