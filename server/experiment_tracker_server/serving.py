"""Serves the workspace around the current directory over stdio."""

import gc
import os
import re
from pathlib import Path

from experiment_tracker_server.app import build
from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.workspace import Workspace

_SESSION = re.compile(r"[A-Za-z0-9-]{1,40}\Z")


def serve() -> None:
    """Answer MCP requests on standard input and output until it closes."""
    workspace = Workspace(Path.cwd(), door=door())
    catch_up(workspace)
    server = build(workspace)
    gc.freeze()
    gc.enable()
    server.run("stdio")


def door() -> str:
    """Who writes: the door, and the session of the client that started us, where it says."""
    session = os.environ.get("CLAUDE_CODE_SESSION_ID", "")
    return f"mcp {session}" if _SESSION.match(session) else "mcp"
