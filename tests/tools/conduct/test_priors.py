"""Priors: stated in the plan, or pooled from the past; what they change, and what they leave alone."""

import math

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects
from tests.support.agent import Agent
from tests.support.plans import HYPOTHESIS, TIME, plan, started, times
from tests.support.project import Project

from experiment_tracker_tools.analysis.pooling import log_lift
from experiment_tracker_tools.conduct.memory import past_results

PAST = {"method": "fixed", "belief": {"past": True}}
SIZED = {**TIME, "mde": 0.2, "baseline": 1.0, "sd": 0.2}
RATIOS = (0.8, 0.95, 0.7, 1.05, 0.85)


def decided(agent: Agent, ratio: float, seed: int, **changes: object) -> str:
    believed = {**HYPOTHESIS, "change": f"the {seed}th way to write it"}
    experiment = started(agent, name=f"Past {seed}", hypothesis=believed, **changes)
    agent.call("record_trial", experiment=experiment, trials=times(ratio=ratio, seed=seed))
    agent.call("decide", experiment=experiment)
    return experiment


@pytest.fixture
def five(at_repo: Agent) -> list[str]:
    return [decided(at_repo, ratio, seed) for seed, ratio in enumerate(RATIOS)]


def test_a_prior_of_the_past_is_the_one_that_statsmodels_pools_and_is_sealed_with_its_ids(
    repo: Project, at_repo: Agent, five: list[str]
) -> None:
    told = at_repo.call("design_experiment", **plan(plan=PAST, metrics=[SIZED]))
    belief = repo.workspace().ledger.experiment(told["experiment"]).plan.belief
    assert belief is not None
    logs = [log_lift(past.estimate) for past in past_results(repo.workspace(), metric="time", kind="feature")]
    values = np.array([each.estimate for each in logs if each is not None])
    reference = combine_effects(
        values, np.array([each.se**2 for each in logs if each is not None]), method_re="iterated"
    )
    # A time that falls is a gain.
    assert belief.mean == pytest.approx(-reference.mean_effect_re, rel=1e-4)
    assert belief.sd > math.sqrt(reference.tau2)
    assert belief.pooled == tuple(five)
    assert any("pooled from 5 experiments of type feature on time" in line for line in told["filled_in"])
    assert "over the prior" in told["power"]
    at_repo.call("transition_experiment", experiment=told["experiment"], action="start")
    sealed = repo.git("show", f"refs/experiments/{told['experiment']}/plan:plan.json")
    assert f'"pooled":["{five[0]}"' in sealed.replace(" ", "")


def test_fewer_than_five_refuse_the_call_and_leave_a_project_default_out(repo: Project, at_repo: Agent) -> None:
    decided(at_repo, 0.8, 1)
    refused = at_repo.refusal("design_experiment", **plan(plan=PAST))
    assert "1 past experiments have a usable lift; it takes 5 (time, type feature)" in refused
    (repo.root / ".experiments" / "config.toml").write_text("[belief]\npast = true\n")
    told = at_repo.call("design_experiment", **plan())
    assert any("it takes 5" in line for line in told["filled_in"])
    assert repo.workspace().ledger.experiment(told["experiment"]).plan.belief is None


def test_another_type_and_another_metric_are_not_pooled(at_repo: Agent, five: list[str]) -> None:
    assert "0 past experiments" in at_repo.refusal("design_experiment", **plan(plan=PAST, type="performance"))
    assert "0 past experiments" in at_repo.refusal(
        "design_experiment", **plan(plan=PAST, metrics=[{**TIME, "name": "wall"}])
    )


@pytest.mark.parametrize(
    ("belief", "named"),
    [({"past": True, "sd": 0.1}, "either past or sd"), ({"mean": 0.1}, "needs sd"), ({"past": "yes"}, "past")],
)
def test_a_belief_says_one_thing(at_repo: Agent, belief: dict[str, object], named: str) -> None:
    assert named in at_repo.refusal("design_experiment", **plan(plan={"belief": belief}))


def test_without_a_belief_the_past_changes_nothing(repo: Project, at_repo: Agent, five: list[str]) -> None:
    told = at_repo.call("design_experiment", **plan(metrics=[SIZED]))
    assert repo.workspace().ledger.experiment(told["experiment"]).plan.belief is None
    assert "over the prior" not in told["power"]
    at_repo.call("transition_experiment", experiment=told["experiment"], action="start")
    at_repo.call("record_trial", experiment=told["experiment"], trials=times(seed=9))
    seen = at_repo.call("analyze", experiment=told["experiment"])
    assert set(seen["p_better"]["treatment"]) == {"flat", "sceptical"}
    assert "gain" not in seen


def test_the_panel_tells_how_far_each_prior_moves_the_gain(at_repo: Agent) -> None:
    experiment = started(at_repo, metrics=[SIZED], plan={"method": "fixed", "belief": {"mean": 0.0, "sd": 0.05}})
    at_repo.call("record_trial", experiment=experiment, trials=times(ratio=0.8))
    seen = at_repo.call("analyze", experiment=experiment)
    gain = seen["gain"]["treatment"]
    assert 0 < gain["stated"] < gain["widened"] < gain["flat"]
    assert 0 < gain["sceptical"] < gain["flat"]
    chance = seen["p_better"]["treatment"]
    assert chance["stated"] < chance["widened"] < chance["flat"]


def test_a_bayesian_plan_decides_by_the_prior_of_the_past(at_repo: Agent, five: list[str]) -> None:
    bayesian = {"method": "bayesian", "belief": {"past": True, "convinced": 0.9}}
    experiment = started(at_repo, metrics=[SIZED], plan=bayesian)
    at_repo.call("record_trial", experiment=experiment, trials=times(ratio=0.7, seed=8))
    assert at_repo.call("decide", experiment=experiment)["verdict"] == "SHIP"


def test_a_winner_is_told_shrunk_towards_the_past_and_only_from_five_on(at_repo: Agent) -> None:
    for seed, ratio in enumerate(RATIOS[1:]):
        assert "shrunk" not in at_repo.call("decide", experiment=decided(at_repo, ratio, seed))
    experiment = decided(at_repo, 0.5, 7)
    told = at_repo.call("decide", experiment=experiment)
    assert told["verdict"] == "SHIP"
    shrunk, measured = (float(part.rstrip("%:")) for part in told["shrunk"].split()[:4:3])
    assert 0 < shrunk < measured
