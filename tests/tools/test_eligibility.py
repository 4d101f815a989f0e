"""A plan that takes part of the units: by every door others get control, are counted by reason, and not analysed."""

import json
from typing import Any

import pytest
from scipy.stats import chisquare
from tests.support.agent import Agent, agent
from tests.support.live import COMMAND
from tests.support.plans import designed, plan, shipped, started, times
from tests.support.project import Project
from tests.support.runs import comparing, ran

from experiment_tracker_tools.assign import assign_unit
from experiment_tracker_tools.conduct.templating import save_template
from experiment_tracker_tools.core.errors import Conflict, IllegalStep
from experiment_tracker_tools.domain.eligibility import Eligibility
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.workspace.sealed import seal_fault

GERMAN: dict[str, Any] = {"attributes": {"country": ["DE", "AT"], "age": {"at_least": 18}}}


def taking(agent: Agent, eligibility: dict[str, Any], **more: Any) -> str:
    return started(agent, subject={"flag": "cart"}, plan={"method": "fixed", "eligibility": eligibility, **more})


def line(agent: Agent, experiment: str) -> dict[str, Any]:
    (found,) = agent.call("status", experiment=experiment)["active"]
    return dict(found)


def assign(agent: Agent, experiment: str, unit: str, **attributes: Any) -> dict[str, Any]:
    return agent.call("assign_unit", experiment=experiment, unit=unit, attributes=attributes)


def test_it_is_echoed_by_design_and_told_by_status(at_repo: Agent) -> None:
    told = at_repo.call("design_experiment", **plan(plan={"eligibility": {"branch": "main", **GERMAN}}))
    assert told["settings"]["eligibility"].startswith('{"branch":["main"],"attributes":{"country":{"any_of":["DE"')
    assert any(each.startswith("Takes only branch main; country DE, AT; age at least 18:") for each in told["advice"])
    assert line(at_repo, told["experiment"])["takes"] == "branch main; country DE, AT; age at least 18"
    assert "takes" not in line(at_repo, designed(at_repo))


def test_a_unit_is_taken_by_its_attributes(at_repo: Agent) -> None:
    experiment = taking(at_repo, GERMAN)
    assert assign(at_repo, experiment, "u1", country="DE", age=18)["exposure"]
    for unit, told in (("u2", {"country": "FR", "age": 18}), ("u3", {"country": "DE"}), ("u4", {})):
        reply = assign(at_repo, experiment, unit, **told)
        assert (reply["variant"], reply["exposure"], reply["propensity"]) == ("control", False, 1.0)
    assert "because nobody told its age" in assign(at_repo, experiment, "u3", country="DE")["reason"]
    assert line(at_repo, experiment)["outside"] == {
        "attribute country": 1,
        "attribute age unknown": 1,
        "attribute country unknown": 1,
    }


def test_a_unit_that_has_its_variant_keeps_it_and_one_that_was_left_may_come_in(at_repo: Agent) -> None:
    experiment = taking(at_repo, {"attributes": {"country": "DE"}})
    first = assign(at_repo, experiment, "u1", country="DE")
    assert assign(at_repo, experiment, "u1", country="FR") == first
    assert not assign(at_repo, experiment, "u2", country="FR")["exposure"]
    assert assign(at_repo, experiment, "u2", country="DE")["exposure"]
    assert "outside" not in line(at_repo, experiment)


def test_what_is_only_asked_for_is_not_stored(repo: Project, at_repo: Agent) -> None:
    allowed = {"privacy": {"attributes": ["plan"]}}
    experiment = taking(at_repo, {"attributes": {"country": "DE"}}, **allowed)
    assign(at_repo, experiment, "u1", country="DE", plan="pro")
    sent = {
        "variant": "control",
        "metrics": {"time": 1.0},
        "unit": "u2",
        "attributes": {"country": "DE", "plan": "pro"},
    }
    at_repo.call("record_trial", experiment=experiment, trials=[sent])
    journal = repo.workspace().ledger.journal(experiment)
    kept = [e.content.attributes for e in journal.trials] + [e.content.attributes for e in journal.exposures]
    assert kept == [{"plan": "pro"}, {"plan": "pro"}]
    refused = at_repo.refusal("assign_unit", experiment=experiment, unit="u3", attributes={"city": "Bonn"})
    assert "'city' is not on the plan's allow-list" in refused


def test_branch_and_repository_are_those_of_the_work_tree(repo: Project, at_repo: Agent) -> None:
    experiment = taking(at_repo, {"branch": "ma*", "repository": repo.root.name})
    assert assign(at_repo, experiment, "u1")["exposure"]
    repo.git("switch", "-q", "-c", "other")
    assert not assign(at_repo, experiment, "u2")["exposure"]
    repo.git("switch", "-q", "--detach")
    assert not assign(at_repo, experiment, "u3")["exposure"]
    assert line(at_repo, experiment)["outside"] == {"branch": 2}
    assert assign(at_repo, experiment, "u4", branch="main")["exposure"]


def test_without_git_the_branch_is_unknown(at_plain: Agent) -> None:
    experiment = started(at_plain, plan={"method": "fixed", "eligibility": {"branch": "*"}})
    assert "because nobody told its branch" in assign(at_plain, experiment, "u1")["reason"]


