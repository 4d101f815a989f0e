"""What every door does: runs that have ended become trials, what is over is no longer served, news are laid out."""

import json
import os

from experiment_tracker_tools.assignment.live import FOLDER, SPOOL
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.workspace import Workspace


def catch_up(workspace: Workspace) -> tuple[str, ...]:
    """Bring the store up to what happened in Claude Code; gives what was done, or could not be.

    Costs two questions to the file system where nothing was ever served live, and fails nobody's call.
    """
    # Asked at every call, where Paths cost more than the questions.
    store = str(workspace.folder)
    if not (os.access(f"{store}/{SPOOL}", os.F_OK) or os.access(f"{store}/{FOLDER}", os.F_OK)):
        return ()
    from experiment_tracker_tools.conduct.aftercare import attend, is_attended
    from experiment_tracker_tools.conduct.live.notices import notices
    from experiment_tracker_tools.conduct.live.outcomes import measure_runs
    from experiment_tracker_tools.conduct.live.serving import attached, tend

    done: list[str] = []
    try:
        settled = measure_runs(workspace)
        if settled is not None and settled.recorded:
            done.append(f"{settled.recorded} runs recorded")
        done += settled.lost if settled is not None else ()
        done += tend(workspace)
        attend(workspace)
        if attached(workspace) or is_attended(workspace):
            news = [notice._asdict() for notice in notices(workspace)]
            (workspace.folder / FOLDER / "notices.json").write_text(json.dumps(news), "utf-8")
    except (ExperimentError, OSError, ValueError, KeyError, TypeError) as error:
        done.append(f"not caught up: {error}")
    return tuple(done)
