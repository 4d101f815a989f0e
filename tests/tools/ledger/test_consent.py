"""Consent, withdrawal, the allow-list of attributes, and rows that go once their time is over."""

import multiprocessing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from experiment_tracker_tools.core.clock import Clock
from experiment_tracker_tools.core.errors import ConsentMissing
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.privacy import Privacy
from experiment_tracker_tools.domain.trial import Exposure, Trial
from experiment_tracker_tools.ledger import Batch, Ledger
from experiment_tracker_tools.ledger.pseudonyms import Key

AT = datetime(2026, 11, 20, tzinfo=UTC)
ASKS = Privacy(purpose="shorter answers", lawful_basis="consent", requires_consent=True, attributes=("country",))
Build = Callable[[str], Experiment]


def planned(ledger: Ledger, build: Build, privacy: Privacy = ASKS) -> str:
    def with_privacy(experiment_id: str) -> Experiment:
        experiment = build(experiment_id)
        return experiment.model_copy(update={"plan": experiment.plan.model_copy(update={"privacy": privacy})})

    experiment = ledger.plan(with_privacy)
    for state in ("implemented", "running"):
        ledger.change(experiment.id, lambda e, state=state: e.advanced(state, at=AT, by="tests"))  # type: ignore[misc]
    return experiment.id


def trial(unit: str | None, **attributes: bool | str) -> Trial:
    return Trial.model_validate(
        {"variant": "control", "metrics": {"latency": 1.0}, "unit": unit, "attributes": attributes}
    )


def shown(unit: str, _slot: int = 0) -> Exposure:
    return Exposure(unit=unit, variant="short")


def test_a_trial_without_consent_is_refused_and_counted_and_nothing_of_its_batch_is_kept(
    ledger: Ledger, new_experiment: Build
) -> None:
    experiment = planned(ledger, new_experiment)
    with pytest.raises(ConsentMissing, match=r"2 without consent, .*consent: true"):
        ledger.record(experiment, Batch(trials=[trial("a", consent=True), trial("b"), trial(None)]))
    with pytest.raises(ConsentMissing):
        ledger.expose(experiment, ["c"], shown, attributes={"consent": False})
    assert ledger.journal(experiment) == ([], [], [])
    assert ledger.statistics(experiment).refused == {"without_consent": 3, "withdrawn": 0}


def test_consent_that_was_told_once_holds_for_the_units_later_trials(
    ledger: Ledger, new_experiment: Build, store: Path, clock: Clock
) -> None:
    experiment = planned(ledger, new_experiment)
    ledger.expose(experiment, ["a"], shown, attributes={"consent": True})
    assert ledger.record(experiment, Batch(trials=[trial("a").model_copy(update={"variant": "short"})])).trials == 1
    ledger.close()
    again = Ledger(store, clock=clock, writer="other")
    assert again.record(experiment, Batch(trials=[trial("a").model_copy(update={"variant": "short"})])).trials == 1
    with pytest.raises(ConsentMissing):
        again.record(experiment, Batch(trials=[trial("a", consent=False)]))
    assert ledger.journal(experiment).exposures[0].content.attributes == {"consent": True}


def test_without_a_plan_that_requires_it_nobody_is_asked(ledger: Ledger, running: str) -> None:
    assert ledger.record(running, Batch(trials=[trial("a")])).trials == 1
    assert ledger.statistics(running).refused == {}


