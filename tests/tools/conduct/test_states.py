"""Every state by name: the ways into it through the verbs, and what each verb answers there."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from tests.support.agent import Agent
from tests.support.plans import FILES, designed, started, times
from tests.support.project import Project

from experiment_tracker_tools.domain.lifecycle import STEPS, State

SEQUENTIAL: dict[str, Any] = {"plan": {"method": "sequential", "futility": False}}
MILD: dict[str, Any] = {"plan": {"method": "sequential", "futility": False, "automatic_rollback": False}}


class Road:
    """One experiment on its way through the verbs."""

    def __init__(self, repo: Project, agent: Agent) -> None:
        self.repo, self.agent, self.id = repo, agent, ""

    def state(self) -> State:
        return self.repo.workspace().ledger.experiment(self.id).state

    def plan(self, **changes: Any) -> None:
        self.id = designed(self.agent, **changes)

    def start(self, **changes: Any) -> None:
        self.id = started(self.agent, **changes)

    def act(self, action: str) -> None:
        self.agent.call("transition_experiment", experiment=self.id, action=action)

    def record(self, ratio: float, n: int = 20) -> None:
        self.agent.call("record_trial", experiment=self.id, trials=times(n, ratio=ratio))

    def decide(self) -> None:
        self.agent.call("decide", experiment=self.id)

    def iterate(self) -> None:
        designed(self.agent, name="The next one", iterates=self.id)


def planned(road: Road) -> None:
    road.plan()


def implemented(road: Road) -> None:
    road.plan(**FILES)


def running(road: Road) -> None:
    road.start(**SEQUENTIAL)


def paused(road: Road) -> None:
    running(road)
    road.act("pause")


def analyzing(road: Road) -> None:
    running(road)
    road.act("stop")


def decided(road: Road) -> None:
    running(road)
    road.record(0.6)
    road.decide()


def shipped(road: Road) -> None:
    road.start(**SEQUENTIAL, **FILES)
    road.record(0.6)
    road.decide()


def completed(road: Road) -> None:
    shipped(road)
    _promote(road)


def expired(road: Road) -> None:
    running(road)
    _run_out(road)


def rolled_back(road: Road) -> None:
    running(road)
    _harmed(road)


def iterated(road: Road) -> None:
    expired(road)
    road.iterate()


REACHED: dict[State, Callable[[Road], None]] = {
    "planned": planned,
    "implemented": implemented,
    "running": running,
    "paused": paused,
    "analyzing": analyzing,
    "decided": decided,
    "completed": completed,
    "iterated": iterated,
    "expired": expired,
    "rolled_back": rolled_back,
}


def _harmed_and_left(road: Road) -> None:
    road.start(**MILD)
    road.record(1.6)
    road.decide()


def _paused_with_harm(road: Road) -> None:
    running(road)
    road.record(1.6)
    road.act("pause")


def _stopped_with_harm(road: Road) -> None:
    running(road)
    road.record(1.6)
    road.act("stop")


def _overdue(road: Road) -> None:
    paused(road)
    road.repo.clock.move(days=15)


def acted(action: str) -> Callable[[Road], None]:
    return lambda road: road.act(action)


def _run_out(road: Road) -> None:
    road.repo.clock.move(days=15)
    road.decide()


def _harmed(road: Road) -> None:
    road.record(1.6)
    road.decide()


def _promote(road: Road) -> None:
    road.agent.call("promote", experiment=road.id)


def _roll_back(road: Road) -> None:
    road.agent.call("rollback", experiment=road.id, reason="it harms")


@pytest.mark.parametrize(
    ("state", "target", "before", "step"),
    [
        ("planned", "implemented", planned, acted("start")),
        ("planned", "expired", planned, acted("archive")),
        ("implemented", "running", implemented, acted("start")),
        ("implemented", "expired", implemented, acted("archive")),
        ("running", "paused", running, acted("pause")),
        ("running", "analyzing", running, acted("stop")),
        ("running", "expired", running, _run_out),
        ("running", "rolled_back", running, _harmed),
        ("paused", "running", paused, acted("resume")),
        ("paused", "analyzing", paused, acted("stop")),
        ("paused", "expired", _overdue, Road.decide),
        ("paused", "rolled_back", _paused_with_harm, Road.decide),
        ("analyzing", "decided", analyzing, Road.decide),
        ("analyzing", "expired", analyzing, acted("archive")),
        ("analyzing", "rolled_back", _stopped_with_harm, Road.decide),
        ("decided", "completed", shipped, _promote),
        ("decided", "iterated", decided, Road.iterate),
        ("decided", "rolled_back", _harmed_and_left, _roll_back),
        ("completed", "iterated", completed, Road.iterate),
        ("completed", "rolled_back", completed, _roll_back),
        ("expired", "iterated", expired, Road.iterate),
        ("rolled_back", "iterated", rolled_back, Road.iterate),
    ],
)
def test_a_step_is_made_by_a_verb(
    repo: Project,
    at_repo: Agent,
    state: State,
    target: State,
    before: Callable[[Road], None],
    step: Callable[[Road], None],
) -> None:
    road = Road(repo, at_repo)
    before(road)
    assert road.state() == state
    step(road)
    history = [each.state for each in repo.workspace().ledger.experiment(road.id).history]
    assert (state, target) in pairwise(history)


CALLS: dict[str, dict[str, Any]] = {
    "record_trial": {"trials": times(1)},
    "analyze": {},
    "decide": {},
    "promote": {},
    "rollback": {"reason": "x"},
    "iterate": {},
}


@pytest.mark.parametrize(
    ("state", "taken"),
    [
        ("planned", ""),
        ("implemented", ""),
        ("running", "record_trial analyze decide rollback"),
        ("paused", "analyze decide rollback"),
        ("analyzing", "analyze decide rollback"),
        ("decided", "analyze decide promote rollback iterate"),
        ("completed", "analyze decide rollback iterate"),
        ("iterated", "analyze decide"),
        ("expired", "analyze decide iterate"),
        ("rolled_back", "analyze decide iterate"),
    ],
)
def test_a_verb_is_answered_or_refused_by_the_state_and_a_refusal_changes_nothing(
    repo: Project, at_repo: Agent, state: State, taken: str
) -> None:
    road = Road(repo, at_repo)
    REACHED[state](road)
    before = repo.picture()
    for verb, more in CALLS.items():
        if verb in taken.split():
            continue
        if verb == "iterate":
            told = at_repo.refusal("design_experiment", name="x", plan={"template": "performance"}, iterates=road.id)
        else:
            told = at_repo.refusal(verb, experiment=road.id, **more)
        assert road.id in told
    assert repo.picture() == before
    for verb in ("analyze", "record_trial", "decide"):
        if verb in taken.split():
            at_repo.call(verb, experiment=road.id, **CALLS[verb])


def test_every_state_can_be_reached_through_the_verbs() -> None:
    assert set(REACHED) == set(STEPS)
