"""Slots of permuted blocks: given in turn under the journal's lock, each once, for ever."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.tools.ledger.conftest import AT

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.ledger import Ledger


def in_turn(ledger: Ledger, experiment: str, *units: str, stratum: str = "") -> list[int | None]:
    def choose(unit: str, slot: int) -> Exposure:
        return Exposure(unit=unit, variant="short" if slot % 2 else "control", slot=slot, stratum=stratum)

    return [exposure.slot for exposure in ledger.expose(experiment, units, choose, stratum=stratum)]


def test_units_take_the_places_of_their_stratum_in_turn(ledger: Ledger, running: str) -> None:
    assert in_turn(ledger, running, "a", "b", "c") == [0, 1, 2]
    assert in_turn(ledger, running, "d", stratum="opus") == [0]
    assert in_turn(ledger, running, "e") == [3]
    assert in_turn(ledger, running, "f", stratum="opus") == [1]


def test_a_unit_keeps_its_place_and_takes_no_second_one(ledger: Ledger, running: str) -> None:
    assert in_turn(ledger, running, "a", "b") == [0, 1]
    head = ledger.head(running)
    assert in_turn(ledger, running, "b", "a", stratum="other") == [1, 0]
    assert ledger.head(running) == head
    assert in_turn(ledger, running, "a", "c") == [0, 2]


def test_a_unit_assigned_otherwise_takes_no_place(ledger: Ledger, running: str) -> None:
    ledger.expose(running, ["hashed"], lambda unit, _: Exposure(unit=unit, variant="short"))
    assert in_turn(ledger, running, "a") == [0]


def test_places_of_an_experiment_that_does_not_run_stay_free(ledger: Ledger, running: str) -> None:
    ledger.change(running, lambda e: e.advanced("paused", at=AT, by="tests"))
    with pytest.raises(IllegalStep):
        in_turn(ledger, running, "a")
    ledger.change(running, lambda e: e.advanced("running", at=AT, by="tests"))
    assert in_turn(ledger, running, "a") == [0]


def test_the_next_place_is_known_to_another_ledger_from_lines_or_from_a_checkpoint(
    ledger: Ledger, store: Path, clock: Clock, running: str
) -> None:
    in_turn(ledger, running, "a", "b", "c", stratum="opus")
    assert in_turn(Ledger(store, clock=clock, writer="lines"), running, "d", stratum="opus") == [3]
    ledger.experiment(running)
    ledger.close()
    assert list(store.rglob("*.checkpoint"))
    assert in_turn(Ledger(store, clock=clock, writer="checkpoint"), running, "e", stratum="opus") == [4]


def test_the_place_of_a_person_who_was_forgotten_is_not_given_again(
    ledger: Ledger, store: Path, clock: Clock, running: str
) -> None:
    assert in_turn(ledger, running, "a", "bob", stratum="opus") == [0, 1]
    assert ledger.forget_unit("bob", reason="asked") == {running: 1}
    assert in_turn(ledger, running, "c", stratum="opus") == [2]
    assert in_turn(Ledger(store, clock=clock, writer="other"), running, "d", stratum="opus") == [3]


def test_an_exposure_written_before_there_were_slots_still_opens(
    ledger: Ledger, store: Path, clock: Clock, running: str
) -> None:
    ledger.expose(running, ["old"], lambda unit, _: Exposure(unit=unit, variant="short", propensity=0.5))
    line = (store / running / "journal.jsonl").read_text("utf-8").splitlines()[-1]
    assert not {"slot", "stratum"} & set(line.replace('\\"', '"').split('"'))
    entry = Ledger(store, clock=clock, writer="other").journal(running).exposures[0]
    assert (entry.content.slot, entry.content.stratum) == (None, "")


CLAIM = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from experiment_tracker_tools.domain.trial import Exposure
from experiment_tracker_tools.ledger import Ledger
store, experiment, name = sys.argv[1:]
ledger = Ledger(Path(store), clock=lambda: datetime.now(UTC), writer=name)
choose = lambda unit, slot: Exposure(unit=unit, variant="control", slot=slot, stratum="s")
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    units = [f"{name}-{number}-{k}" for k in range(1 + number % 3)]
    print(json.dumps([e.slot for e in ledger.expose(experiment, units, choose, stratum="s")]))
"""


def test_processes_at_once_get_every_place_once_and_skip_none(store: Path, running: str) -> None:
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(store), running, f"p{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    told = [claimer.communicate("go\n", timeout=60)[0] for claimer in claimers]
    assert [claimer.returncode for claimer in claimers] == [0, 0, 0]
    calls = [json.loads(line) for each in told for line in each.splitlines()]
    slots = Counter(slot for call in calls for slot in call)
    assert slots == Counter(range(3 * 120))
    assert all(call == list(range(call[0], call[0] + len(call))) for call in calls)
