"""write_report over MCP: the reply, and a figure as a picture that the agent can see."""

from base64 import b64encode
from collections.abc import Sequence

from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult, ImageContent

from experiment_tracker_server.binding import asking, replied, told_to_the_model
from experiment_tracker_tools import report as report_file
from experiment_tracker_tools.conduct.cadence import Cadence
from experiment_tracker_tools.core.errors import InvalidInput, NotFound
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import ExperimentId
from experiment_tracker_tools.report import Form
from experiment_tracker_tools.reports.figure import Figure
from experiment_tracker_tools.reports.png import png
from experiment_tracker_tools.workspace import Workspace


def report_tool(workspace: Workspace) -> Tool:
    """The write_report tool of a workspace."""

    def write_report(
        experiment: ExperimentId | None = None,
        cadence: Cadence | None = None,
        form: Form = "markdown",
        figure: str | None = None,
    ) -> CallToolResult:
        """Write one experiment's document (markdown to commit, HTML with plots), or by cadence a report of all.

        daily: health; weekly: summary; biweekly: review; monthly: impact. slack: blocks, never sent. figure: which plot
        to show, by its name in the reply, else the first. Takes no look.
        """
        with told_to_the_model(workspace):
            done = report_file.written(workspace, experiment=experiment, cadence=cadence, form=form)
            picture, missing = _picture(done.figures, figure)
            answer = replied(done.reply.model_copy(update={"pictures": missing}))
        return answer if picture is None else answer.model_copy(update={"content": [*answer.content, picture]})

    return asking(write_report)


def _picture(figures: Sequence[Figure], wanted: str | None) -> tuple[ImageContent | None, str | None]:
    """The figure that is wanted, else the one that says most; or why there is none.

    Raises:
        NotFound: with the names that there are.
    """
    if wanted is not None and wanted not in [each.name for each in figures]:
        known = ", ".join(each.name for each in figures) or "none, because no look was recorded"
        raise NotFound(f"No figure {quoted(wanted)}. There are: {known}.")
    if not figures:
        return None, None
    try:
        drawn = png(next(each for each in figures if wanted in {None, each.name}))
    except InvalidInput as missing:
        return None, str(missing)
    return ImageContent(type="image", mime_type="image/png", data=b64encode(drawn).decode()), None
