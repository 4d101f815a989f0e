"""write_report over MCP: the reply, and the first figure as a picture that the agent can see."""

from base64 import b64encode

from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ImageContent

from experiment_tracker_server.binding import asking, replied, told_to_the_model
from experiment_tracker_tools import report as report_file
from experiment_tracker_tools.conduct.figures import figures_of
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.base import ExperimentId
from experiment_tracker_tools.report import Form
from experiment_tracker_tools.reports.png import png
from experiment_tracker_tools.workspace import Workspace


def report_tool(workspace: Workspace) -> Tool:
    """The write_report tool of a workspace."""

    def write_report(experiment: ExperimentId, form: Form = "markdown") -> CallToolResult:
        """Write an experiment's document: markdown to commit, or one HTML file with plots. Takes no look."""
        with told_to_the_model(workspace):
            reply = report_file.write_report(workspace, experiment=experiment, form=form)
            picture, missing = _picture(workspace, experiment)
            answer = replied(reply.model_copy(update={"pictures": missing}))
        return answer if picture is None else answer.model_copy(update={"content": [*answer.content, picture]})

    return asking(write_report)


def _picture(workspace: Workspace, experiment: str) -> tuple[ImageContent | None, str | None]:
    """The figure that says most, or why there is none."""
    figures = figures_of(workspace, experiment)
    if not figures:
        return None, None
    try:
        drawn = png(figures[0])
    except InvalidInput as missing:
        return None, str(missing)
    return ImageContent(type="image", mime_type="image/png", data=b64encode(drawn).decode()), None
