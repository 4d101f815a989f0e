"""Events that hooks leave behind are taken in once, whole, and in spite of each other."""

import json
import os
from datetime import timedelta
from pathlib import Path

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.ledger import Ledger


def leave(store: Path, session: str, *events: object, torn: bytes = b"") -> Path:
    spool = store / "spool" / f"{session}.jsonl"
    spool.parent.mkdir(exist_ok=True)
    with spool.open("ab") as file:
        file.write(b"".join(json.dumps(event).encode() + b"\n" for event in events) + torn)
    return spool


def trial(experiment: str, number: int) -> dict[str, object]:
    content = {"variant": "control", "metrics": {"latency": 1.0 + number}, "unit": f"session-{number}"}
    return {"event": f"event-{number}", "experiment": experiment, "trial": content}


def test_every_event_counts_once_also_after_the_offsets_are_lost(ledger: Ledger, running: str, store: Path) -> None:
    leave(store, "a", trial(running, 1), trial(running, 2))
    leave(store, "b", {"event": "x", "experiment": running, "exposure": {"unit": "u", "variant": "short"}})
    assert ledger.take_in_spools()[:2] == (3, 0)
    assert ledger.take_in_spools()[:2] == (0, 0)
    leave(store, "a", trial(running, 3))
    (store / "spool" / "offsets.json").unlink()
    assert ledger.take_in_spools()[:2] == (1, 3)
    journal = ledger.journal(running)
    assert [entry.content.unit for entry in journal.trials] == ["session-1", "session-2", "session-3"]
    assert {(entry.provenance, entry.by) for entry in journal.trials} == {("hook", "hook a")}
    assert [entry.content for entry in journal.exposures] == [Exposure(unit="u", variant="short")]


def test_an_event_whose_write_has_not_ended_waits(ledger: Ledger, running: str, store: Path) -> None:
    whole = json.dumps(trial(running, 1)).encode()
    leave(store, "a", torn=whole[:20])
    assert ledger.take_in_spools()[:2] == (0, 0)
    leave(store, "a", torn=whole[20:] + b"\n")
    assert ledger.take_in_spools()[:2] == (1, 0)


def test_a_refused_event_is_told_and_kept_and_does_not_stop_the_others(
    ledger: Ledger, running: str, store: Path
) -> None:
    strange = {"event": "e", "experiment": "exp-2026-11-20-777", "trial": {"variant": "x", "metrics": {"latency": 1.0}}}
    leave(store, "a", strange, [1], trial(running, 1))
    taken = ledger.take_in_spools()
    assert (taken.recorded, len(taken.refused)) == (1, 2)
    assert "exp-2026-11-20-777" in taken.refused[0]
    assert len((store / "spool" / "a.refused").read_bytes().splitlines()) == 2


def test_a_spool_goes_a_day_after_its_last_event(ledger: Ledger, running: str, store: Path, clock: Clock) -> None:
    spool = leave(store, "a", trial(running, 1))
    now = clock().timestamp()
    os.utime(spool, (now, now))
    ledger.take_in_spools()
    assert spool.exists()
    late = Ledger(store, clock=lambda: clock() + timedelta(days=2), writer="tests")
    late.take_in_spools()
    assert not spool.exists()
    assert len(late.journal(running).trials) == 1


def test_a_spool_goes_a_minute_after_its_session_has_ended_and_not_before_it_is_taken_in(
    ledger: Ledger, running: str, store: Path, clock: Clock
) -> None:
    spool = leave(store, "a", trial(running, 1), {"turn": {"what": "SessionEnd", "at": 1.0}})
    resumed = leave(store, "b", {"turn": {"what": "SessionEnd", "at": 1.0}}, trial(running, 2))
    torn = leave(store, "c", trial(running, 3), {"turn": {"what": "SessionEnd", "at": 1.0}}, torn=b'{"tu')
    for path in (spool, resumed, torn):
        os.utime(path, (clock().timestamp(), clock().timestamp()))
    ledger.take_in_spools()
    assert spool.exists()
    later = Ledger(store, clock=lambda: clock() + timedelta(minutes=2), writer="tests")
    later.take_in_spools(held=frozenset({"a"}))
    assert spool.exists()
    later.take_in_spools()
    assert [path.exists() for path in (spool, resumed, torn)] == [False, True, True]
    assert len(later.journal(running).trials) == 3


def test_no_spool_folder_is_nothing_to_take_in(ledger: Ledger, running: str) -> None:
    assert ledger.take_in_spools() == (0, 0, ())
    assert ledger.experiment(running).state == "running"


def test_what_nobody_may_collect_is_not_kept_aside_either(ledger: Ledger, running: str, store: Path) -> None:
    ledger.withdraw("session-1", reason="asked")
    leave(store, "a", trial(running, 1), trial(running, 2))
    taken = ledger.take_in_spools()
    assert (taken.recorded, "withdrew" in taken.refused[0]) == (1, True)
    assert not (store / "spool" / "a.refused").exists()


def test_a_forgotten_unit_leaves_the_refused_events_too(ledger: Ledger, running: str, store: Path) -> None:
    strange = [{**trial(running, number), "experiment": "exp-2026-11-20-777"} for number in (1, 2)]
    leave(store, "a", *strange, [1])
    ledger.take_in_spools()
    ledger.forget_unit("session-1", reason="asked")
    left = (store / "spool" / "a.refused").read_text()
    assert "session-1" not in left
    assert len(left.splitlines()) == 2
