"""Serves the workspace around the current directory over stdio."""

from pathlib import Path

from experiment_tracker_server.app import build
from experiment_tracker_tools.conduct.live_pass import catch_up
from experiment_tracker_tools.workspace import Workspace


def serve() -> None:
    """Answer MCP requests on standard input and output until it closes."""
    workspace = Workspace(Path.cwd(), door="mcp")
    catch_up(workspace)
    build(workspace).run("stdio")