def test_a_unit_that_withdrew_is_collected_nowhere_any_more(
    ledger: Ledger, running: str, new_experiment: Build, store: Path, clock: Clock
) -> None:
    ledger.record(running, Batch(trials=[trial("a")]))
    assert ledger.withdraw("a", reason="asked to") == (running,)
    later = planned(ledger, new_experiment)
    for experiment in (running, later):
        for use in (
            lambda e=experiment: ledger.record(e, Batch(trials=[trial("a", consent=True)])),
            lambda e=experiment: ledger.expose(e, ["a"], shown, attributes={"consent": True}),
        ):
            with pytest.raises(ConsentMissing, match="withdrew"):
                use()
    assert ledger.record(later, Batch(trials=[trial("b", consent=True)])).trials == 1
    assert len(ledger.journal(running).trials) == 1
    ledger.forget_unit("a", reason="asked to")
    assert ledger.journal(running).trials == []
    (store / "catalogue.jsonl").unlink()
    again = Ledger(store, clock=clock, writer="other")
    with pytest.raises(ConsentMissing, match="withdrew"):
        again.record(running, Batch(trials=[trial("a")]))
    assert ledger.statistics(running).refused["withdrawn"] == 3


def test_a_withdrawal_is_kept_under_the_pseudonym(store: Path, clock: Clock, new_experiment: Build) -> None:
    ledger = Ledger(store, clock=clock, writer="tests", pseudonym=Key("3f2a9c1b", bytes(32)).pseudonym)
    experiment = planned(ledger, new_experiment)
    ledger.withdraw("ann@example.org", reason="asked to")
    assert ledger.withdraw("ann@example.org", reason="again") == (experiment,)
    with pytest.raises(ConsentMissing, match="withdrew"):
        ledger.record(experiment, Batch(trials=[trial("ann@example.org", consent=True)]))
    stored = b"".join(path.read_bytes() for path in store.rglob("*") if path.is_file())
    assert b"ann@" not in stored
    assert all(verified.fault is None for verified in ledger.verify())


def _record_until_refused(store: Path, experiment: str, ready: "multiprocessing.synchronize.Event") -> None:
    ledger = Ledger(store, clock=lambda: AT, writer="other")
    while True:
        try:
            ledger.record(experiment, Batch(trials=[trial("a")]))
        except ConsentMissing:
            return
        ready.set()


def test_no_trial_slips_in_once_a_withdrawal_has_returned(ledger: Ledger, running: str, store: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    writer = context.Process(target=_record_until_refused, args=(store, running, ready))
    writer.start()
    assert ready.wait(60)
    ledger.withdraw("a", reason="asked to")
    count = len(ledger.journal(running).trials)
    writer.join(60)
    assert writer.exitcode == 0
    assert len(ledger.journal(running).trials) == count


@pytest.mark.parametrize(("days", "gone"), [(29, False), (31, True)])
def test_rows_go_when_the_plans_time_is_over_and_their_statistics_stay(
    ledger: Ledger, new_experiment: Build, store: Path, days: int, gone: bool
) -> None:
    experiment = planned(ledger, new_experiment, Privacy(retention_days=30))
    ledger.record(experiment, Batch(trials=[trial("a"), trial("b")], exposures=[shown("c")]))
    for state in ("analyzing", "decided"):
        ledger.change(experiment, lambda e, state=state: e.advanced(state, at=AT, by="tests"))  # type: ignore[misc]
    late = Ledger(store, clock=lambda: AT + timedelta(days=days), writer="tests")
    late.change(experiment, lambda e: e.advanced("completed", at=AT + timedelta(days=days), by="tests"))
    assert late.enforce_retention() == ({experiment: 3} if gone else {})
    assert late.enforce_retention() == {}
    assert len(late.journal(experiment).trials) == (0 if gone else 2)
    totals = Ledger(store, clock=lambda: AT, writer="other").statistics(experiment)
    assert (totals.trials, totals.exposed) == ({"control": 2}, {"short": 1})
    assert totals.running["control", "latency"].n == 2
    assert all(verified.fault is None for verified in late.verify())


def test_rows_of_an_experiment_that_goes_on_are_kept(ledger: Ledger, new_experiment: Build, store: Path) -> None:
    experiment = planned(ledger, new_experiment, Privacy(retention_days=0))
    ledger.record(experiment, Batch(trials=[trial("a")]))
    assert Ledger(store, clock=lambda: AT + timedelta(days=900), writer="tests").enforce_retention() == {}
