"""The tools as a client is told of them, read from schemas/; what answers a call is loaded at the first one.

A test compares the files with the verbs, and writes them anew: SNAPSHOTS=write python -m pytest
tests/server/test_catalog.py
"""

from functools import cached_property
from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import ToolAnnotations

from experiment_tracker_server.catalog import told_of, verb_of
from experiment_tracker_tools.workspace import Workspace

_CHECKED_LATER = FuncMetadata(arg_model=ArgModelBase)


class Announced(Tool):
    """A tool that is listed; its `fn` makes the one that answers."""

    @cached_property
    def answering(self) -> Tool:
        """The tool that checks the arguments and answers."""
        tool: Tool = self.fn()
        return tool

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:  # noqa: FBT001, FBT002 the SDK's
        """Let the tool itself answer."""
        return await self.answering.run(arguments, context, convert_result)


def announced(name: str, workspace: Workspace) -> Tool:
    """A tool of the catalogue as its schema file tells it."""
    told = told_of(name)
    return Announced(
        fn=lambda: answering(name, workspace),
        name=name,
        title=told["title"],
        description=told["description"],
        parameters=told["inputSchema"],
        fn_metadata=_CHECKED_LATER,
        is_async=False,
        context_kwarg=None,
        annotations=ToolAnnotations.model_validate(told["annotations"]),
        meta=told.get("_meta"),
    )


def answering(name: str, workspace: Workspace) -> Tool:
    """The tool of a verb: bound as it is, asking a person before it acts, or with a picture in its answer."""
    if name == "promote":
        from experiment_tracker_server.confirm import promote_tool as make
    elif name == "rollback":
        from experiment_tracker_server.confirm import rollback_tool as make
    elif name == "run_trials":
        from experiment_tracker_server.run_tool import run_tool as make
    elif name == "write_report":
        from experiment_tracker_server.report_tool import report_tool as make
    else:
        from experiment_tracker_server.binding import bound

        return bound(verb_of(name), workspace)
    return make(workspace)
