"""Whether a live experiment takes a run, by repository, branch, model and arguments, as far as a hook can know them."""

import os

from experiment_tracker_server.hooks.events import Around
from experiment_tracker_server.hooks.place import git_folder_of, shared_of, top_of
from experiment_tracker_server.hooks.sessions import noted_of
from experiment_tracker_tools.assignment.checkouts import branch_in, repository_of
from experiment_tracker_tools.assignment.eligible import why_not
from experiment_tracker_tools.assignment.jsons import loads
from experiment_tracker_tools.assignment.live import Live

_TAIL = 256 * 1024
_OWN_WORDS = "<synthetic>"


def why_outside(around: Around, live: Live, arguments: str) -> str:
    """What keeps a run outside of the plan; empty where it takes part."""
    seen: dict[str, tuple[str, ...]] = {"arguments": (arguments,)}
    folder = git_folder_of(top_of(os.path.realpath(around.start)) or around.start)
    if folder is not None and "branch" in live.eligible:
        branch = branch_in(folder)
        seen["branch"] = () if branch is None else (branch,)
    if folder is not None and "repository" in live.eligible:
        seen["repository"] = repository_of(shared_of(folder))
    if "model" in live.eligible and (model := _model(around)):
        # The client names a session's model with how much it holds, such as [1m], and an answer's without.
        seen["model"] = (model, model.partition("[")[0])
    return why_not(live.eligible, seen)


def _model(around: Around) -> str:
    """The model that answered last in this session, else the one that it was started with; empty where nobody told."""
    return _answered_last(str(around.event.get("transcript_path") or "")) or str(noted_of(around).get("model") or "")


def _answered_last(transcript: str) -> str:
    try:
        with open(transcript, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            lines = file.read().splitlines()
    except OSError:
        return ""
    for line in reversed(lines):
        if b'"assistant"' not in line or b'"model"' not in line:
            continue
        try:
            said = loads(line.decode("utf-8", "replace"))
            model = said["message"]["model"]
        except (ValueError, KeyError, TypeError):
            # The first line may be cut in the middle, and the form is the client's own.
            continue
        if isinstance(model, str) and model not in ("", _OWN_WORDS) and not said.get("isSidechain"):
            return model
    return ""
