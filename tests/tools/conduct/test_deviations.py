"""What was not as planned is listed with its numbers, and a plan's end cannot come apart from its successor."""

from tests.support.agent import Agent
from tests.support.plans import FILES, designed, started, times
from tests.support.project import Project

from experiment_tracker_tools.conduct.succession import finish_successions
from experiment_tracker_tools.domain.trial import Trial
from experiment_tracker_tools.workspace.deviations import deviations


def told(repo: Project, experiment: str) -> tuple[str, ...]:
    workspace = repo.workspace()
    return deviations(workspace, workspace.ledger.experiment(experiment))


def test_an_experiment_that_went_as_planned_has_none(repo: Project, at_repo: Agent) -> None:
    assert told(repo, designed(at_repo)) == ()
    assert told(repo, started(at_repo)) == ()


def test_amended_trials_are_listed_with_their_reasons(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(3))
    ledger = repo.workspace().ledger
    first, _, third = [entry.seq for entry in ledger.entries(experiment, Trial)][:3]
    ledger.amend(experiment, first, reason="a typo")
    ledger.amend(experiment, third, reason="a typo")
    assert told(repo, experiment) == ("2 trials no longer count (control 2, treatment 0): a typo",)


def test_rows_that_left_a_running_experiment_are_a_broken_seal(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    list(repo.workspace().ledger.export(experiment))
    assert "Rows left the store 1 times" in told(repo, experiment)[0]


def test_a_start_against_the_gate_is_listed_with_who_answers_for_it(repo: Project, at_repo: Agent) -> None:
    repo.git("branch", "same")
    variants = [{"name": "control"}, {"name": "treatment", "source": "same"}]
    experiment = designed(at_repo, **{**FILES, "variants": variants})
    at_repo.call("transition_experiment", experiment=experiment, action="start", reason="an A/A")
    assert told(repo, experiment) == ("Started although not ready (treatment equals control byte for byte.): an A/A",)


def test_an_early_stop_makes_the_numbers_exploratory(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(5))
    at_repo.call("transition_experiment", experiment=experiment, action="stop")
    at_repo.call("decide", experiment=experiment)
    assert any("exploratory" in each for each in told(repo, experiment))


def ended(at_repo: Agent) -> str:
    experiment = designed(at_repo)
    at_repo.call("transition_experiment", experiment=experiment, action="archive")
    return experiment


def test_an_iteration_that_an_earlier_version_left_between_its_two_writes_is_finished_by_the_next_call(
    repo: Project, at_repo: Agent
) -> None:
    """The new plan alone is what a crash leaves; negative control: the old one has not ended by itself."""
    old = ended(at_repo)
    workspace = repo.workspace()
    like = workspace.ledger.experiment(designed(at_repo))
    new = workspace.ledger.plan(lambda id_: like.model_copy(update={"id": id_, "iterates": old}))
    assert workspace.ledger.experiment(old).state == "expired"
    at_repo.call("transition_experiment", experiment=new.id, action="start")
    assert workspace.ledger.experiment(old).state == "iterated"
    assert workspace.ledger.experiment(old).history[-1].reason == f"iterated by {new.id}"
    assert finish_successions(workspace) == ()


def test_status_tells_alerts_feedback_seal_and_deviations(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(), feedback=[{"variant": "control", "rating": 4}])
    ledger = repo.workspace().ledger
    ledger.amend(experiment, ledger.entries(experiment, Trial)[0].seq, reason="a typo")
    at_repo.call("record_trial", experiment=experiment, trials=times(22)[40:])
    at_repo.call("monitor_experiments", apply=True)
    line = at_repo.call("status", experiment=experiment)["active"][0]
    assert line["feedback"] == {"control": "4 of 5 (1)"}
    assert any(alert.startswith("level 1: ") for alert in line["alerts"])
    assert len(line["seal"]) == 12
    assert line["deviations"][0].startswith("1 trials no longer count")
