"""Processes that decide, re-open or watch at one moment record it once: all have judged before the first writes."""

from typing import Any

from tests.support.agent import Agent
from tests.support.plans import TIME, shipped, started, times
from tests.support.project import PROGRAM, SLOW, Project
from tests.support.races import MONITOR, at_once

from experiment_tracker_tools.domain.decision import Decision, RollBack

CHURN = {"name": "churned", "role": "lagging", "kind": "binary", "direction": "decrease", "due_days": 30}


def verdicts(repo: Project, experiment: str) -> list[str]:
    return [entry.content.verdict for entry in repo.workspace().ledger.entries(experiment, Decision)]


def contradicted(repo: Project, agent: Agent) -> str:
    """A promoted winner whose units have left by its due day."""
    experiment = shipped(agent, metrics=[TIME, CHURN])
    agent.call("promote", experiment=experiment)
    rows: list[dict[str, Any]] = [
        {"variant": v, "unit": f"{v}-{k}", "metrics": {"churned": int(v == "treatment")}}
        for k in range(20)
        for v in ("control", "treatment")
    ]
    agent.call("record_trial", experiment=experiment, trials=rows)
    repo.clock.move(days=31)
    return experiment


def test_two_who_decide_and_two_passes_re_open_a_contradicted_decision_once(repo: Project, at_repo: Agent) -> None:
    experiment = contradicted(repo, at_repo)
    told = at_once(repo, [experiment, experiment, MONITOR, MONITOR], "before the decision")
    assert verdicts(repo, experiment) == ["SHIP", "ROLL_BACK"]
    assert [each["verdict"] for each in told[:2]] == ["ROLL_BACK"] * 2
    assert told[0]["reasons"] == told[1]["reasons"]
    assert all(not seen["problems"] for each in told[2:] for seen in each["seen"])
    at_repo.call("monitor_experiments", apply=True)
    assert len(repo.workspace().ledger.entries(experiment, RollBack)) == 1
    assert repo.read(PROGRAM) == SLOW


def test_two_who_decide_and_two_passes_record_one_decision(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times())
    told = at_once(repo, [experiment, experiment, MONITOR, MONITOR], "before the decision")
    assert [each["verdict"] for each in told[:2]] == ["SHIP"] * 2
    assert all(not seen["problems"] for each in told[2:] for seen in each["seen"])
    assert verdicts(repo, experiment) == ["SHIP"]


def test_without_the_condition_under_the_lock_the_same_races_record_four(repo: Project, at_repo: Agent) -> None:
    """Negative control."""
    experiment = contradicted(repo, at_repo)
    at_once(repo, [experiment, experiment, MONITOR, MONITOR], "before the decision, without its condition")
    assert verdicts(repo, experiment) == ["SHIP", *["ROLL_BACK"] * 4]
