"""What happens after a run began: served texts are taken away, and the end of a turn or session is noted."""

import os
import time

from experiment_tracker_server.hooks import sessions, spool
from experiment_tracker_server.hooks.events import Around
from experiment_tracker_server.hooks.serving import consume
from experiment_tracker_server.hooks.watch import start_watch

_ENDS = ("Stop", "StopFailure", "SubagentStop", "SessionEnd")


def after(around: Around, name: str) -> None:
    """Answer an event that follows an expansion or a tool."""
    if name != "SubagentStop":
        consume(around)
    if name in _ENDS and os.path.exists(spool.path_of(around.store, around.session)):
        turn = {"session": around.session, "prompt": around.prompt, "what": name, "at": time.time()}
        spool.append(around.store, around.session, {"turn": turn})
    if name == "SessionEnd":
        sessions.end(around)
    elif name == "Stop":
        start_watch(around)
