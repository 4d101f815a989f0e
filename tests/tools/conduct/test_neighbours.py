"""Experiments beside each other: collisions, repeats, the backlog, and what the log says about the next plan."""

from typing import Any

import pytest
from tests.support.agent import Agent
from tests.support.plans import FILES, TIME, designed, plan, started, times
from tests.support.project import Project

from experiment_tracker_tools.domain.eligibility import Eligibility

FLAG: dict[str, Any] = {"subject": {"flag": "new-cart"}, "name": "Cart"}


def start(agent: Agent, experiment: str) -> None:
    agent.call("transition_experiment", experiment=experiment, action="start")


@pytest.mark.parametrize("subject", [FILES, FLAG])
def test_a_second_experiment_on_the_same_subject_may_not_start_beside_the_first(
    at_repo: Agent, subject: dict[str, Any]
) -> None:
    first = started(at_repo, **subject)
    told = at_repo.call("design_experiment", **plan(**subject))
    assert any(f"It cannot start yet: {first} is running on the same" in line for line in told["advice"])
    second = told["experiment"]
    assert first in at_repo.refusal("transition_experiment", experiment=second, action="start")
    at_repo.call("transition_experiment", experiment=first, action="stop")
    start(at_repo, second)


def test_slices_of_one_layer_keep_experiments_apart_and_units_outside_get_control(at_repo: Agent) -> None:
    low, high = {"name": "cart", "end": 0.5}, {"name": "cart", "start": 0.5, "end": 1}
    first = started(at_repo, **FLAG, plan={"layer": low})
    overlapping = designed(at_repo, **FLAG, plan={"layer": {"name": "cart", "start": 0.4, "end": 1}})
    assert first in at_repo.refusal("transition_experiment", experiment=overlapping, action="start")
    second = designed(at_repo, **FLAG, plan={"layer": high})
    start(at_repo, second)
    inside = {first: 0, second: 0}
    for number in range(40):
        replies = {name: at_repo.call("assign_unit", experiment=name, unit=f"u{number}") for name in inside}
        counted = {name: "reason" not in reply for name, reply in replies.items()}
        assert sorted(counted.values()) == [False, True]
        for name, reply in replies.items():
            inside[name] += counted[name]
            assert counted[name] or (reply["variant"], reply["propensity"]) == ("control", 1.0)
            assert counted[name] or "outside of the plan's slice of layer cart" in reply["reason"]
    assert min(inside.values()) > 8


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"attributes": {"tier": "free"}}, {"attributes": {"tier": ["paid", "team"], "age": {"at_least": 18}}}),
        ({"attributes": {"beta": True}}, {"attributes": {"beta": [False, 1]}}),
        ({"branch": "main"}, {"branch": ["dev", "next"], "model": "*"}),
        ({"model": ["claude-opus-4"]}, {"model": "claude-sonnet-4"}),
    ],
)
def test_plans_whose_eligibility_cannot_hold_at_once_run_beside_each_other(
    at_repo: Agent, one: dict[str, Any], other: dict[str, Any]
) -> None:
    started(at_repo, **FLAG, plan={"eligibility": one})
    told = at_repo.call("design_experiment", **plan(**FLAG, plan={"eligibility": other}))
    assert not any("cannot start yet" in line for line in told["advice"])
    start(at_repo, told["experiment"])


def test_a_unit_takes_part_in_the_one_of_both_that_takes_it(at_repo: Agent) -> None:
    both = {tier: started(at_repo, **FLAG, plan={"eligibility": {"attributes": {"tier": tier}}}) for tier in ("a", "b")}
    for tier in both:
        asked = {"unit": f"u-{tier}", "attributes": {"tier": tier}}
        outside = {own: "reason" in at_repo.call("assign_unit", experiment=both[own], **asked) for own in both}
        assert outside == {own: own != tier for own in both}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"attributes": {"tier": "free"}}, {}),
        ({"attributes": {"tier": ["free", "paid"]}}, {"attributes": {"tier": ["paid", "team"]}}),
        ({"attributes": {"tier": "free"}}, {"attributes": {"plan": "paid"}}),
        ({"attributes": {"age": {"at_least": 18}}}, {"attributes": {"age": {"below": 18}}}),
        ({"attributes": {"age": 1}}, {"attributes": {"age": 1.0}}),
        ({"attributes": {"tier": "free"}}, {"attributes": {"tier": {"like": "paid"}}}),
        ({"attributes": {"tier": "free"}}, {"attributes": {"tier": {"none_of": ["free"]}}}),
        ({"branch": "main"}, {"branch": "rel*"}),
        ({"branch": "main"}, {"branch": "[d]ev"}),
        ({"branch": ["main", "de?"]}, {"branch": "next"}),
        ({"branch": "main"}, {"model": "opus"}),
        ({"arguments": "a"}, {"arguments": "b"}),
    ],
)
def test_whatever_might_hold_at_once_collides(at_repo: Agent, one: dict[str, Any], other: dict[str, Any]) -> None:
    first = started(at_repo, **FLAG, plan={"eligibility": one})
    second = designed(at_repo, **FLAG, plan={"eligibility": other})
    assert first in at_repo.refusal("transition_experiment", experiment=second, action="start")


