"""What clients are told about the tools: names, order, hints, schemas, size.

A schema that changes on purpose is written anew by: SNAPSHOTS=write python -m pytest tests/server/test_catalog.py
"""

import json
import os

import pytest
from mcp.server.mcpserver import MCPServer
from mcp_types import ListToolsResult, Tool
from tests.support.agent import Agent, Mode, agent
from tests.support.project import Project

from experiment_tracker_server.announced import answering
from experiment_tracker_server.app import INSTRUCTIONS
from experiment_tracker_server.catalog import SCHEMAS

NAMES = [
    "design_experiment",
    "transition_experiment",
    "assign_unit",
    "record_trial",
    "status",
    "analyze",
    "decide",
    "promote",
    "rollback",
]
LATER = [
    "monitor_experiments",
    "run_trials",
    "rate_run",
    "search_experiments",
    "check_claim",
    "scan_flags",
    "write_report",
]
READING = {"status", "search_experiments", "check_claim", "scan_flags"}
ASKING = {"promote", "rollback", "run_trials"}


modes = pytest.mark.parametrize("mode", ["auto", "legacy"])


def on_the_wire(found: ListToolsResult) -> int:
    return len(
        json.dumps(found.model_dump(mode="json", by_alias=True, exclude_none=True), separators=(",", ":")).encode()
    )


def listed(connected: Agent) -> list[Tool]:
    return connected.portal.call(connected.client.list_tools).tools


def on_paper(tool: Tool) -> str:
    """A tool as a file of schemas/ tells it."""
    told = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


@modes
def test_tools_are_listed_in_the_order_of_a_round_and_the_others_after_them(plain: Project, mode: Mode) -> None:
    with agent(plain.workspace(), mode=mode) as connected:
        assert [tool.name for tool in listed(connected)] == NAMES + LATER


@modes
def test_the_first_nine_tools_fit_into_8_kilobytes_and_all_into_14(plain: Project, mode: Mode) -> None:
    with agent(plain.workspace(), mode=mode) as connected:
        found = connected.portal.call(connected.client.list_tools)
        first = found.model_copy(update={"tools": found.tools[: len(NAMES)]})
        assert on_the_wire(first) <= 8192
        assert on_the_wire(found) <= 14 * 1024


def test_no_schema_carries_titles_that_pydantic_made_up(at_plain: Agent) -> None:
    assert all('"title":"' not in json.dumps(tool.input_schema) for tool in listed(at_plain))


def test_every_tool_says_what_it_does_to_the_world(at_plain: Agent) -> None:
    for tool in listed(at_plain):
        hints = tool.annotations
        assert hints is not None
        said = (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
        assert None not in said
        assert hints.read_only_hint is (tool.name in READING)
        assert hints.destructive_hint is (tool.name in {*ASKING, "monitor_experiments"})
        assert hints.open_world_hint is (tool.name in {"run_trials", "monitor_experiments"})
        assert tool.description
        assert tool.title


def test_promote_rollback_and_run_trials_need_a_person_and_nothing_else_does(at_plain: Agent) -> None:
    for tool in listed(at_plain):
        wanted = {"anthropic/requiresUserInteraction": True} if tool.name in ASKING else None
        assert tool.meta == wanted


def test_the_instructions_fit_into_2_kilobytes_and_name_the_round(at_plain: Agent) -> None:
    assert len(INSTRUCTIONS.encode()) < 2048
    assert all(name in INSTRUCTIONS for name in NAMES)
    assert at_plain.client.instructions == INSTRUCTIONS


@pytest.mark.parametrize("name", NAMES + LATER)
def test_a_tools_schema_is_the_one_that_was_agreed(plain: Project, name: str) -> None:
    with agent(MCPServer[None]("verbs", tools=[answering(name, plain.workspace())])) as connected:
        (tool,) = listed(connected)
    shown = on_paper(tool)
    path = SCHEMAS / f"{name}.json"
    if os.environ.get("SNAPSHOTS") == "write":
        path.write_text(shown, "utf-8")
    assert path.read_text("utf-8") == shown, f"{name} changed; if that is meant: SNAPSHOTS=write pytest {__file__}"


def test_clients_are_told_what_was_agreed(at_plain: Agent) -> None:
    for tool in listed(at_plain):
        assert on_paper(tool) == (SCHEMAS / f"{tool.name}.json").read_text("utf-8")


def test_no_schema_is_left_of_a_tool_that_is_gone() -> None:
    assert sorted(path.stem for path in SCHEMAS.glob("*.json")) == sorted(NAMES + LATER)


@pytest.mark.parametrize("name", NAMES + LATER)
def test_arguments_that_a_tool_does_not_know_are_refused(at_plain: Agent, name: str) -> None:
    told = at_plain.refusal(name, surprise=1)
    assert "surprise is unknown; known: " in told
