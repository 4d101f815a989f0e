"""Where everything stands: marks, bars, means, days, savings, and what to do next."""

from tests.support.agent import Agent
from tests.support.plans import designed, shipped, started, times
from tests.support.project import Project


def test_an_empty_project_is_told_to_plan(at_repo: Agent) -> None:
    told = at_repo.call("status")
    assert told["summary"] == "0 active, 0 successful, 0 failed, no hours saved a month measured yet"
    assert told["now"] == "no experiment assigns units"
    assert "design_experiment" in told["next_action"]


def test_progress_is_told_per_variant_with_what_is_missing(at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(10)[:15])
    told = at_repo.call("status")
    assert told["now"] == f"assigning units: {experiment}"
    line = told["active"][0]
    assert line["bars"] == {"control": "████░░░░░░ 8/20", "treatment": "███░░░░░░░ 7/20"}
    assert line["to_come"] == {"control": 12, "treatment": 13}
    assert "means" not in line
    assert line["mark"] == "▶"


def test_a_due_look_is_the_next_action_and_no_effect_is_computed(at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times())
    line = at_repo.call("status", experiment=experiment)["active"][0]
    assert line["next_action"] == "The planned look is due: analyze, then decide."
    assert "means" not in line
    assert "to_come" not in line


def test_a_promotion_counts_its_days_and_what_it_saves(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo, plan={"expected_runs_per_month": 36_000})
    at_repo.call("promote", experiment=experiment)
    repo.clock.move(days=2.5)
    told = at_repo.call("status")
    line = told["completed"][0]
    assert line["days_since_promotion"] == 2.5
    assert line["verdict"] == "SHIP"
    assert set(line["means"]) == {"control", "treatment"}
    assert line["ended"].startswith("promoted treatment by ")
    saved = 10 * (float(line["means"]["control"]) - float(line["means"]["treatment"]))
    told_hours = float(told["summary"].split(", ")[-1].split()[0])
    assert abs(told_hours - saved) < 0.06
    at_repo.call("rollback", experiment=experiment, reason="no")
    assert at_repo.call("status")["summary"].endswith(
        "0 active, 0 successful, 1 failed, no hours saved a month measured yet"
    )


def test_the_newest_are_shown_first_and_the_rest_is_counted(at_repo: Agent) -> None:
    planned = [designed(at_repo) for _ in range(4)]
    told = at_repo.call("status")
    assert [line["experiment"] for line in told["active"]] == planned[:0:-1]
    assert told["more"] == 1
    assert told["summary"].startswith("4 active")


def test_an_archived_experiment_without_a_promotion_tells_its_verdict_and_asks_for_nothing(at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(ratio=2.0))
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "KEEP_CONTROL"
    at_repo.call("transition_experiment", experiment=experiment, action="archive")
    line = at_repo.call("status", experiment=experiment)["completed"][0]
    assert line["ended"] == "verdict KEEP_CONTROL"
    assert line["next_action"] == "Nothing; it is archived."


def test_a_short_status_shows_the_whole_summary_and_control_beside_the_treatment(at_repo: Agent) -> None:
    for _ in range(2):
        again = shipped(at_repo, plan={"method": "fixed", "repeat_reason": "another machine"})
        at_repo.call("promote", experiment=again)
        at_repo.call("rollback", experiment=at_repo.call("status")["completed"][0]["experiment"], reason="because")
    shipped(at_repo, plan={"method": "fixed", "repeat_reason": "another machine"})
    told = at_repo.call("status")
    assert told["summary"] == "1 active, 0 successful, 2 failed, no hours saved a month measured yet"
    for line in (*told["active"], *told["completed"]):
        assert set(line["bars"]) == set(line["means"]) == {"control", "treatment"}


def test_an_experiment_whose_rows_went_after_their_time_still_tells_its_units(repo: Project, at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    before = at_repo.call("status", experiment=experiment)
    repo.clock.move(days=100)
    workspace = repo.workspace()
    assert workspace.ledger.enforce_retention() == {experiment: 40}
    after = at_repo.call("status", experiment=experiment)
    shown = [told["active"][0] for told in (before, after)]
    assert shown[0]["bars"] == shown[1]["bars"]
    assert shown[0]["verdict"] == shown[1]["verdict"] == "SHIP"
    assert "to_come" not in shown[1]
