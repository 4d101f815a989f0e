"""What the ledger promises to the verbs, in one process."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.core.errors import Conflict, IllegalStep, NotFound
from experiment_tracker_tools.domain.decision import Look, RollBack
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Aggregate, Exposure, Trial
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.tables import Amendment

AT = datetime(2026, 11, 20, tzinfo=UTC)


def trial(variant: str = "control", seconds: float = 1.5, **more: str) -> Trial:
    return Trial.model_validate({"variant": variant, "metrics": {"latency": seconds}, **more})


def test_a_planned_experiment_is_found_again_by_another_ledger(
    ledger: Ledger, store: Path, clock: Clock, new_experiment: Callable[[str], Experiment]
) -> None:
    planned = ledger.plan(new_experiment)
    again = Ledger(store, clock=clock, writer="other")
    assert again.experiments() == (planned,)
    assert again.experiment(planned.id) == planned


def test_ids_of_a_day_count_up_and_a_failed_plan_uses_none(
    ledger: Ledger, new_experiment: Callable[[str], Experiment]
) -> None:
    def fail(experiment_id: str) -> Experiment:
        raise ValueError(experiment_id)

    first = ledger.plan(new_experiment)
    with pytest.raises(ValueError, match="002"):
        ledger.plan(fail)
    assert [first.id, ledger.plan(new_experiment).id] == ["exp-2026-11-20-001", "exp-2026-11-20-002"]
    assert len(ledger.experiments()) == 2


def test_an_unknown_experiment_is_told_with_the_known_ones(ledger: Ledger, running: str) -> None:
    with pytest.raises(NotFound, match=running):
        ledger.experiment("exp-2026-11-20-999")
    with pytest.raises(NotFound):
        ledger.experiment("../../etc/passwd")


def test_a_step_that_raises_changes_nothing(ledger: Ledger, running: str) -> None:
    head = ledger.head(running)
    with pytest.raises(IllegalStep):
        ledger.change(running, lambda e: e.advanced("completed", at=AT, by="tests"))
    assert ledger.head(running) == head


def test_trials_are_recorded_in_order_with_their_place_time_and_door(ledger: Ledger, running: str) -> None:
    recorded = ledger.record(running, Batch(trials=[trial(), trial("short", 2.5, unit="u", note="ünï ✓")]))
    entries = ledger.journal(running).trials
    assert (recorded.trials, recorded.last_seq) == (2, 2)
    assert [entry.seq for entry in entries] == [1, 2]
    assert entries[1].content == trial("short", 2.5, unit="u", note="ünï ✓")
    assert {entry.by for entry in entries} == {"tests"}


def test_nothing_of_a_batch_is_recorded_if_one_part_is_refused(ledger: Ledger, running: str) -> None:
    ledger.record(running, Batch(trials=[trial(unit="u")]))
    with pytest.raises(Conflict, match="'u' met control"):
        ledger.record(running, Batch(trials=[trial(), trial("short", unit="u")]))
    assert len(ledger.journal(running).trials) == 1


def test_a_repeated_key_counts_once_also_for_another_process_and_after_a_checkpoint(
    ledger: Ledger, running: str, store: Path, clock: Clock
) -> None:
    ledger.record(running, Batch(trials=[trial(key="k")]))
    ledger.close()
    again = Ledger(store, clock=clock, writer="other")
    assert again.record(running, Batch(trials=[trial(key="k")])).repeats == 1
    assert ledger.record(running, Batch(trials=[trial(key="k")])).repeats == 1
    with pytest.raises(Conflict, match="key 'k'"):
        again.record(running, Batch(trials=[trial(seconds=9, key="k")]))


def test_a_key_twice_in_one_batch_counts_once(ledger: Ledger, running: str) -> None:
    assert ledger.record(running, Batch(trials=[trial(key="k"), trial(key="k")])).trials == 1


def test_a_unit_keeps_its_first_exposure(ledger: Ledger, running: str) -> None:
    (first,) = ledger.expose(running, ["u"], lambda unit, _: Exposure(unit=unit, variant="short", propensity=0.5))
    assert ledger.expose(running, ["u"], lambda unit, _: Exposure(unit=unit, variant="control")) == (first,)
    assert ledger.record(running, Batch(exposures=[first])).repeats == 1
    assert [entry.content for entry in ledger.journal(running).exposures] == [first]


def test_a_unit_that_only_had_a_trial_is_exposed_to_the_variant_of_that_trial(ledger: Ledger, running: str) -> None:
    ledger.record(running, Batch(trials=[trial("short", unit="u")]))
    (exposure,) = ledger.expose(running, ["u"], lambda unit, _: Exposure(unit=unit, variant="control"))
    assert exposure.variant == "short"


def test_a_slice_that_is_sent_again_replaces(ledger: Ledger, running: str) -> None:
    day = Aggregate(variant="control", period="day-1", metric="latency", n=2, sum=3.0, sum_of_squares=5.0)
    assert ledger.record(running, Batch(aggregates=[day])).replaced == 0
    assert ledger.record(running, Batch(aggregates=[day])).replaced == 1
    with pytest.raises(Conflict, match="count units twice"):
        ledger.record(running, Batch(trials=[trial()]))


def test_only_a_running_experiment_takes_records(ledger: Ledger, running: str) -> None:
    ledger.change(running, lambda e: e.advanced("paused", at=AT, by="tests"))
    with pytest.raises(IllegalStep, match="Resume it"):
        ledger.record(running, Batch(trials=[trial()]))
    with pytest.raises(IllegalStep, match="Resume it"):
        ledger.expose(running, ["u"], lambda unit, _: Exposure(unit=unit, variant="control"))


def test_a_look_and_the_step_it_causes_are_recorded_together(ledger: Ledger, running: str) -> None:
    look = Look(units={"control": 0, "short": 0}, planned=10, standing="final", through_seq=0, srm_p=None)
    ledger.append(running, look, step=lambda e: e.advanced("analyzing", at=AT, by="tests"))
    entry = ledger.latest(running, Look)
    assert entry is not None
    assert entry.content == look
    assert ledger.experiment(running).state == "analyzing"
    assert ledger.latest(running, RollBack) is None


def test_the_head_changes_with_everything_that_is_recorded(ledger: Ledger, running: str) -> None:
    heads = [ledger.head(running)]
    ledger.record(running, Batch(trials=[trial()]))
    heads.append(ledger.head(running))
    ledger.change(running, lambda e: e.advanced("paused", at=AT, by="tests"))
    heads.append(ledger.head(running))
    assert len(set(heads)) == 3


def test_an_amended_trial_stays_but_no_longer_counts(ledger: Ledger, running: str) -> None:
    ledger.record(running, Batch(trials=[trial(seconds=1.0), trial(seconds=900.0), trial(seconds=3.0)]))
    ledger.amend(running, 2, reason="a typing error")
    assert [entry.seq for entry in ledger.journal(running).trials] == [1, 3]
    assert [entry.content.reason for entry in ledger.entries(running, Amendment)] == ["a typing error"]
    totals = ledger.statistics(running)
    assert (totals.running["control", "latency"].mean, totals.amended) == (2.0, {"control": 1})
    assert len(ledger.entries(running, Trial)) == 3
    with pytest.raises(Conflict, match="amended before"):
        ledger.amend(running, 2, reason="again")
    with pytest.raises(NotFound, match="no trial 77"):
        ledger.amend(running, 77, reason="what")


def test_the_store_is_its_owners_alone(ledger: Ledger, running: str, store: Path) -> None:
    ledger.record(running, Batch(trials=[trial()]))
    ledger.close()
    for path in [store, *store.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_trials_are_queried_as_a_tinydb(ledger: Ledger, running: str) -> None:
    from tinydb import where

    ledger.record(running, Batch(trials=[trial(), trial("short", 4.0)]))
    trials = ledger.documents(running).table("trials")
    assert [found.doc_id for found in trials.search(where("content")["metrics"]["latency"] > 2)] == [2]


def test_more_experiments_than_files_that_a_process_may_open_unasked_are_read(tmp_path: Path) -> None:
    program = (
        f"import resource, sys; sys.path[:0] = {sys.path!r}\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (40, int(sys.argv[1])))\n"
        "from pathlib import Path\n"
        "from tests.support.values import experiment\n"
        "from experiment_tracker_tools.workspace import Workspace\n"
        "workspace = Workspace(Path(sys.argv[2]), door='test')\n"
        "workspace.make_ready()\n"
        "for _ in range(60): workspace.ledger.plan(lambda name: experiment(id=name))\n"
        "print(len(workspace.ledger.experiments()))\n"
    )
    command = [sys.executable, "-c", program]
    for name in "ab":
        (tmp_path / name).mkdir()
    done = subprocess.run([*command, "200", str(tmp_path / "a")], capture_output=True, text=True, check=False)
    assert done.stdout == "60\n", done.stderr[-400:]
    # The control: where the system itself allows no more, it is told.
    done = subprocess.run([*command, "40", str(tmp_path / "b")], capture_output=True, text=True, check=False)
    assert "Too many open files" in done.stderr
