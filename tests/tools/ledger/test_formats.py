"""Stores of earlier formats are taken over; those of newer ones are refused with the upgrade, and never written."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.journals import LOOK, journal_of, rebuilt, trial

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.frames import FORMAT

AT = datetime(2026, 11, 20, tzinfo=UTC)


def test_a_newer_format_is_refused_and_never_written(ledger: Ledger, filled: str, store: Path, clock: Clock) -> None:
    path = journal_of(store, filled)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"format":%d' % FORMAT, b'"format":%d' % (FORMAT + 1))
    path.write_bytes(rebuilt(lines))
    content = path.read_bytes()
    fresh = Ledger(store, clock=clock, writer="tests")
    for use in (lambda: fresh.journal(filled), lambda: fresh.record(filled, Batch(trials=[trial(9)]))):
        with pytest.raises(StoreFailure, match="pip install --upgrade"):
            use()
    assert path.read_bytes() == content


def in_format(path: Path, number: int) -> None:
    """Another version rewrites the journal underneath us, as compaction and migration do: a new file in its place."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[0] = lines[0].replace(b'"format":%d' % FORMAT, b'"format":%d' % number)
    path.with_suffix(".new").write_bytes(rebuilt(lines))
    path.with_suffix(".new").replace(path)


def test_a_store_that_a_newer_version_migrated_underneath_a_running_server_is_not_written(
    ledger: Ledger, filled: str, store: Path
) -> None:
    path = journal_of(store, filled)
    ledger.record(filled, Batch(trials=[trial(8)]))
    in_format(path, FORMAT + 1)
    content = path.read_bytes()
    for use in (
        lambda: ledger.record(filled, Batch(trials=[trial(9)])),
        lambda: ledger.append(filled, LOOK),
        lambda: ledger.forget_unit("unit-1", reason="asked"),
        ledger.enforce_retention,
        ledger.experiments,
    ):
        with pytest.raises(StoreFailure, match="pip install --upgrade"):
            use()
    assert path.read_bytes() == content


def test_a_journal_of_the_format_before_is_rewritten_at_the_first_write_and_never_by_a_reader(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    path = journal_of(store, filled)
    before = ledger.journal(filled)
    in_format(path, FORMAT - 1)
    content = path.read_bytes()
    fresh = Ledger(store, clock=clock, writer="tests")
    assert fresh.journal(filled) == before
    assert path.read_bytes() == content
    assert fresh.record(filled, Batch(trials=[trial(9)])).trials == 1
    assert b'"format":%d' % FORMAT in path.read_bytes().splitlines()[0]
    assert fresh.journal(filled).trials[:-1] == before.trials
    assert all(verified.fault is None for verified in fresh.verify())


def test_a_field_that_this_version_does_not_know_is_told_as_a_newer_versions(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    volume = Ledger(store, clock=clock, writer="newer").shelf.volume(filled)
    volume.journal.refresh()
    with volume.journal.writing() as draft:
        content = {"variant": "control", "metrics": {"latency": 1.0}, "mood": "good"}
        draft.put("i", "trials", 99, {"provenance": "claimed", "content": content})
    with pytest.raises(StoreFailure, match=r"mood.*newer one wrote it.*pip install --upgrade"):
        ledger.journal(filled)


def test_a_store_of_the_first_format_is_taken_over_once(
    store: Path, clock: Clock, new_experiment: Callable[[str], Experiment]
) -> None:
    experiment = (
        new_experiment("exp-2026-11-19-001")
        .advanced("implemented", at=AT, by="cli")
        .advanced("running", at=AT, by="cli")
    )
    entry = {"experiment": experiment.id, "at": "2026-11-19T08:00:00Z", "by": "mcp"}
    old = {
        "experiments": {"1": experiment.model_dump(mode="json")},
        "trials": {"1": {**entry, "seq": 2, "provenance": "judged", "content": trial(0, "u").model_dump(mode="json")}},
        "exposures": {"1": {**entry, "seq": 1, "content": {"unit": "u", "variant": "control"}}},
    }
    store.mkdir()
    (store / "ledger.json").write_text(json.dumps(old))
    ledger = Ledger(store, clock=clock, writer="tests")
    assert ledger.experiments() == (experiment,)
    journal = ledger.journal(experiment.id)
    assert [(e.seq, e.by, e.provenance, e.at.hour) for e in journal.trials] == [(2, "mcp", "judged", 8)]
    assert journal.exposures[0].content == Exposure(unit="u", variant="control")
    assert (store / "ledger.json.migrated-1").exists()
    assert not (store / "ledger.json").exists()
    assert Ledger(store, clock=clock, writer="tests").record(experiment.id, Batch(trials=[trial(0, "u")])).repeats == 1
    assert all(verified.fault is None for verified in ledger.verify())


def test_a_broken_store_of_the_first_format_is_moved_aside_and_told(store: Path, clock: Clock) -> None:
    store.mkdir()
    (store / "ledger.json").write_text('{"experiments": {')
    ledger = Ledger(store, clock=clock, writer="tests")
    with pytest.raises(StoreFailure, match=r"ledger\.json\.broken-1"):
        ledger.experiments()
    assert (store / "ledger.json.broken-1").read_text() == '{"experiments": {'
    assert ledger.experiments() == ()