def test_two_names_of_a_repository_may_be_the_same_one() -> None:
    assert not Eligibility(repository=("acme/shop",)).excludes(Eligibility(repository=("shop",)))


def test_a_factorial_plan_may_run_beside_another(at_repo: Agent) -> None:
    started(at_repo, **FLAG)
    started(at_repo, **FLAG, plan={"factorial": True})


def test_an_experiment_on_something_else_is_not_in_the_way(at_repo: Agent) -> None:
    started(at_repo, **FLAG)
    started(at_repo, **FILES)
    started(at_repo, subject={"flag": "other"}, name="Other")


def failed(agent: Agent) -> str:
    experiment = started(agent, **FILES)
    agent.call("record_trial", experiment=experiment, trials=times(ratio=1.0))
    assert agent.call("decide", experiment=experiment)["verdict"] != "SHIP"
    return experiment


def test_an_exact_repeat_of_a_failed_one_needs_a_reason(at_repo: Agent) -> None:
    experiment = failed(at_repo)
    told = at_repo.refusal("design_experiment", **plan(**FILES))
    assert told.startswith(f"{experiment} tried the same change on the same subject and metric and ended ")
    assert "plan.repeat_reason" in told
    done = at_repo.call("design_experiment", **plan(**FILES, plan={"repeat_reason": "a new machine"}))
    assert done["settings"]["repeat_reason"] == "a new machine (call)"
    assert done["past"][0].startswith(f"{experiment} (file app/run.py, similar text, same metric): ")
    designed(at_repo, **FILES, iterates=experiment)


def test_what_differs_or_did_not_fail_needs_none_and_is_shown(at_repo: Agent) -> None:
    experiment = failed(at_repo)
    words = {"change": "a table instead", "impact": "15% less time", "reasoning": "less work"}
    told = at_repo.call("design_experiment", **plan(**FILES, hypothesis=words, name="Tables"))
    assert told["past"][0].startswith(f"{experiment} (file app/run.py, same metric): ")
    other = at_repo.call("design_experiment", **plan(**FILES, metrics=[{**TIME, "name": "load"}]))
    assert "same metric" not in other["past"][0]
    unrelated = at_repo.call("design_experiment", **plan(name="Cart", subject={"flag": "x"}, hypothesis=words))
    assert "past" not in unrelated


def test_planned_experiments_are_listed_by_priority_after_those_that_run(at_repo: Agent) -> None:
    names: dict[str, str] = {}
    for name, ease in (("low", 1), ("high", 10), ("none", None), ("mid", 5)):
        priority = {"priority": {"impact": 5, "confidence": 5, "ease": ease}}
        names[name] = designed(at_repo, name=name, plan={} if ease is None else priority)
    running = started(at_repo, name="runs", **FILES)
    lines = at_repo.call("status", limit=5)["active"]
    assert [line["experiment"] for line in lines] == [running, names["high"], names["mid"], names["low"], names["none"]]
    assert [line.get("priority") for line in lines] == [None, 6.7, 5.0, 3.7, None]


def test_how_often_it_runs_is_measured_from_the_log(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo, **FILES)
    for number in range(21):
        at_repo.call("assign_unit", experiment=experiment, unit=f"u{number}")
        repo.clock.move(days=0.1)
    told = at_repo.call("design_experiment", **plan(**FILES, plan={"cost_per_trial": 0.5}))
    assert told["settings"]["units_per_day"] == f"10.5 (assignment log of {experiment})"
    assert told["settings"]["runs_per_month"] == f"320 (assignment log of {experiment})"
    assert told["forecast"] == "40 units in all, about 3.81 days, cost about 20"
    given = at_repo.call("design_experiment", **plan(**FILES, plan={"units_per_day": 1, "runs_per_month": 7}))
    assert given["settings"]["runs_per_month"] == "7 (call)"
    assert given["forecast"] == "40 units in all, about 40 days, MORE than the longest runtime of 14"
