"""One user's project, wired."""

from experiment_tracker_tools.workspace.workspace import Workspace

__all__ = ["Workspace"]
