"""The watch: one pass over the experiments, detached, so that no session waits for it."""

import os
import time

from experiment_tracker_server.hooks.events import Around

_EVERY_S = 4 * 3600.0


def start_watch(around: Around) -> None:
    """Start one pass, at most every few hours; the plugin's launcher keeps `current` pointing at its environment."""
    program = os.path.join(os.environ.get("CLAUDE_PLUGIN_DATA") or "", "current", "bin", "experiment-tracker")
    mark = os.path.join(around.live, "watched")
    try:
        last = os.stat(mark).st_mtime
    except FileNotFoundError:
        last = 0.0
    if time.time() - last < _EVERY_S or not os.path.exists(program):
        return
    with open(mark, "w", encoding="utf-8"):
        pass
    nowhere = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    os.chdir(around.start)
    os.posix_spawn(program, [program, "tend"], dict(os.environ), file_actions=nowhere, setsid=True)
