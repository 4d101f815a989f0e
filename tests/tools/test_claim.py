"""Claims held against recorded verdicts through the real door."""

import pytest
from tests.support.agent import Agent
from tests.support.plans import TIME, designed, shipped, started, times
from tests.support.project import Project


def test_a_claim_that_the_data_bear_is_supported_with_a_sentence_to_write(at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    seen = at_repo.call("check_claim", claim="the treatment is faster", experiment=experiment)
    told = at_repo.call("check_claim", claim=f"{-seen['lift']:.0%} faster", experiment=experiment)
    assert (seen["claim"], told["claim"]) == ("supported", "supported")
    assert told["interval"][0] < told["lift"] < told["interval"][1] < 0
    assert told["lift"] == at_repo.call("analyze", experiment=experiment)["results"][0]["lift"]
    assert "faster (" in told["write"]
    assert experiment in told["write"]


def test_a_claim_beyond_the_interval_is_contradicted(at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    assert at_repo.call("check_claim", claim="80% faster", experiment=experiment)["claim"] == "contradicted"
    assert at_repo.call("check_claim", claim="it got slower", experiment=experiment)["claim"] == "contradicted"


def test_the_experiment_is_found_by_the_claims_own_words(at_repo: Agent) -> None:
    experiment = shipped(at_repo, name="Zebra loop")
    designed(at_repo, name="Other")
    told = at_repo.call("check_claim", claim="the zebra loop is faster")
    assert (told["experiment"], told["claim"]) == (experiment, "supported")


def test_nothing_is_supported_before_a_verdict(at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(10))
    told = at_repo.call("check_claim", claim="40% faster", experiment=experiment)
    assert told["claim"] == "not supported"
    assert "lift" not in told
    assert "no difference was shown" not in told["write"]


def test_without_any_experiment_nothing_is_supported(repo: Project, at_repo: Agent) -> None:
    told = at_repo.call("check_claim", claim="everything is 3x faster")
    assert told["claim"] == "not supported"
    assert told["write"] == "Nothing has been measured yet."
    assert "plan one" in told["next_action"]


def test_a_flat_result_supports_neither_a_difference_nor_its_absence(at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(ratio=1.0, seed=3))
    at_repo.call("decide", experiment=experiment)
    for claim in ("20% faster", "faster", "makes no difference"):
        assert at_repo.call("check_claim", claim=claim, experiment=experiment)["claim"] in {
            "not supported",
            "contradicted",
        }
    told = at_repo.call("check_claim", claim="makes no difference", experiment=experiment)
    assert told["claim"] == "not supported"


def test_an_unknown_metric_is_named_with_those_there_are(at_repo: Agent) -> None:
    experiment = designed(at_repo)
    told = at_repo.refusal("check_claim", claim="it is faster", experiment=experiment, metric="cost")
    assert "'cost'" in told
    assert "time" in told


def test_a_sequential_plan_is_judged_by_its_boundary_and_not_by_a_level_for_one_look(at_repo: Agent) -> None:
    plan = {"method": "sequential"}
    metric = {**TIME, "mde": 0.2, "baseline": 1.0, "sd": 0.2}
    won = started(at_repo, name="Won", metrics=[metric], sample_size=40, plan=plan)
    at_repo.call("record_trial", experiment=won, trials=times(40))
    assert at_repo.call("decide", experiment=won)["verdict"] == "SHIP"
    assert at_repo.call("check_claim", claim="it is faster", experiment=won)["claim"] == "supported"
    stopped = started(at_repo, name="Stopped", metrics=[metric], sample_size=40, plan=plan)
    at_repo.call("record_trial", experiment=stopped, trials=times(12, ratio=0.93, seed=2))
    at_repo.call("transition_experiment", experiment=stopped, action="stop")
    at_repo.call("decide", experiment=stopped)
    told = at_repo.call("check_claim", claim="it is faster", experiment=stopped)
    assert told["claim"] != "supported"
    assert "no difference was shown" in told["write"]


@pytest.mark.parametrize(("confirmatory", "judged"), [(["tokens"], "supported"), ([], "not supported")])
def test_a_secondary_supports_a_claim_only_where_the_plan_confirms_it(
    at_repo: Agent, confirmatory: list[str], judged: str
) -> None:
    tokens = {"name": "tokens", "role": "secondary", "kind": "continuous", "direction": "decrease"}
    plan = {"method": "fixed", "confirmatory": confirmatory}
    experiment = started(at_repo, metrics=[TIME, tokens], plan=plan)
    rows = [{**row, "metrics": {**row["metrics"], "tokens": row["metrics"]["time"] * 100}} for row in times()]
    at_repo.call("record_trial", experiment=experiment, trials=rows)
    at_repo.call("decide", experiment=experiment)
    told = at_repo.call("check_claim", claim="tokens are lower", experiment=experiment, metric="tokens")
    assert told["claim"] == judged
