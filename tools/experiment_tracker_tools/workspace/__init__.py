"""One user's project, wired."""

from experiment_tracker_tools.workspace.settings import OURS, Preset, Resolved, Settings, resolved
from experiment_tracker_tools.workspace.switch import switch
from experiment_tracker_tools.workspace.workspace import Workspace

__all__ = ["OURS", "Preset", "Resolved", "Settings", "Workspace", "resolved", "switch"]
