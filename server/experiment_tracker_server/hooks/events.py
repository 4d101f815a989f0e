"""Which event does what."""

import os
import sys

from experiment_tracker_server.hooks.place import LIVE
from experiment_tracker_tools.assignment.jsons import dumps, loads

# Hooks start with every event: typing alone would double their time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST = 100


class Around:
    """Where an event happened.

    Attributes:
        event: what the client told.
        start: folder in which the client was started; store: the project's `.experiments`; live: its live folder.
        session, prompt, call: the client's ids; empty where it told none.
    """

    def __init__(self, event: "dict[str, Any]", start: str, store: str) -> None:
        self.event = event
        self.start = start
        self.store = store
        self.live = os.path.join(store, LIVE)
        self.session = _checked(event["session_id"])
        self.prompt = _checked(event.get("prompt_id") or "")
        self.call = _checked(event.get("tool_use_id") or "")


def answer(given: bytes, start: str, store: str) -> None:
    """Do what an event asks for, and print what the client shall take over."""
    event = loads(given.decode("utf-8", "surrogatepass"))
    name = event["hook_event_name"]
    around = Around(event, start, store)
    reply = None
    if name == "UserPromptExpansion":
        from experiment_tracker_server.hooks.serving import serve

        serve(around, str(event["command_name"]), str(event.get("command_args") or ""))
    elif name == "PreToolUse":
        reply = _before_tool(around)
    elif name == "SessionStart":
        from experiment_tracker_server.hooks.sessions import begin

        reply = begin(around)
    else:
        from experiment_tracker_server.hooks.turns import after

        after(around, name)
    if reply is not None:
        sys.stdout.write(dumps(reply))


def _before_tool(around: Around) -> "dict[str, Any] | None":
    given: dict[str, Any] = around.event.get("tool_input") or {}
    tool = around.event["tool_name"]
    if tool == "Skill":
        from experiment_tracker_server.hooks.serving import serve

        serve(around, str(given["skill"]), str(given.get("args") or ""))
    elif tool in ("Agent", "Task"):
        from experiment_tracker_server.hooks.serving import redirect

        return redirect(around, given)
    return None


def _checked(name: str) -> str:
    """An id that becomes part of a file's name."""
    if len(name) > _LONGEST or not name.isascii() or (name and not name.replace("-", "").replace("_", "").isalnum()):
        raise ValueError("unusable id")
    return name