@pytest.mark.parametrize("name", ["model", "arguments"])
def test_what_no_caller_told_is_unknown_and_what_it_told_is_judged(at_repo: Agent, name: str) -> None:
    experiment = taking(at_repo, {name: "new-*"})
    assert not assign(at_repo, experiment, "u1")["exposure"]
    assert not assign(at_repo, experiment, "u2", **{name: "old-1"})["exposure"]
    assert assign(at_repo, experiment, "u3", **{name: "new-1"})["exposure"]
    assert line(at_repo, experiment)["outside"] == {f"{name} unknown": 1, name: 1}


def test_trials_of_who_is_outside_are_counted_and_do_not_reach_the_analysis(at_repo: Agent) -> None:
    """Half of the trials are not eligible and have another mean; the analysis sees those of the other half alone."""
    experiment = taking(at_repo, {"attributes": {"country": "DE"}})
    alone = started(at_repo)
    inside = times(20)
    at_repo.call("record_trial", experiment=alone, trials=inside)
    outside = [
        {**each, "unit": f"x{each['unit']}", "key": f"x{each['key']}", "metrics": {"time": 50.0}} for each in inside
    ]
    sent = [
        *({**each, "attributes": {"country": "DE"}} for each in inside),
        *({**each, "attributes": {"country": "FR"}} for each in outside[:20]),
        *outside[20:],
    ]
    told = at_repo.call("record_trial", experiment=experiment, trials=sent)
    assert told["recorded"] == {"trials": 40}
    assert told["outside"] == {"attribute country": 20, "attribute country unknown": 20}
    assert told["next_action"].startswith("40 are outside of the plan: counted and not analysed.")
    found, expected = (at_repo.call("analyze", experiment=each) for each in (experiment, alone))
    assert (found["results"], found["units"]) == (expected["results"], expected["units"])
    assert found["outside"] == told["outside"]


def test_the_shares_are_checked_of_whom_the_plan_takes(repo: Project, at_repo: Agent) -> None:
    """All of those outside get control: counted among the assigned, 40 of them beside 40 would be a mismatch."""
    experiment = taking(at_repo, {"attributes": {"country": "DE"}})
    for n in range(40):
        assign(at_repo, experiment, f"in-{n}", country="DE")
        assign(at_repo, experiment, f"out-{n}", country="FR")
    exposures = repo.workspace().ledger.journal(experiment).exposures
    assert len(exposures) == 40
    trials = [
        {"variant": entry.content.variant, "unit": entry.content.unit, "metrics": {"time": 1.0 + n}}
        for n, entry in enumerate(exposures)
    ]
    at_repo.call("record_trial", experiment=experiment, trials=trials)
    told = at_repo.call("analyze", experiment=experiment)
    assert told["srm_p"] > 0.001
    assert chisquare([20 + 40, 20]).pvalue < 0.001


def test_an_aggregate_does_not_tell_whom_it_counts(at_repo: Agent) -> None:
    experiment = taking(at_repo, GERMAN)
    sums = {"variant": "control", "period": "d1", "n": 2, "sum": 2.0, "sum_of_squares": 2.0}
    told = at_repo.refusal("record_trial", experiment=experiment, aggregates=[sums])
    assert "takes part of the units (country DE, AT; age at least 18)" in told


def test_it_cannot_change_after_the_start_and_verify_would_see_it(repo: Project, at_repo: Agent) -> None:
    experiment = taking(at_repo, {"branch": "main"})
    workspace = repo.workspace()

    def widened(found: Experiment) -> Experiment:
        everyone = found.plan.model_copy(update={"eligibility": Eligibility()})
        return found.model_copy(update={"plan": everyone})

    with pytest.raises(Conflict, match=r"plan of exp-.* is sealed"):
        workspace.ledger.change(experiment, widened)
    found = workspace.ledger.experiment(experiment)
    assert seal_fault(workspace, found) is None
    assert "plan.eligibility.branch" in str(seal_fault(workspace, widened(found)))
    narrower = Eligibility.model_validate({"branch": "main", "attributes": {"country": "DE"}})
    added = found.model_copy(update={"plan": found.plan.model_copy(update={"eligibility": narrower})})
    assert "plan.eligibility.attributes" in str(seal_fault(workspace, added))


@pytest.mark.parametrize(("branch", "passed"), [("main", "passed"), ("release/*", "warned")])
def test_start_warns_where_nobody_here_would_be_taken_now(at_repo: Agent, branch: str, passed: str) -> None:
    experiment = designed(at_repo, plan={"eligibility": {"branch": branch}})
    told = at_repo.call("transition_experiment", experiment=experiment, action="start")
    assert told["ready"]["eligible"] == passed
    assert ("As it is now, everybody here is outside" in told.get("warning", "")) is (passed != "passed")


def test_start_is_refused_where_nobody_ever_is(at_repo: Agent) -> None:
    experiment = designed(at_repo, plan={"eligibility": {"repository": "acme/*"}})
    told = at_repo.refusal("transition_experiment", experiment=experiment, action="start")
    assert "Everybody here is outside of the plan, by its repository (repository acme/*)" in told
    at_repo.call("transition_experiment", experiment=experiment, action="start", reason="moved there tomorrow")


