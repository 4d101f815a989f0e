"""Recording: all or none, once per key, periods replaced, exposures joined, and never more than claimed."""

import pytest
from tests.support.agent import Agent
from tests.support.plans import BOUGHT, designed, started, times
from tests.support.project import Project

from experiment_tracker_tools.domain.feedback import Feedback


def test_ten_thousand_trials_are_recorded_at_once_or_not_at_all(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    batch = times(5_000)
    wrong = [*batch[:-1], {**batch[-1], "metrics": {"time": -1.0}}]
    before = repo.picture()
    told = at_repo.refusal("record_trial", experiment=experiment, trials=wrong)
    assert told.startswith("trials.9999: time = -1.0: a duration is above 0.")
    assert repo.picture() == before
    done = at_repo.call("record_trial", experiment=experiment, trials=batch)
    assert done["recorded"] == {"trials": 10_000}
    assert done["through_seq"] == 10_001
    assert at_repo.call("analyze", experiment=experiment)["units"] == {"control": 20, "treatment": 20}


def test_a_key_counts_once_and_never_for_other_content(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    trial = {"variant": "control", "metrics": {"time": 1.0}, "key": "run-1"}
    assert at_repo.call("record_trial", experiment=experiment, trials=[trial, trial])["recorded"] == {"trials": 1}
    again = at_repo.call("record_trial", experiment=experiment, trials=[trial])
    assert (again["recorded"], again["repeats"]) == ({}, 1)
    before = repo.picture()
    other = {**trial, "metrics": {"time": 2.0}}
    told = at_repo.refusal("record_trial", experiment=experiment, trials=[*times(3), other])
    assert "Trial key 'run-1' already stands for" in told
    assert "use a new key" in told
    assert repo.picture() == before


def test_a_key_of_one_experiment_is_free_in_another(at_repo: Agent) -> None:
    for _ in range(2):
        done = at_repo.call("record_trial", experiment=started(at_repo), trials=times(1))
        assert done["recorded"] == {"trials": 2}


def test_no_unit_meets_two_variants(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, exposures=[{"unit": "ada", "variant": "control"}])
    before = repo.picture()
    crossing = {"variant": "treatment", "metrics": {"time": 1.0}, "unit": "ada"}
    told = at_repo.refusal("record_trial", experiment=experiment, trials=[*times(2), crossing])
    assert "Unit 'ada' met control; this call puts it under treatment. Nothing was recorded." in told
    assert repo.picture() == before


def test_what_an_agent_records_is_claimed_and_what_we_assigned_is_ours(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("assign_unit", experiment=experiment, unit="u")
    exposed = [{"unit": "v", "variant": "control"}]
    at_repo.call("record_trial", experiment=experiment, trials=times(1), exposures=exposed)
    workspace = repo.workspace()
    journal = workspace.ledger.journal(experiment)
    assert {entry.provenance for entry in journal.trials} == {"claimed"}
    found = {entry.content.unit: entry.provenance for entry in journal.exposures}
    assert found == {workspace.key.pseudonym("u"): "command", workspace.key.pseudonym("v"): "claimed"}


def test_provenance_cannot_be_claimed(at_repo: Agent) -> None:
    told = at_repo.refusal("record_trial", experiment=started(at_repo), trials=[{**times(1)[0], "provenance": "hook"}])
    assert "trials.0.provenance is unknown" in told


def test_daily_cumulative_posts_never_count_twice(at_repo: Agent) -> None:
    experiment = started(at_repo, metrics=[BOUGHT], sample_size=1000)

    def post(n: int, control: int, treatment: int) -> dict[str, object]:
        bought = {"control": control, "treatment": treatment}
        posts = [{"variant": v, "period": "so-far", "n": n, "conversions": c} for v, c in bought.items()]
        return at_repo.call("record_trial", experiment=experiment, aggregates=posts)

    assert "replaced" not in post(500, 50, 60)
    assert post(900, 90, 110)["replaced"] == 2
    assert at_repo.call("analyze", experiment=experiment)["units"] == {"control": 900, "treatment": 900}
    post(1100, 110, 180)
    found = at_repo.call("analyze", experiment=experiment)
    assert found["results"][0]["n"] == [1100, 1100]
    assert found["results"][0]["means"] == [0.1, 0.163636]
    assert found["verdict"] == "SHIP"


def test_a_metric_comes_from_trials_or_from_sums_but_not_from_both(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    post = {"variant": "control", "period": "d", "n": 2, "sum": 2.0, "sum_of_squares": 3.0}
    at_repo.call("record_trial", experiment=experiment, aggregates=[post])
    before = repo.picture()
    told = at_repo.refusal("record_trial", experiment=experiment, trials=times(1))
    assert "trials and aggregates of one metric would count units twice" in told
    assert repo.picture() == before


def test_an_exposed_unit_without_an_outcome_is_no_purchase(at_repo: Agent) -> None:
    experiment = started(at_repo, metrics=[BOUGHT], sample_size=100)
    exposed = [{"unit": f"{v}{n}", "variant": v} for n in range(100) for v in ("control", "treatment")]
    at_repo.call("record_trial", experiment=experiment, exposures=exposed)
    bought = [{"unit": f"treatment{n}", "variant": "treatment", "metrics": {"bought": True}} for n in range(30)]
    bought += [{"unit": f"control{n}", "variant": "control", "metrics": {"bought": 1}} for n in range(10)]
    at_repo.call("record_trial", experiment=experiment, trials=bought)
    waiting = at_repo.call("analyze", experiment=experiment)
    assert waiting["standing"] == "interim"
    assert any("160 exposed units may still get an outcome" in reason for reason in waiting["reasons"])
    at_repo.call("transition_experiment", experiment=experiment, action="stop")
    found = at_repo.call("analyze", experiment=experiment)["results"][0]
    assert (found["means"], found["n"]) == ([0.1, 0.3], [100, 100])


def test_a_reply_tells_what_was_filled_in(at_repo: Agent) -> None:
    experiment = started(at_repo)
    bare = [{"variant": "control", "metrics": {"time": 1}}] * 3
    done = at_repo.call("record_trial", experiment=experiment, trials=bare)
    assert done["filled_in"] == ["3 trials without a unit: each counts as its own unit"]
    assert done["uri"] == f"experiment://{experiment}"


def test_a_period_sent_twice_in_one_call_is_told_and_the_last_one_counts(at_repo: Agent) -> None:
    experiment = started(at_repo, metrics=[BOUGHT], sample_size=1000)
    posts = [{"variant": "control", "period": "d1", "n": n, "conversions": 5} for n in (100, 200)]
    posts.append({"variant": "treatment", "period": "d1", "n": 100, "conversions": 5})
    told = at_repo.call("record_trial", experiment=experiment, aggregates=posts)
    assert told["replaced"] == 1
    assert told["twice"] == ["control bought d1: sent 2 times"]
    assert at_repo.call("analyze", experiment=experiment)["units"] == {"control": 200, "treatment": 100}


OPINION = {"variant": "treatment", "rating": 4, "note": "quick", "source": "ada", "unit": "treatment-1"}


def test_feedback_is_recorded_as_judged_and_never_counted_as_a_unit(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    told = at_repo.call("record_trial", experiment=experiment, feedback=[OPINION, {"variant": "control", "rating": 2}])
    assert told["recorded"] == {"feedback": 2}
    workspace = repo.workspace()
    found = workspace.ledger.entries(experiment, Feedback)
    assert [(entry.provenance, entry.content.rating) for entry in found] == [("judged", 4), ("judged", 2)]
    assert found[0].content.unit == workspace.key.pseudonym("treatment-1")
    assert at_repo.call("analyze", experiment=experiment)["units"] == {"control": 0, "treatment": 0}
    assert at_repo.call("record_trial", experiment=experiment, feedback=[OPINION])["repeats"] == 1


@pytest.mark.parametrize("rating", [0, 6, 4.5, True, "5"])
def test_a_rating_is_a_whole_number_from_1_to_5(at_repo: Agent, rating: object) -> None:
    told = at_repo.refusal("record_trial", experiment=started(at_repo), feedback=[{**OPINION, "rating": rating}])
    assert "feedback.0.rating" in told


def test_feedback_on_a_unit_of_another_variant_or_on_no_variant_is_refused(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(2))
    before = repo.picture()
    told = at_repo.refusal("record_trial", experiment=experiment, feedback=[{**OPINION, "variant": "control"}])
    assert "Unit 'treatment-1' met treatment" in told
    told = at_repo.refusal("record_trial", experiment=experiment, feedback=[{**OPINION, "variant": "green"}])
    assert "Unknown variant 'green'" in told
    assert repo.picture() == before


def test_feedback_is_heard_after_the_end_of_recording_and_not_before_its_start(at_repo: Agent) -> None:
    experiment = designed(at_repo)
    assert "is planned" in at_repo.refusal("record_trial", experiment=experiment, feedback=[OPINION])
    at_repo.call("transition_experiment", experiment=experiment, action="start")
    at_repo.call("transition_experiment", experiment=experiment, action="stop")
    at_repo.call("record_trial", experiment=experiment, feedback=[OPINION])
    told = at_repo.refusal("record_trial", experiment=experiment, feedback=[OPINION], trials=times(1))
    assert "not running" in told


def test_feedback_goes_with_the_unit_that_is_forgotten(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, feedback=[OPINION])
    ledger = repo.workspace().ledger
    assert ledger.forget_unit("treatment-1", reason="asked") == {experiment: 1}
    assert ledger.entries(experiment, Feedback) == []
    assert ledger.verify(experiment)[0].fault is None
