"""The plugin's texts name only what is there: tools by both names, hooks that exist, one text for the command."""

import json
import re
from pathlib import Path

from experiment_tracker_server.catalog import FILES
from experiment_tracker_server.internal import EDITED

ROOT = Path(__file__).parents[2]
BY_NAME = {
    f"{prefix}{name}"
    for name in FILES
    for prefix in ("mcp__plugin_experiment-tracker_tracker__", "mcp__experiment-tracker__")
}


def test_the_agents_tools_are_ours_by_both_names() -> None:
    head = (ROOT / "agents" / "experiment-tracker.md").read_text("utf-8").split("---")[1]
    tools = next(line for line in head.splitlines() if line.startswith("tools:")).removeprefix("tools: ").split(", ")
    assert set(tools) - BY_NAME == {"Read", "Grep", "Glob"}


def test_texts_call_only_tools_that_exist() -> None:
    words = set(FILES)
    for path in (ROOT / "agents" / "experiment-tracker.md", ROOT / "skills" / "meta_experiment" / "SKILL.md"):
        named = set(re.findall(r"`([a-z]+_[a-z_]+)`", path.read_text("utf-8")))
        assert named <= words, named - words


def test_the_command_and_the_skill_are_one_text() -> None:
    command, skill = ROOT / "commands" / "meta_experiment.md", ROOT / "skills" / "meta_experiment" / "SKILL.md"
    assert command.read_text("utf-8") == skill.read_text("utf-8")


def test_every_hook_starts_a_file_that_is_there_or_our_internal_tool() -> None:
    events = json.loads((ROOT / "hooks" / "hooks.json").read_text("utf-8"))["hooks"]
    hooks = [hook for groups in events.values() for group in groups for hook in group["hooks"]]
    programs = [
        hook["args"][1].replace("${CLAUDE_PLUGIN_ROOT}", str(ROOT)) for hook in hooks if hook["type"] == "command"
    ]
    assert all(Path(program).is_file() for program in programs)
    assert all(hook["args"][0] == "-IS" for hook in hooks if hook["type"] == "command")
    assert [hook["tool"] for hook in hooks if hook["type"] == "mcp_tool"] == [EDITED]