def test_a_plan_for_everybody_has_nothing_to_check(at_repo: Agent) -> None:
    told = at_repo.call("transition_experiment", experiment=designed(at_repo), action="start")
    assert "eligible" not in told["ready"]
    assert "warning" not in told


def test_trials_are_run_only_where_the_plan_takes_them(repo: Project) -> None:
    experiment = comparing(repo, "true\n", "true\n", plan={"method": "fixed", "eligibility": {"branch": "main"}})
    repo.git("switch", "-q", "-c", "elsewhere")
    with pytest.raises(IllegalStep, match=r"by its branch \(branch main\)\. Nothing was run"):
        ran(repo, experiment)
    repo.git("switch", "-q", "main")
    assert ran(repo, experiment).ended_why == "the planned size is reached"


@pytest.mark.parametrize(("tasks", "told"), [((), "nobody told its arguments"), (("fix a", "add b"), "task 'add b'")])
def test_the_argument_of_a_command_is_its_task(repo: Project, tasks: tuple[str, ...], told: str) -> None:
    experiment = comparing(repo, "true\n", "true\n", plan={"method": "fixed", "eligibility": {"arguments": "fix *"}})
    command = ("sh", "work.sh", *(["{task}"] if tasks else []))
    with pytest.raises(IllegalStep, match=told):
        ran(repo, experiment, command, tasks=tasks)
    assert (
        ran(repo, experiment, ("sh", "work.sh", "{task}"), tasks=("fix a",)).ended_why == "the planned size is reached"
    )


def test_the_report_says_of_whom_the_result_holds(repo: Project, at_repo: Agent) -> None:
    experiment = taking(at_repo, GERMAN)
    assign(at_repo, experiment, "u1", country="FR")
    at_repo.call("transition_experiment", experiment=experiment, action="stop")
    document = (repo.root / ".experiments" / experiment / "experiment.md").read_text("utf-8")
    for words in (
        "Takes only: country DE, AT; age at least 18",
        "What was found holds for whom the plan takes",
        "Outside, with control and not analysed: attribute country 1",
    ):
        assert words in document


@pytest.mark.parametrize("rules", [{}, {"branch": "ma*"}])
def test_a_person_is_told_that_a_winner_goes_to_more_than_it_was_shown_for(at_repo: Agent, rules: Any) -> None:
    experiment = shipped(at_repo, plan={"method": "fixed", "eligibility": rules})
    at_repo.call("promote", experiment=experiment)
    told = "; it was shown for branch ma* only, and everybody gets it. Continue?"
    assert at_repo.asked[-1].endswith(told) is bool(rules)


def test_a_long_plan_is_told_shortly_at_every_place(at_repo: Agent) -> None:
    patterns = ["main", *(f"{n}{'x' * 195}" for n in range(10, 29))]
    rules = {"branch": patterns, "attributes": {f"a{n}{'y' * 50}": patterns for n in range(20)}}
    experiment = taking(at_repo, rules)
    told = [
        assign(at_repo, experiment, "u1"),
        at_repo.call("analyze", experiment=experiment),
        line(at_repo, experiment),
    ]
    assert max(len(json.dumps(each)) for each in told) < 1500
    assert len(line(at_repo, experiment)["takes"]) == 200


def test_a_branch_that_can_no_longer_be_read_is_unknown(repo: Project, at_repo: Agent) -> None:
    experiment = taking(at_repo, {"branch": "main"})
    workspace = repo.workspace()
    assert workspace.worktree is not None
    (repo.root / ".git").rename(repo.root.parent / "gone")
    assert "nobody told its branch" in str(assign_unit(workspace, experiment=experiment, unit="u1").reason)


def test_a_finished_plan_is_a_template_with_whom_it_takes(repo: Project, at_repo: Agent) -> None:
    experiment = taking(at_repo, {"branch": ["main", "r/*"], **GERMAN})
    at_repo.call("transition_experiment", experiment=experiment, action="stop")
    at_repo.call("decide", experiment=experiment)
    save_template(repo.workspace(), experiment, "german")
    again = designed(at_repo, plan={"template": "german"})
    ledger = repo.workspace().ledger
    assert ledger.experiment(again).plan.eligibility == ledger.experiment(experiment).plan.eligibility


def test_a_store_from_before_opens_and_takes_everybody(repo: Project, at_repo: Agent) -> None:
    experiment = started(at_repo)
    found = repo.workspace().ledger.experiment(experiment)
    older = found.model_dump(mode="json")
    del older["plan"]["eligibility"]
    again = Experiment.model_validate(older)
    assert again == found
    assert again.plan.eligibility.everyone


def test_attributes_of_a_live_run_would_take_nobody(repo: Project) -> None:
    options = {"live": {}, "eligibility": GERMAN}
    with agent(repo.workspace()) as connected:
        told = connected.refusal("design_experiment", **plan(subject={"files": [COMMAND]}, plan=options))
    assert "a live run has no attributes" in told
