"""start, pause, resume, stop and archive: the full matrix, and what each state offers next."""

import pytest
from tests.support.agent import Agent
from tests.support.plans import designed, shipped, started, times
from tests.support.project import Project

ROADS = {
    "planned": [],
    "running": ["start"],
    "paused": ["start", "pause"],
    "analyzing": ["start", "stop"],
    "expired": ["archive"],
}
MOVES = {
    ("planned", "start"): "running",
    ("planned", "archive"): "expired",
    ("running", "pause"): "paused",
    ("running", "stop"): "analyzing",
    ("paused", "resume"): "running",
    ("paused", "stop"): "analyzing",
    ("analyzing", "archive"): "expired",
    ("expired", "archive"): "expired",
}


@pytest.mark.parametrize("action", ["start", "pause", "resume", "stop", "archive"])
@pytest.mark.parametrize("state", list(ROADS))
def test_each_action_is_done_or_refused_with_what_is_possible(
    repo: Project, at_repo: Agent, state: str, action: str
) -> None:
    experiment = designed(at_repo)
    for step in ROADS[state]:
        at_repo.call("transition_experiment", experiment=experiment, action=step)
    if (state, action) in MOVES:
        moved = at_repo.call("transition_experiment", experiment=experiment, action=action, reason="because")
        assert (moved["before"], moved["state"], moved["reason"]) == (state, MOVES[state, action], "because")
        return
    before = repo.picture()
    told = at_repo.refusal("transition_experiment", experiment=experiment, action=action)
    assert f"{experiment} is {state}; {action} does not apply. Possible: " in told
    assert all(other in told for at, other in MOVES if at == state)
    assert repo.picture() == before


def test_an_unknown_action_is_told_with_the_known_ones(at_repo: Agent) -> None:
    told = at_repo.refusal("transition_experiment", experiment=designed(at_repo), action="explode")
    assert "action = 'explode'" in told
    assert "'start'" in told


def test_an_archived_experiment_is_hidden_until_it_is_asked_for(at_repo: Agent) -> None:
    experiment = designed(at_repo)
    at_repo.call("transition_experiment", experiment=experiment, action="archive", reason="not worth it")
    assert "completed" not in at_repo.call("status")
    assert at_repo.call("status", archived=True)["completed"][0]["ended"] == "not worth it"
    assert at_repo.call("status", experiment=experiment)["completed"][0]["experiment"] == experiment


def test_a_decided_experiment_is_archived_as_completed(at_repo: Agent) -> None:
    experiment = shipped(at_repo)
    moved = at_repo.call("transition_experiment", experiment=experiment, action="archive")
    assert (moved["state"], moved["archived"]) == ("completed", True)


def test_the_way_out_of_a_halt_is_open(at_repo: Agent) -> None:
    """HALT pauses; what its advice names can be done: resume after a repair, or archive and iterate."""
    experiment = started(at_repo, variants=[{"name": "control"}, {"name": "treatment", "share": 0.01}])
    at_repo.call("record_trial", experiment=experiment, trials=times())
    decided = at_repo.call("decide", experiment=experiment)
    assert (decided["verdict"], decided["state"]) == ("HALT", "paused")
    assert "sample ratio mismatch" in decided["reasons"][0]
    assert "archive" in decided["next_action"]
    at_repo.call("transition_experiment", experiment=experiment, action="stop")
    at_repo.call("transition_experiment", experiment=experiment, action="archive")
    assert designed(at_repo, iterates=experiment) != experiment
