"""Deciding: interim until the plan is full, once and for all after that."""

from tests.support.agent import Agent
from tests.support.plans import TIME, started, times
from tests.support.project import Project


def test_asking_after_every_trial_says_continue_until_the_plan_is_full_and_shows_no_effect(at_repo: Agent) -> None:
    experiment = started(at_repo, sample_size=5)
    for trial in times(5):
        found = at_repo.call("analyze", experiment=experiment)
        assert (found["standing"], found["verdict"]) == ("interim", "CONTINUE")
        assert "results" not in found
        assert at_repo.call("decide", experiment=experiment)["verdict"] == "CONTINUE"
        at_repo.call("record_trial", experiment=experiment, trials=[trial])
    assert at_repo.call("analyze", experiment=experiment)["standing"] == "final"


def test_a_verdict_stands_whatever_is_asked_later(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times())
    first = at_repo.call("decide", experiment=experiment, rationale="the plan's rule")
    before = repo.picture()
    again = at_repo.call("decide", experiment=experiment, rationale="second thoughts")
    assert again == first
    assert again["rationale"] == "the plan's rule"
    assert repo.picture() == before


def test_an_early_stop_cannot_ship(at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(15, ratio=0.1))
    at_repo.call("transition_experiment", experiment=experiment, action="stop", reason="it looked great")
    found = at_repo.call("analyze", experiment=experiment)
    assert (found["standing"], found["verdict"]) == ("exploratory", "INCONCLUSIVE")
    assert found["results"][0]["p_value"] < 1e-6
    decided = at_repo.call("decide", experiment=experiment)
    assert (decided["verdict"], decided["state"]) == ("INCONCLUSIVE", "decided")
    assert "exploratory and cannot ship" in decided["reasons"][0]


def test_the_deadline_ends_an_experiment_that_never_filled_up(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, runtime_days=3)
    at_repo.call("record_trial", experiment=experiment, trials=times(10, ratio=0.3))
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "CONTINUE"
    repo.clock.move(days=3.01)
    decided = at_repo.call("decide", experiment=experiment)
    assert decided["verdict"] == "SHIP"
    assert any("The runtime ended at control 10, treatment 10 of 20" in reason for reason in decided["reasons"])


def test_before_the_minimum_runtime_there_is_no_verdict(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, plan={"min_runtime_days": 7})
    at_repo.call("record_trial", experiment=experiment, trials=times())
    found = at_repo.call("analyze", experiment=experiment)
    assert found["verdict"] == "CONTINUE"
    assert any("minimum runtime ends 2026-11-27 12:00 UTC" in reason for reason in found["reasons"])
    repo.clock.move(days=7)
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "SHIP"


def test_an_unsafe_guardrail_keeps_a_winner_from_shipping(at_repo: Agent) -> None:
    cost = {"name": "cost", "role": "guardrail", "kind": "continuous", "direction": "decrease", "unit": "usd"}
    experiment = started(at_repo, metrics=[TIME, {**cost, "margin": 0.1}])
    trials = times()
    for place, trial in enumerate(trials):
        worse = 1.3 if trial["variant"] == "treatment" else 1.0
        trial["metrics"]["cost"] = worse * (1 + place % 7 / 100)
    at_repo.call("record_trial", experiment=experiment, trials=trials)
    decided = at_repo.call("decide", experiment=experiment)
    assert decided["verdict"] == "INVESTIGATE"
    assert "winner" not in decided
    assert any("Guardrail cost of treatment is not shown to be within its margin" in r for r in decided["reasons"])


def test_analyze_warns_of_a_gain_that_is_too_good_to_be_true(at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(ratio=0.05))
    told = at_repo.call("analyze", experiment=experiment)
    assert "is too good to be true" in str(told["warnings"])


def test_looking_leaves_a_trace_and_changes_nothing_else(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    head = repo.workspace().ledger.head(experiment)
    at_repo.call("analyze", experiment=experiment)
    assert repo.workspace().ledger.head(experiment) != head
    head = repo.workspace().ledger.head(experiment)
    at_repo.call("status")
    at_repo.call("status", experiment=experiment)
    assert repo.workspace().ledger.head(experiment) == head


def test_a_look_reads_the_same_before_and_after_the_decision_whichever_variant_was_sent_first(at_repo: Agent) -> None:
    bought = {"name": "bought", "role": "primary", "kind": "binary", "direction": "increase"}
    experiment = started(at_repo, metrics=[bought], sample_size=200, plan={"method": "sequential"})
    trials = [
        {"variant": variant, "unit": f"{variant}-{n}", "metrics": {"bought": int(n % 10 < often)}}
        for variant, often in (("control", 2), ("treatment", 6))
        for n in range(200)
    ]
    at_repo.call("record_trial", experiment=experiment, trials=trials)
    before = at_repo.call("analyze", experiment=experiment)
    assert (before["verdict"], before["standing"]) == ("SHIP", "final")
    assert before["information"] < 1
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "SHIP"
    after = at_repo.call("analyze", experiment=experiment)
    moved = {"state", "next_action"}
    assert {name: after[name] for name in after if name not in moved} == {
        name: before[name] for name in before if name not in moved
    }


def test_units_whose_outcome_is_still_to_come_are_told_and_do_not_make_an_experiment_futile(at_repo: Agent) -> None:
    bought = {
        "name": "bought",
        "role": "primary",
        "kind": "binary",
        "direction": "increase",
        "mde": 0.9,
        "baseline": 0.5,
    }
    experiment = started(at_repo, metrics=[bought], sample_size=30, plan={"method": "sequential"})
    exposures = [{"variant": ("control", "treatment")[n % 2], "unit": f"u{n}"} for n in range(58)]
    at_repo.call("record_trial", experiment=experiment, exposures=exposures)
    found = at_repo.call("analyze", experiment=experiment)
    assert found["verdict"] == "CONTINUE"
    assert "that it resolves" not in str(found["reasons"])
    assert any("58 of 58 units that met a variant have no outcome yet" in reason for reason in found["reasons"])
    # The control: once all of them answered, and alike, there is little left to hope for.
    trials = [{"variant": e["variant"], "unit": e["unit"], "metrics": {"bought": 0}} for e in exposures]
    at_repo.call("record_trial", experiment=experiment, trials=trials)
    found = at_repo.call("analyze", experiment=experiment)
    assert found["verdict"] == "STOP_FUTILE"
    assert not any("no outcome yet" in reason for reason in found["reasons"])
