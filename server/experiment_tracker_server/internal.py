"""A tool that no model is told of: the client's hook after Write and Edit calls it in the server that is warm anyway.

It changes nothing but its own index in the plugin's data folder, and refuses paths outside the project.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.tools import Tool

from experiment_tracker_tools.assignment.clients import client, is_gone
from experiment_tracker_tools.workspace import Workspace

EDITED = "_edited"


async def hide_internal(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Leave internal tools out of tools/list; hooks reach them by name."""
    reply = await call_next(ctx)
    if ctx.method == "tools/list" and isinstance(reply, dict):
        reply["tools"] = [tool for tool in reply["tools"] if not tool["name"].startswith("_")]
    return reply


def edited_tool(workspace: Workspace) -> Tool:
    """The tool behind the hook."""

    def edited(file_path: str = "", before: str = "", session: str = "") -> str:
        """For the plugin's hook: what an edit does to flags."""
        from experiment_tracker_server.hooks.edits import told_of

        data = os.environ.get("CLAUDE_PLUGIN_DATA", "")
        text = None
        with suppress(OSError, ValueError):
            _answers(data)
            text = told_of(file_path, before, start=str(workspace.directory), session=session, data=data)
        told = {"hookEventName": "PostToolUse", "additionalContext": text}
        return json.dumps({} if text is None else {"hookSpecificOutput": told})

    return Tool.from_function(edited, name=EDITED, structured_output=False)


def _answers(data: str) -> None:
    """Tell the other hook that it need not answer for this client: the process that started us both."""
    if data:
        folder = Path(data) / "answering"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark = folder / client()
        if not mark.exists():
            for gone in [each for each in folder.iterdir() if is_gone(each.name)]:
                gone.unlink(missing_ok=True)
            mark.touch(mode=0o600)
