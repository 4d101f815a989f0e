"""The whole round, from design to roll-back, as an agent walks it: by tool calls, in a real repository."""

import pytest
from tests.support.agent import Agent
from tests.support.plans import FILES, TIME, plan, shipped, started, times
from tests.support.project import FAST, PROGRAM, SLOW, Project


def test_files_are_designed_measured_decided_promoted_and_rolled_back(repo: Project, at_repo: Agent) -> None:
    repo.write("notes.txt", "somebody's own edit\n")
    repo.write("new.txt", "untracked\n")
    repo.git("add", "new.txt")
    parent, staged = repo.head(), repo.git("ls-files", "-s", "new.txt", "notes.txt")
    experiment = shipped(at_repo)

    promoted = at_repo.call("promote", experiment=experiment)

    assert promoted["promoted"] is True
    assert promoted["commit"] == repo.head()
    assert repo.git("rev-parse", "HEAD~1") == parent
    assert repo.git("show", "--name-only", "--format=", "HEAD") == PROGRAM
    assert repo.read(PROGRAM) == FAST
    message = repo.git("log", "-1", "--format=%B")
    for trailer in (f"Experiment-Id: {experiment}", "Metric: time", "Lift: -", "CI: -", "P-Value: ", "Trials: 40"):
        assert trailer in message
    assert "Promote treatment" in at_repo.asked[0]

    undone = at_repo.call("rollback", experiment=experiment, reason="users disliked it")

    assert undone["rolled_back"] is True
    assert undone["blobs_equal"] is True
    assert undone["reverts"] == promoted["commit"]
    assert repo.git("rev-parse", f"HEAD:{PROGRAM}") == repo.git("rev-parse", f"{parent}:{PROGRAM}")
    assert repo.read(PROGRAM) == SLOW
    assert repo.read("notes.txt") == "somebody's own edit\n"
    assert repo.git("ls-files", "-s", "new.txt", "notes.txt") == staged
    assert at_repo.call("status", experiment=experiment)["completed"][0]["state"] == "rolled_back"


def test_the_working_trees_own_edits_can_be_the_treatment(repo: Project, at_repo: Agent) -> None:
    repo.write(PROGRAM, FAST)
    experiment = shipped(at_repo, variants=[{"name": "control"}, {"name": "treatment", "source": "working-tree"}])
    assert repo.git("show", f"refs/experiments/{experiment}/treatment:{PROGRAM}") == FAST.strip()
    assert repo.git("show", f"refs/experiments/{experiment}/control:{PROGRAM}") == SLOW.strip()
    assert repo.read(PROGRAM) == FAST
    assert at_repo.call("promote", experiment=experiment)["promoted"] is True
    assert repo.git("show", f"HEAD:{PROGRAM}") == FAST.strip()


@pytest.mark.parametrize("subject", [{}, {"flag": "new-checkout"}], ids=["none", "flag"])
def test_a_winner_outside_of_git_is_told_to_be_rolled_out_by_hand(at_repo: Agent, subject: dict[str, str]) -> None:
    experiment = started(at_repo, subject=subject)
    at_repo.call("record_trial", experiment=experiment, trials=times())
    decided = at_repo.call("decide", experiment=experiment, rationale="clear")
    assert (decided["verdict"], decided["winner"]) == ("SHIP", "treatment")
    assert "yourself" in decided["next_action"]
    assert "no files in git" in at_repo.refusal("promote", experiment=experiment)
    at_repo.call("transition_experiment", experiment=experiment, action="archive", reason="rolled out")
    assert at_repo.call("status")["summary"].startswith("0 active, 1 successful, 0 failed")
    assert at_repo.call("rollback", experiment=experiment, reason="no")["state"] == "rolled_back"


def test_without_a_repository_everything_but_promote_and_rollback_of_files_works(at_plain: Agent) -> None:
    experiment = started(at_plain, **FILES)
    at_plain.call("assign_unit", experiment=experiment, unit="u")
    at_plain.call("record_trial", experiment=experiment, trials=times())
    assert at_plain.call("analyze", experiment=experiment)["verdict"] == "SHIP"
    assert at_plain.call("decide", experiment=experiment)["verdict"] == "SHIP"
    at_plain.refusal("promote", experiment=experiment)


def test_an_a_a_experiment_is_told_at_design_and_cannot_be_promoted(repo: Project, at_repo: Agent) -> None:
    repo.git("branch", "same")
    designed = at_repo.call(
        "design_experiment",
        **plan(**FILES | {"variants": [{"name": "control"}, {"name": "treatment", "source": "same"}]}),
    )
    assert any("A/A" in advice for advice in designed["advice"])
    experiment = designed["experiment"]
    at_repo.call("transition_experiment", experiment=experiment, action="start", reason="an A/A experiment")
    at_repo.call("record_trial", experiment=experiment, trials=times(ratio=1.0, seed=2))
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "INCONCLUSIVE"
    before = repo.picture()
    assert "INCONCLUSIVE, not SHIP" in at_repo.refusal("promote", experiment=experiment)
    assert repo.picture() == before


def test_an_experiment_may_iterate_one_that_has_ended(at_repo: Agent) -> None:
    first = shipped(at_repo)
    second = started(at_repo, iterates=first)
    assert at_repo.call("status", experiment=first)["completed"][0]["state"] == "iterated"
    refused = at_repo.refusal("design_experiment", **plan(iterates=second))
    assert "only an ended or decided experiment can be iterated" in refused
    refused = at_repo.refusal("design_experiment", **plan(iterates=first))
    assert f"{first}' is iterated by {second} already; iterate that one." in refused


def test_several_treatments_share_alpha_and_the_best_ships(repo: Project, at_repo: Agent) -> None:
    repo.git("branch", "other", "fast")
    lineup = [{"name": "control"}, {"name": "good", "source": "fast"}, {"name": "better", "source": "other"}]
    experiment = started(at_repo, variants=lineup, subject={"files": [PROGRAM]}, metrics=[TIME])
    scale = {"control": 1.0, "good": 0.7, "better": 0.5}
    batch = [
        {
            **trial,
            "variant": name,
            "unit": f"{name}-{place}",
            "key": None,
            "metrics": {"time": trial["metrics"]["time"] * by},
        }
        for name, by in scale.items()
        for place, trial in enumerate(times(ratio=1.0)[:20])
    ]
    at_repo.call("record_trial", experiment=experiment, trials=batch)
    found = at_repo.call("analyze", experiment=experiment)
    assert {result["confidence"] for result in found["results"]} == {0.975}
    decided = at_repo.call("decide", experiment=experiment)
    assert (decided["verdict"], decided["winner"]) == ("SHIP", "better")
