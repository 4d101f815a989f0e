"""One user's project, wired."""

from experiment_tracker_tools.workspace.settings import Preset, Resolved, Settings, resolved
from experiment_tracker_tools.workspace.switch import switch
from experiment_tracker_tools.workspace.workspace import Workspace

__all__ = ["Preset", "Resolved", "Settings", "Workspace", "resolved", "switch"]
