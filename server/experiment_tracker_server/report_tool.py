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
            shown = _shown(done.figures, figure)
            picture, missing = _picture(shown) if shown is not None else (None, None)
            told = {"alt": shown.alt if shown is not None else None, "pictures": missing}
            answer = replied(done.reply.model_copy(update=told))
        return answer if picture is None else answer.model_copy(update={"content": [*answer.content, picture]})

    return asking(write_report)


def _shown(figures: Sequence[Figure], wanted: str | None) -> Figure | None:
    """The figure that is wanted, else the one that says most.

    Raises:
        NotFound: with the names that there are.
    """
    found = next((each for each in figures if wanted in {None, each.name}), None)
    if found is None and wanted is not None:
        known = ", ".join(each.name for each in figures) or "none, because no look was recorded"
        raise NotFound(f"No figure {quoted(wanted)}. There are: {known}.")
    return found


def _picture(figure: Figure) -> tuple[ImageContent | None, str | None]:
    """The figure as a picture, or why there is none."""
    try:
        drawn = png(figure)
    except InvalidInput as missing:
        return None, str(missing)
    return ImageContent(type="image", mime_type="image/png", data=b64encode(drawn).decode()), None
