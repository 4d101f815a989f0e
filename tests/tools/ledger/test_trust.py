"""Tampering is named, a person's rows go for good, pseudonyms hide who a unit is, and stores travel whole."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.support.journals import LOOK, journal_of, rebuilt, trial

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.core.errors import Conflict, ConsentMissing, InvalidInput, StoreFailure
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.disk import refuse_network
from experiment_tracker_tools.ledger.frames import erased, linked, read_parts, to_line
from experiment_tracker_tools.ledger.pseudonyms import Key, imported_key, project_key, take_key
from experiment_tracker_tools.ledger.tables import Erasure, Export
from experiment_tracker_tools.ledger.team import note_shared
from experiment_tracker_tools.ledger.verify import verify

AT = datetime(2026, 11, 20, tzinfo=UTC)


def fault_of(store: Path, experiment_id: str) -> str | None:
    return next(v.fault for v in verify(store) if v.journal == experiment_id)


def test_an_untouched_store_verifies_and_so_does_a_copy(
    ledger: Ledger, filled: str, store: Path, tmp_path: Path
) -> None:
    shutil.copytree(store, tmp_path / "copy")
    for verified in (*ledger.verify(), *verify(tmp_path / "copy")):
        assert verified.fault is None
    (alone,) = ledger.verify(filled)
    assert (alone.records, alone.erased, alone.anchors) == (10, 0, 4)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            lambda lines: [*lines[:5], lines[5].replace(b'"latency":2.0', b'"latency":9.0'), *lines[6:]],
            "record 5.*altered",
        ),
        (lambda lines: lines[:5] + lines[6:], "record 5 is missing"),
        (lambda lines: [*lines[:5], lines[6], lines[5], *lines[7:]], "record 5 stands behind record 6"),
        (lambda lines: lines[:6] + lines[5:], "record 5 stands again"),
        (lambda lines: lines[:-1], "10 were cut off"),
        (lambda lines: [*lines[:5], lines[5].replace(b'"o":"i"', b'"o":"u"'), *lines[6:]], "record 5.*altered"),
        (lambda lines: [*lines[:5], lines[5].replace(b'"w":"tests"', b'"w":"other"'), *lines[6:]], "record 5.*altered"),
    ],
    ids=["altered", "taken out", "re-ordered", "doubled", "cut off", "other operation", "other writer"],
)
def test_a_careful_forgery_is_named(
    filled: str, store: Path, change: Callable[[list[bytes]], list[bytes]], told: str
) -> None:
    path = journal_of(store, filled)
    path.write_bytes(rebuilt(change(path.read_bytes().splitlines(keepends=True))))
    with pytest.raises(AssertionError, match=told):
        assert fault_of(store, filled) is None, fault_of(store, filled)


def test_a_forged_history_that_fits_itself_does_not_fit_the_catalogue(filled: str, store: Path) -> None:
    path = journal_of(store, filled)
    lines = path.read_bytes().splitlines(keepends=True)
    parts = [part for line in lines[1:] for part in read_parts(line[:-1])]
    start = parts[3]
    orders = [
        (part.op, part.table, part.id, (part.payload or "").replace('"latency":1.0', '"latency":8.0'), part.at, part.by)
        for part in parts[3:]
    ]
    from experiment_tracker_tools.ledger.frames import Order

    forged = linked([Order(*order) for order in orders], start.place - 1, parts[2].chain)
    path.write_bytes(rebuilt([*lines[:4], *(to_line([part], "00000000")[0] for part in forged)]))
    with pytest.raises(AssertionError, match="catalogue remembers another chain"):
        assert fault_of(store, filled) is None, fault_of(store, filled)


def test_a_payload_that_vanished_without_an_erasure_is_named(filled: str, store: Path) -> None:
    path = journal_of(store, filled)
    lines = path.read_bytes().splitlines(keepends=True)
    (part,) = read_parts(lines[5][:-1])
    lines[5] = to_line([erased(part)._replace(op="i")], "00000000")[0]
    path.write_bytes(rebuilt(lines))
    with pytest.raises(AssertionError, match="contradict"):
        assert fault_of(store, filled) is None, fault_of(store, filled)


def test_a_journal_that_is_gone_altogether_is_named(filled: str, store: Path) -> None:
    shutil.rmtree(store / filled)
    with pytest.raises(AssertionError, match="whole journal is missing"):
        assert fault_of(store, filled) is None, fault_of(store, filled)


def test_a_broken_line_is_told_kept_and_never_overwritten(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    path = journal_of(store, filled)
    content = path.read_bytes().replace(b'"latency":2.0', b'"latency":2.1')
    path.write_bytes(content)
    fresh = Ledger(store, clock=clock, writer="tests")
    assert [entry.seq for entry in fresh.journal(filled).trials] == [1, 3, 4, 5, 6]
    assert fresh.record(filled, Batch(trials=[trial(7)])).last_seq == 8
    assert any("broken" in damage.what for damage in fresh.damage(filled))
    assert path.read_bytes().startswith(content)
    assert "broken" in str(fault_of(store, filled))


def test_damage_below_a_checkpoint_is_found_when_it_is_read(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    ledger.close()
    path = journal_of(store, filled)
    path.write_bytes(path.read_bytes().replace(b'"latency":2.0', b'"latency":2.1'))
    fresh = Ledger(store, clock=clock, writer="tests")
    assert [entry.seq for entry in fresh.journal(filled).trials] == [1, 3, 4, 5, 6]
    assert [damage.what for damage in fresh.damage(filled)] == ["a line is broken"]


def test_forgetting_a_unit_removes_its_rows_from_the_disk_and_the_statistics(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    ledger.expose(filled, ["unit-9"], lambda unit, _: Exposure(unit=unit, variant="short"))
    other = Ledger(store, clock=clock, writer="other")
    before = other.statistics(filled).running["short", "latency"].n
    assert ledger.forget_unit("unit-5", reason="asked to") == {filled: 1}
    assert ledger.forget_unit("unit-9", reason="asked to") == {filled: 1}
    everything = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert b"unit-5" not in everything
    assert b"unit-9" not in everything
    assert [entry.seq for entry in other.journal(filled).trials] == [1, 2, 3, 4, 5]
    assert other.statistics(filled).running["short", "latency"].n == before - 1
    assert [entry.content.records for entry in other.entries(filled, Erasure)] == [1, 1]
    assert fault_of(store, filled) is None
    assert other.record(filled, Batch(trials=[trial(8)])).last_seq == 11


def test_forgetting_an_unknown_unit_changes_nothing(ledger: Ledger, filled: str) -> None:
    head = ledger.head(filled)
    assert ledger.forget_unit("nobody", reason="asked to") == {}
    assert ledger.head(filled) == head


def test_rows_go_after_their_time_and_the_statistics_stay(
    ledger: Ledger, filled: str, store: Path, clock: Clock
) -> None:
    totals = ledger.statistics(filled)
    ledger.change(filled, lambda e: e.advanced("expired", at=AT, by="tests"))
    assert ledger.enforce_retention(days=90) == {}
    late = Ledger(store, clock=lambda: AT + timedelta(days=91), writer="tests")
    assert late.enforce_retention(days=90) == {filled: 6}
    assert late.enforce_retention(days=90) == {}
    assert late.journal(filled).trials == []
    assert b"unit-1" not in journal_of(store, filled).read_bytes()
    kept = Ledger(store, clock=clock, writer="tests").statistics(filled)
    assert {name: found.facts() for name, found in kept.running.items()} == {
        name: found.facts() for name, found in totals.running.items()
    }
    assert fault_of(store, filled) is None


def test_units_are_stored_as_pseudonyms_that_still_recognise_them(
    store: Path, clock: Clock, ledger: Ledger, running: str
) -> None:
    key = project_key(store / "unit.key")
    private = Ledger(store, clock=clock, writer="tests", pseudonym=key.pseudonym)
    private.record(running, Batch(trials=[trial(0, "ann@example.org")]))
    bob = ["bob@example.org"]
    (exposure,) = private.expose(running, bob, lambda unit, _: Exposure(unit=unit, variant="short"))
    assert exposure.unit == "bob@example.org"
    assert private.expose(running, bob, lambda _unit, _slot: Exposure(unit="no", variant="control")) == (exposure,)
    assert private.record(running, Batch(trials=[trial(0, "ann@example.org")])).repeats == 1
    with pytest.raises(Conflict, match="met control"):
        private.record(running, Batch(trials=[trial(1, "ann@example.org")]))
    content = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert b"example.org" not in content
    assert str(private.journal(running).trials[0].content.unit).startswith(f"unit-{key.id}-")
    assert private.forget_unit("ann@example.org", reason="asked to") == {running: 1}


def test_a_key_is_made_once_and_travels_whole(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine" / "unit.key", tmp_path / "theirs" / "unit.key"
    key = project_key(mine)
    assert project_key(mine) == key
    assert take_key(theirs, key.exported()) == project_key(theirs) == key
    assert mine.stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict, match="two pseudonyms"):
        take_key(mine, project_key(tmp_path / "other.key").exported())
    with pytest.raises(InvalidInput, match="character was lost"):
        imported_key(key.exported().replace(key.secret.hex()[:4], "0000"))
    mine.write_text("{}")
    with pytest.raises(StoreFailure, match="key import"):
        project_key(mine)


def test_a_pseudonym_is_not_hidden_twice() -> None:
    key = Key("3f2a9c1b", b"x" * 32)
    assert key.pseudonym(key.pseudonym("ann")) == key.pseudonym("ann") != key.pseudonym("bob")


def test_an_export_is_taken_in_once_and_goes_on_from_there(
    ledger: Ledger, filled: str, tmp_path: Path, clock: Clock
) -> None:
    ledger.change(filled, lambda e: e.advanced("expired", at=AT, by="tests"))
    first = list(ledger.export())
    copy = Ledger(tmp_path / "copy", clock=clock, writer="tests")
    assert copy.import_lines(first).records == 11
    assert copy.import_lines(first) == (0, 11, (filled,))
    assert copy.journal(filled) == ledger.journal(filled)
    assert copy.experiments() == ledger.experiments()
    assert all(verified.fault is None for verified in copy.verify())
    ledger.append(filled, LOOK)
    assert copy.import_lines(ledger.export(filled)).records == 1
    assert copy.head(filled) == ledger.head(filled)


def test_exporting_rows_of_a_live_experiment_is_recorded_as_a_broken_seal(ledger: Ledger, filled: str) -> None:
    assert len(list(ledger.export(filled))) == 1 + 11
    assert [entry.content for entry in ledger.entries(filled, Export)] == [Export(state="running", sealed=False)]


def test_what_is_no_export_or_was_altered_is_refused(ledger: Ledger, filled: str, tmp_path: Path, clock: Clock) -> None:
    lines = list(ledger.export(filled))
    copy = Ledger(tmp_path / "copy", clock=clock, writer="tests")
    with pytest.raises(InvalidInput, match="altered or moved"):
        copy.import_lines([line.replace('\\"latency\\":2.0', '\\"latency\\":9.0') for line in lines])
    with pytest.raises(InvalidInput, match="no line of an export"):
        copy.import_lines(["[1]"])
    with pytest.raises(InvalidInput, match="Upgrade"):
        copy.import_lines([json.dumps({"format": 99, "journal": "x", "about": filled})])
    with pytest.raises(InvalidInput, match="no experiment id"):
        copy.import_lines([json.dumps({"format": 2, "journal": "x", "about": "../../elsewhere"})])
    assert copy.experiments() == ()


def test_an_experiment_that_went_on_differently_is_not_merged(
    ledger: Ledger, filled: str, tmp_path: Path, clock: Clock
) -> None:
    ledger.change(filled, lambda e: e.advanced("expired", at=AT, by="tests"))
    copy = Ledger(tmp_path / "copy", clock=clock, writer="tests")
    copy.import_lines(ledger.export())
    ledger.append(filled, LOOK)
    copy.append(filled, LOOK.model_copy(update={"standing": "final"}))
    with pytest.raises(Conflict, match="differently"):
        copy.import_lines(ledger.export())


def test_every_write_tells_who_when_and_what(ledger: Ledger, filled: str, store: Path) -> None:
    """One of each kind of write; then every record of every journal, the catalogue's included."""
    ledger.expose(filled, ["u"], lambda unit, _: Exposure(unit=unit, variant="short"))
    ledger.append(filled, LOOK)
    ledger.amend(filled, 1, reason="wrong")
    ledger.withdraw("u", reason="asked")
    with pytest.raises(ConsentMissing):
        ledger.record(filled, Batch(trials=[trial(50, "u")]))
    list(ledger.export(filled))
    ledger.forget_unit("u", reason="asked")
    ledger.change(filled, lambda e: e.advanced("expired", at=AT, by="tests"))
    ledger.enforce_retention(days=-1)
    note_shared(ledger.shelf, "0" * 40)
    parts = [
        part for path in store.rglob("*.jsonl") for line in path.read_bytes().splitlines() for part in read_parts(line)
    ]
    assert {part.table for part in parts} >= {
        *("experiments", "trials", "exposures", "looks", "amendments", "withdrawals", "refusals", "exports"),
        *("erasures", "summaries", "anchors", "writers", "shares"),
    }
    for part in parts:
        assert part.by == "tests", part
        assert datetime.fromisoformat(part.at).tzinfo is not None, part
        assert part.payload is not None or part.op.isupper(), part


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_a_network_filesystem_is_refused(kind: str, tmp_path: Path) -> None:
    mounts = f"/dev/vda / ext4 rw 0 0\nhost:/x /mnt/team\\040share {kind} rw 0 0\n"
    with pytest.raises(StoreFailure, match="local disk"):
        refuse_network(Path("/mnt/team share/repo/.experiments"), mounts)
    refuse_network(Path("/mnt/team"), mounts)
    refuse_network(tmp_path)
