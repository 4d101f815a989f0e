"""The further options of a plan, through the one argument that carries them."""

import json

import pytest
from tests.support.agent import Agent
from tests.support.plans import plan
from tests.support.project import Project

from experiment_tracker_tools.domain.options import PlanOptions


def test_an_option_of_the_call_is_stored_and_told_with_its_source(repo: Project, at_repo: Agent) -> None:
    given = {"traffic_allocation": 0.2, "automatic_rollback": False, "min_sample_size": 30}
    told = at_repo.call("design_experiment", **plan(plan=given))
    assert told["variants"] == {"control": 0.8, "treatment": 0.2}
    assert told["settings"]["traffic_allocation"] == "0.2 (call)"
    assert told["settings"]["automatic_rollback"] == "False (call)"
    assert any("below the minimum of 30 (call)" in advice for advice in told["advice"])
    assert repo.workspace().ledger.experiment(told["experiment"]).plan.automatic_rollback is False


def test_an_option_that_is_left_out_comes_from_where_it_is_said_first(repo: Project, at_repo: Agent) -> None:
    (repo.root / ".experiments").mkdir()
    (repo.root / ".experiments" / "config.toml").write_text("automatic_rollback = false\nmin_sample_size = 12\n")
    told = at_repo.call("design_experiment", **plan(plan={"automatic_rollback": None}, preset="meta"))["settings"]
    assert told["automatic_rollback"] == "False (config.toml)"
    assert told["min_sample_size"] == "10 (preset meta)"
    assert told["method"] == "sequential (default)"


def test_an_unknown_option_is_refused_with_the_known_ones_and_what_was_meant(at_plain: Agent) -> None:
    told = at_plain.refusal("design_experiment", **plan(plan={"min_sampel_size": 3}))
    known = ", ".join(PlanOptions.model_fields)
    assert told.startswith(f"plan: 'min_sampel_size' is unknown. Did you mean min_sample_size? Known fields: {known}.")
    assert "Did you mean" not in at_plain.refusal("design_experiment", **plan(plan={"zzz\x1b": 3}))


@pytest.mark.parametrize("wrong", [{"min_sample_size": 1}, {"traffic_allocation": "much"}, {"automatic_rollback": 1}])
def test_a_wrong_value_is_told_with_its_place(at_plain: Agent, wrong: dict[str, object]) -> None:
    name, value = next(iter(wrong.items()))
    told = at_plain.refusal("design_experiment", **plan(plan=wrong))
    assert told.startswith(f"plan.{name} = ")
    assert str(value) in told


@pytest.mark.parametrize("wrong", ["text", [], 3])
def test_what_is_no_object_is_refused(at_plain: Agent, wrong: object) -> None:
    assert at_plain.refusal("design_experiment", **plan(plan=wrong)).startswith("plan")


def test_the_list_of_tools_does_not_spell_the_options_out(at_plain: Agent) -> None:
    tools = at_plain.portal.call(at_plain.client.list_tools).tools
    schema = next(tool.input_schema for tool in tools if tool.name == "design_experiment")
    assert set(schema["properties"]["plan"]) == {"type", "description"}
    assert "experiment://reference/plan" in schema["properties"]["plan"]["description"]
    assert "min_sample_size" not in json.dumps(schema)
