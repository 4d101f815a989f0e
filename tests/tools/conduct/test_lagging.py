"""Leading metrics are shown early and lagging ones fall due after the decision; neither decides one that runs."""

from datetime import timedelta

from tests.support.agent import Agent
from tests.support.plans import TIME, started, times
from tests.support.project import Project

CHURN = {"name": "churned", "role": "lagging", "kind": "binary", "direction": "decrease", "due_days": 30}
CLICKS = {"name": "clicks", "role": "leading", "kind": "continuous", "direction": "increase"}


def test_a_lagging_metric_tells_its_date_from_the_decision_on_and_is_alerted_once_it_has_come(
    repo: Project, at_repo: Agent
) -> None:
    experiment = started(at_repo, metrics=[TIME, CHURN])
    at_repo.call("record_trial", experiment=experiment, trials=times())
    assert "due" not in at_repo.call("status", experiment=experiment)["active"][0]
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "SHIP"
    day = (repo.clock() + timedelta(days=30)).date()
    assert at_repo.call("status", experiment=experiment)["active"][0]["due"] == [f"churned is due on {day}"]
    assert "churned is due" not in str(at_repo.call("monitor_experiments", apply=True))
    repo.clock.move(days=30)
    told = at_repo.call("monitor_experiments", apply=True)
    assert "level 1: churned is due 30 days after the decision: record it (record_trial with unit)" in str(told)
    assert at_repo.call("status", experiment=experiment)["active"][0]["due"] == [f"churned was due on {day}"]
    assert "churned is due" not in str(at_repo.call("monitor_experiments", apply=True))


def test_a_leading_metric_is_shown_while_it_runs_as_exploratory_and_decides_nothing(at_repo: Agent) -> None:
    experiment = started(at_repo, metrics=[TIME, CLICKS], plan={"method": "sequential"}, sample_size=200)
    trials = times(30, ratio=1.0)
    for trial in trials:
        trial["metrics"]["clicks"] = trial["metrics"]["time"] * (9 if trial["variant"] == "treatment" else 1)
    at_repo.call("record_trial", experiment=experiment, trials=trials)
    told = at_repo.call("analyze", experiment=experiment)
    clicks = next(each for each in told["results"] if each["metric"] == "clicks")
    assert (told["standing"], clicks["label"]) == ("interim", "exploratory")
    assert clicks["p_value"] < 1e-6
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "CONTINUE"
