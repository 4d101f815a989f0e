"""The door of every command hook: `python3 -IS run.py`; it never raises, never blocks, and is silent unless asked.

Without a live experiment it leaves before anything but `os` is imported, and the event is not even read.
"""

import os
import sys


def main() -> None:
    """Answer one event; every failure leaves the client as if there were no hook."""
    server = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path[:0] = [server, os.path.join(os.path.dirname(server), "tools")]
    from experiment_tracker_server.hooks import place

    start = os.environ.get("CLAUDE_PROJECT_DIR") or os.getcwd()
    store = place.store_of(start)
    if not os.path.isdir(os.path.join(store, place.LIVE)):
        return
    from experiment_tracker_server.hooks import events

    events.answer(sys.stdin.buffer.read(), start, store)


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        # The client shows a hook's standard error only in its debug log.
        sys.stderr.write("experiment-tracker hook: " + repr(error)[:300] + "\n")
    sys.exit(0)
