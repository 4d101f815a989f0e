"""A rewritten journal comes with what is known of it: nobody reads again what was kept, and nobody knows what went."""

from pathlib import Path

import pytest
from tests.support.journals import trial

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.core.errors import Conflict
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.ledger import Batch, Ledger


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text("ascii").split()[1])


def fill(ledger: Ledger, experiment_id: str) -> None:
    for start in range(0, 3000, 100):
        numbers = range(start, start + 100)
        trials = [Trial(variant="short", metrics={"latency": 1.0}, unit=f"u{n}", key=f"k{n}") for n in numbers]
        ledger.record(experiment_id, Batch(trials=trials))


def compact(ledger: Ledger, experiment_id: str) -> None:
    ledger.shelf.volume(experiment_id).journal.rewrite(lambda _record, current: current)


def test_a_reader_opens_a_compacted_journal_by_what_came_with_it(
    ledger: Ledger, running: str, store: Path, clock: Clock
) -> None:
    fill(ledger, running)
    reader = Ledger(store, clock=clock, writer="reader")
    before = reader.statistics(running)
    compact(ledger, running)
    start = bytes_read()
    after = reader.statistics(running)
    assert bytes_read() - start < 600_000
    assert after._replace(running={}) == before._replace(running={})
    assert after.running["short", "latency"].facts() == before.running["short", "latency"].facts()

    compact(ledger, running)
    (store / running / "journal.checkpoint").unlink()
    start = bytes_read()
    reader.statistics(running)
    assert bytes_read() - start > 1_000_000


def test_keys_units_and_amendments_are_known_after_a_compaction(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    amended = ledger.amend(filled, 2, reason="typed wrongly").seq
    before = ledger.statistics(filled)
    compact(ledger, filled)
    for reader in (ledger, Ledger(store, clock=clock, writer="reader")):
        assert reader.statistics(filled).amended == before.amended
        assert reader.statistics(filled).trials == before.trials
        assert reader.record(filled, Batch(trials=[trial(4, "unit-4")])).repeats == 1
        with pytest.raises(Conflict, match="met control"):
            reader.record(filled, Batch(trials=[trial(7, "unit-4")]))
        assert amended not in [entry.seq for entry in reader.journal(filled).trials]


def test_what_others_record_while_a_journal_is_compacted_is_in_it(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    other = Ledger(store, clock=clock, writer="other")
    journal, recorded = ledger.shelf.volume(filled).journal, list[int]()

    def keep(_record: object, current: bool) -> bool:
        if not recorded:
            recorded.append(other.record(filled, Batch(trials=[trial(8, "late")])).last_seq)
        return current

    journal.rewrite(keep)
    fresh = Ledger(store, clock=clock, writer="fresh")
    for reader in (ledger, other, fresh):
        assert reader.journal(filled).trials[-1].seq == recorded[0]
        assert sum(reader.statistics(filled).trials.values()) == 7
        assert reader.record(filled, Batch(trials=[trial(8, "late")])).repeats == 1


def test_an_erased_unit_is_unknown_to_whoever_opens_the_rewritten_journal(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    ledger.forget_unit("unit-4", reason="asked")
    for reader in (ledger, Ledger(store, clock=clock, writer="reader")):
        assert sum(reader.statistics(filled).trials.values()) == 5
    assert ledger.record(filled, Batch(trials=[trial(9, "unit-4")])).trials == 1


def test_a_process_that_knows_the_old_journal_leaves_the_new_ones_checkpoint_alone(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    old = Ledger(store, clock=clock, writer="old")
    old.statistics(filled)
    compact(ledger, filled)
    checkpoint = (store / filled / "journal.checkpoint").read_bytes()
    old.shelf.volume(filled).journal.save_checkpoint()
    assert (store / filled / "journal.checkpoint").read_bytes() == checkpoint
