"""docs/tools.md and docs/plan.md say what the schemas say."""

from pathlib import Path

import pytest
from tests.support.agent import Agent

from experiment_tracker_server.plan_reference import plan_reference, told
from experiment_tracker_server.reference import reference
from experiment_tracker_tools.domain.options import PlanOptions

DOCS = Path(__file__).parents[2] / "docs"


def test_the_tools_document_is_the_one_that_make_docs_writes() -> None:
    assert (DOCS / "tools.md").read_text("utf-8") == reference(), "docs/tools.md is out of date: make docs"


def test_the_plan_document_is_the_one_that_make_docs_writes() -> None:
    assert (DOCS / "plan.md").read_text("utf-8") == plan_reference(), "docs/plan.md is out of date: make docs"


def test_an_agent_reads_the_options_of_a_plan_as_a_resource(at_plain: Agent) -> None:
    assert at_plain.resource("experiment://reference/plan") == plan_reference()


@pytest.mark.parametrize("option", PlanOptions.model_fields)
def test_every_option_of_a_plan_is_explained(option: str) -> None:
    assert told(PlanOptions)[option]
    assert f"| {option} | " in plan_reference()
