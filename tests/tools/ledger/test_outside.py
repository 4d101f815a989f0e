"""What is outside, in the ledger: once a name, no longer once it is inside, and as little of it as may be kept."""

import json
import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.tools.ledger.test_consent import planned, shown, trial

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.core.errors import IllegalStep
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.outside import Outside
from experiment_tracker_tools.domain.trial import Exposure, Trial
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.pseudonyms import Key

Build = Callable[[str], Experiment]


def unknown(_: Trial | Exposure) -> str:
    return "model unknown"


def left(ledger: Ledger, experiment: str, unit: str, why: str = "layer") -> bool:
    """Whether the unit is outside, once it was said."""
    return bool(ledger.record(experiment, Batch(outside=[Outside(unit=unit, why=why)])).outside)


def test_a_unit_counts_once_for_its_newest_reason_and_no_longer_once_it_has_met_a_variant(
    ledger: Ledger, running: str
) -> None:
    assert left(ledger, running, "a")
    assert left(ledger, running, "a")
    assert left(ledger, running, "b")
    assert ledger.statistics(running).outside == {"layer": 2}
    assert left(ledger, running, "a", "branch")
    assert ledger.statistics(running).outside == {"layer": 1, "branch": 1}
    ledger.expose(running, ["a"], shown)
    assert ledger.statistics(running).outside == {"layer": 1}
    assert not left(ledger, running, "a")
    assert ledger.statistics(running).outside == {"layer": 1}


def test_what_comes_later_of_a_unit_that_was_left_is_counted_and_not_recorded(ledger: Ledger, running: str) -> None:
    left(ledger, running, "a")
    exposures = [Exposure(unit=unit, variant="control") for unit in ("a", "b")]
    done = ledger.record(running, Batch(trials=[trial("a"), trial("b")], exposures=exposures))
    assert (done.trials, done.exposures, done.outside) == (1, 1, {"layer": 2})
    assert [entry.content.unit for entry in ledger.journal(running).trials] == ["b"]


def test_a_judge_is_asked_of_new_units_only(ledger: Ledger, running: str) -> None:
    ledger.record(running, Batch(trials=[trial("a")]))
    assert not left(ledger, running, "a")
    done = ledger.record(running, Batch(trials=[trial("a"), trial("b")], why_outside=unknown))
    assert (done.trials, done.outside) == (1, {"model unknown": 1})


@pytest.mark.parametrize("keyed", [False, True])
def test_another_process_and_a_checkpoint_know_who_is_outside(
    ledger: Ledger, running: str, store: Path, clock: Clock, *, keyed: bool
) -> None:
    pseudonym = Key("k", b"k" * 32).pseudonym if keyed else None
    first = Ledger(store, clock=clock, writer="first", pseudonym=pseudonym)
    left(first, running, "a")
    left(first, running, "b", "country unknown")
    first.close()
    assert list((store / running).glob("*.checkpoint"))
    again = Ledger(store, clock=clock, writer="again", pseudonym=pseudonym)
    assert again.statistics(running).outside == {"layer": 1, "country unknown": 1}
    assert left(again, running, "a")
    assert again.record(running, Batch(trials=[trial("b")])).outside == {"country unknown": 1}
    assert again.statistics(running).outside == {"layer": 1, "country unknown": 1}
    assert ledger.statistics(running).outside == {"layer": 1, "country unknown": 1}


def test_a_person_who_is_forgotten_is_outside_of_nothing(ledger: Ledger, running: str) -> None:
    left(ledger, running, "a")
    left(ledger, running, "b")
    assert ledger.forget_unit("a", reason="asked") == {running: 1}
    assert ledger.statistics(running).outside == {"layer": 1}
    assert [entry.content.unit for entry in ledger.entries(running, Outside)] == ["b"]
    assert ledger.verify(running)[0].fault is None


def test_the_counts_outlive_the_rows(ledger: Ledger, running: str, clock: Clock) -> None:
    left(ledger, running, "a")
    ledger.change(running, lambda e: e.advanced("expired", at=clock(), by="tests"))
    ledger.enforce_retention(days=-1)
    assert ledger.statistics(running).outside == {"layer": 1}
    assert ledger.entries(running, Outside) == []


def test_whose_consent_is_missing_or_gone_is_counted_without_a_name(
    ledger: Ledger, running: str, new_experiment: Build
) -> None:
    asking = planned(ledger, new_experiment)
    ledger.withdraw("a", reason="asked")
    for experiment in (asking, running):
        left(ledger, experiment, "a")
        assert ledger.statistics(experiment).outside == {"layer": 1}
        assert [entry.content.unit for entry in ledger.entries(experiment, Outside)] == [None]


def test_nothing_is_counted_before_the_start(ledger: Ledger, new_experiment: Build) -> None:
    with pytest.raises(IllegalStep):
        left(ledger, ledger.plan(new_experiment).id, "a")


def test_a_reason_that_hooks_never_write_is_refused_and_kept_aside(ledger: Ledger, running: str, store: Path) -> None:
    spool = store / "spool" / "s.jsonl"
    spool.parent.mkdir()
    reasons = ["branch", "x\n y", "attribute a unknown b", "", 3, None]
    lines = [{"event": f"e{n}", "experiment": running, "outside": why} for n, why in enumerate(reasons)]
    spool.write_text("".join(json.dumps(each) + "\n" for each in lines))
    assert len(ledger.take_in_spools().refused) == 5
    assert ledger.statistics(running).outside == {"branch": 1}
    assert len(spool.with_suffix(".refused").read_bytes().splitlines()) == 5


def test_two_processes_that_ask_at_once_count_a_unit_once(ledger: Ledger, running: str, store: Path) -> None:
    context = multiprocessing.get_context("spawn")
    asking = [context.Process(target=ask, args=(store, running)) for _ in range(3)]
    for each in asking:
        each.start()
    for each in asking:
        each.join(60)
    assert [each.exitcode for each in asking] == [0, 0, 0]
    assert ledger.statistics(running).outside == {"layer": 20}
    assert len(ledger.entries(running, Outside)) == 20


def ask(store: Path, experiment: str) -> None:
    own = Ledger(store, clock=lambda: datetime.now(UTC), writer="other")
    for n in range(20):
        left(own, experiment, f"u{n}")
