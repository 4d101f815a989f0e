"""Claims held against recorded verdicts through the real door."""

from tests.support.agent import Agent
from tests.support.plans import designed, shipped, started, times
from tests.support.project import Project


def test_a_claim_that_the_data_bear_is_supported_with_a_sentence_to_write(at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    seen = at_repo.call("check_claim", claim="the treatment is faster", experiment=experiment)
    told = at_repo.call("check_claim", claim=f"{-seen['lift']:.0%} faster", experiment=experiment)
    assert (seen["claim"], told["claim"]) == ("supported", "supported")
    assert told["interval"][0] < told["lift"] < told["interval"][1] < 0
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
