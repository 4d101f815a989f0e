"""Assigning: sticky, recorded before it is told, and control for everybody when the experiment does not run."""

from collections import Counter

import pytest
from scipy.stats import chi2
from tests.support.agent import Agent
from tests.support.plans import designed, started, times
from tests.support.project import Project


def test_a_unit_keeps_its_variant_and_is_exposed_once(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    first = at_repo.call("assign_unit", experiment=experiment, unit="ada")
    assert (first["exposure"], first["propensity"]) == (True, 0.5)
    assert at_repo.call("assign_unit", experiment=experiment, unit="ada") == first
    workspace = repo.workspace()
    exposures = workspace.ledger.journal(experiment).exposures
    assert [(e.content.unit, e.content.variant, e.content.propensity) for e in exposures] == [
        (workspace.key.pseudonym("ada"), first["variant"], 0.5)
    ]


def test_propensities_are_the_planned_shares_and_units_meet_them(repo: Project, at_repo: Agent) -> None:
    """Pearson's chi-square with scipy's tail, at one chance in a million."""
    lineup = [{"name": "control", "share": 0.7}, {"name": "a", "share": 0.2}, {"name": "b"}]
    experiment = started(at_repo, variants=lineup)
    found = [at_repo.call("assign_unit", experiment=experiment, unit=f"u{n}") for n in range(150)]
    assert {each["variant"]: round(each["propensity"], 9) for each in found} == {"control": 0.7, "a": 0.2, "b": 0.1}
    counts = Counter(each["variant"] for each in found)
    shares = {"control": 105, "a": 30, "b": 15}
    assert chi2.sf(sum((counts[name] - n) ** 2 / n for name, n in shares.items()), 2) > 1e-6


def test_a_unit_that_was_recorded_under_a_variant_stays_there(at_repo: Agent) -> None:
    experiment = started(at_repo)
    at_repo.call("record_trial", experiment=experiment, trials=times(10))
    for n in range(10):
        assert at_repo.call("assign_unit", experiment=experiment, unit=f"treatment-{n}")["variant"] == "treatment"


@pytest.mark.parametrize(("action", "state"), [("pause", "paused"), ("stop", "analyzing")])
def test_everybody_gets_control_when_it_does_not_run(at_repo: Agent, action: str, state: str) -> None:
    experiment = started(at_repo)
    at_repo.call("transition_experiment", experiment=experiment, action=action)
    for n in range(5):
        found = at_repo.call("assign_unit", experiment=experiment, unit=f"u{n}")
        assert (found["variant"], found["exposure"], found["propensity"]) == ("control", False, 1.0)
        assert found["reason"] == f"the experiment is {state}"


def test_two_experiments_split_the_same_units_differently(at_repo: Agent) -> None:
    split = [
        [at_repo.call("assign_unit", experiment=experiment, unit=f"u{n}")["variant"] for n in range(40)]
        for experiment in (started(at_repo), started(at_repo))
    ]
    assert split[0] != split[1]


@pytest.mark.parametrize("unit", ["", " ", "x" * 201, "a\x00b", "a\u202eb", "line\nbreak"])
def test_a_unit_without_a_plain_name_is_refused(at_repo: Agent, unit: str) -> None:
    assert "unit = " in at_repo.refusal("assign_unit", experiment=started(at_repo), unit=unit)


def test_before_the_start_asking_is_a_mistake(at_repo: Agent) -> None:
    assert "Start it first" in at_repo.refusal("assign_unit", experiment=designed(at_repo), unit="u")


def test_units_of_a_prompt_come_in_blocks_with_exact_shares(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, type="prompt")
    found = [at_repo.call("assign_unit", experiment=experiment, unit=f"u{n}")["variant"] for n in range(12)]
    assert all(Counter(found[start : start + 4]) == {"control": 2, "treatment": 2} for start in (0, 4, 8))
    exposures = repo.workspace().ledger.journal(experiment).exposures
    assert [entry.content.slot for entry in exposures] == list(range(12))
    assert at_repo.call("assign_unit", experiment=experiment, unit="u3")["variant"] == found[3]


def test_a_reported_exposure_cannot_take_a_slot(at_repo: Agent) -> None:
    exposure = {"unit": "u", "variant": "control", "slot": 7}
    told = at_repo.refusal("record_trial", experiment=started(at_repo), exposures=[exposure])
    assert "assign_unit gives them" in told


def test_a_unit_without_the_consent_that_the_plan_requires_gets_control_and_is_not_counted(at_repo: Agent) -> None:
    privacy = {"lawful_basis": "consent", "requires_consent": True, "attributes": ["country"]}
    experiment = started(at_repo, plan={"privacy": privacy})
    refused = at_repo.call("assign_unit", experiment=experiment, unit="ada")
    assert (refused["variant"], refused["exposure"]) == ("control", False)
    assert "consent: true" in refused["reason"]
    told = {"consent": True, "country": "gb"}
    assigned = at_repo.call("assign_unit", experiment=experiment, unit="ada", attributes=told)
    assert assigned["exposure"] is True
    trial = {"variant": assigned["variant"], "unit": "ada", "metrics": {"time": 1.0}}
    assert at_repo.call("record_trial", experiment=experiment, trials=[trial])["recorded"] == {"trials": 1}
    assert "allow-list (country)" in at_repo.refusal(
        "assign_unit", experiment=experiment, unit="eve", attributes={"email": "eve@example.org"}
    )
    assert at_repo.call("status", experiment=experiment)["active"][0]["refused"] == 1
