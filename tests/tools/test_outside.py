"""Who is outside of an experiment gets control, is counted once by reason, and is never analysed."""

from typing import Any

import pytest
from tests.support.agent import Agent
from tests.support.plans import started
from tests.support.project import Project

from experiment_tracker_tools.assignment.hashing import is_within
from experiment_tracker_tools.domain.outside import Outside

FLAG: dict[str, Any] = {"subject": {"flag": "new-cart"}}
LAYER: dict[str, Any] = {"layer": {"name": "cart", "end": 0.5}}
UNITS = [f"u{n}" for n in range(40)]
INSIDE = [unit for unit in UNITS if is_within("cart", unit, 0.0, 0.5)]
LEFT = [unit for unit in UNITS if unit not in INSIDE]


@pytest.fixture
def experiment(at_repo: Agent) -> str:
    return started(at_repo, **FLAG, plan=LAYER)


def outside(agent: Agent, experiment: str) -> Any:
    (line,) = agent.call("status", experiment=experiment)["active"]
    return line.get("outside")


def trial(unit: str | None, variant: str = "control", **more: Any) -> dict[str, Any]:
    told = {"variant": variant, "metrics": {"time": 1.0}, "unit": unit, **more}
    return {name: value for name, value in told.items() if value is not None}


def test_a_unit_counts_once_however_often_it_is_asked_for(repo: Project, at_repo: Agent, experiment: str) -> None:
    for _ in range(3):
        for unit in UNITS[:20]:
            at_repo.call("assign_unit", experiment=experiment, unit=unit)
    left = sum(unit in LEFT for unit in UNITS[:20])
    assert 0 < left < 20
    assert outside(at_repo, experiment) == {"layer": left}
    assert len(repo.workspace().ledger.journal(experiment).exposures) == 20 - left
    assert len(repo.workspace().ledger.entries(experiment, Outside)) == left


def test_nobody_is_outside_of_a_plan_that_takes_everybody(at_repo: Agent) -> None:
    experiment = started(at_repo, **FLAG)
    for unit in UNITS[:5]:
        at_repo.call("assign_unit", experiment=experiment, unit=unit)
    assert outside(at_repo, experiment) is None


@pytest.mark.parametrize("kind", ["trials", "exposures"])
def test_what_is_reported_of_units_outside_is_counted_and_not_recorded(
    repo: Project, at_repo: Agent, experiment: str, kind: str
) -> None:
    sent = [trial(unit) if kind == "trials" else {"unit": unit, "variant": "control"} for unit in (LEFT[0], INSIDE[0])]
    told = at_repo.call("record_trial", experiment=experiment, **{kind: sent})
    assert (told["recorded"], told["outside"]) == ({kind: 1}, {"layer": 1})
    assert told["next_action"].startswith("1 are outside of the plan")
    at_repo.call("record_trial", experiment=experiment, **{kind: sent})
    assert outside(at_repo, experiment) == {"layer": 1}
    assert len(getattr(repo.workspace().ledger.journal(experiment), kind)) == (1 if kind == "exposures" else 2)


def test_an_opinion_about_a_unit_outside_is_not_heard(at_repo: Agent, experiment: str) -> None:
    at_repo.call("assign_unit", experiment=experiment, unit=LEFT[0])
    heard = [{"variant": "control", "rating": 5, "unit": unit} for unit in (LEFT[0], INSIDE[0])]
    told = at_repo.call("record_trial", experiment=experiment, feedback=heard)
    assert (told["recorded"], told["outside"]) == ({"feedback": 1}, {"layer": 1})


def test_a_trial_without_a_unit_has_no_place_in_a_layer_and_its_retry_counts_once(
    at_repo: Agent, experiment: str
) -> None:
    for _ in range(2):
        told = at_repo.call("record_trial", experiment=experiment, trials=[trial(None, key="a")])
        assert (told["recorded"], told["outside"]) == ({}, {"layer unknown": 1})
    assert outside(at_repo, experiment) == {"layer unknown": 1}
    at_repo.call("record_trial", experiment=experiment, trials=[trial(None), trial(None)])
    assert outside(at_repo, experiment) == {"layer unknown": 3}


def test_analyze_and_the_document_tell_how_many_were_outside(repo: Project, at_repo: Agent, experiment: str) -> None:
    at_repo.call("assign_unit", experiment=experiment, unit=LEFT[0])
    trials = [trial(unit, key=unit) for unit in INSIDE[:4]]
    at_repo.call("record_trial", experiment=experiment, trials=trials)
    told = at_repo.call("analyze", experiment=experiment)
    assert (told["outside"], told["units"]["control"]) == ({"layer": 1}, 4)
    at_repo.call("transition_experiment", experiment=experiment, action="stop")
    document = (repo.root / ".experiments" / experiment / "experiment.md").read_text("utf-8")
    assert "Outside, with control and not analysed: layer 1" in document
