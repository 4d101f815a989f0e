"""The door of the hook after Write and Edit: `python3 -IS edited.py`; silent while our own server answers instead."""

import os
import sys


def main() -> None:
    """Answer one event; every failure leaves the client as if there were no hook."""
    server = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    sys.path[:0] = [server, os.path.join(os.path.dirname(server), "tools")]
    from experiment_tracker_tools.assignment.clients import client

    data = os.environ.get("CLAUDE_PLUGIN_DATA") or ""
    if os.path.exists(os.path.join(data, "answering", client())):
        return
    import json

    event = json.loads(sys.stdin.buffer.read())
    from experiment_tracker_server.hooks.edits import told_of

    start = os.environ.get("CLAUDE_PROJECT_DIR") or os.getcwd()
    response: dict[str, str | None] = event.get("tool_response") or {}
    before = response.get("originalFile") or ""
    text = told_of(event["tool_input"]["file_path"], before, start=start, session=str(event["session_id"]), data=data)
    if text is not None:
        reply = {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": text}}
        sys.stdout.write(json.dumps(reply))


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        sys.stderr.write("experiment-tracker hook: " + repr(error)[:300] + "\n")
    sys.exit(0)
