"""Sessions: which may meet variants, what they are told once, and what is swept after them."""

import os
import time

from experiment_tracker_server.hooks.events import Around
from experiment_tracker_server.hooks.place import SERVE, text_of, top_of
from experiment_tracker_server.hooks.watch import start_watch
from experiment_tracker_tools.assignment.clients import client, is_gone
from experiment_tracker_tools.assignment.digests import sha256
from experiment_tracker_tools.assignment.jsons import dumps, loads
from experiment_tracker_tools.assignment.live import LAST, Live, read

# Hooks start with every event: typing alone would double their time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SESSIONS = "sessions"
_OLD_S = 7 * 86_400.0
_MOST_LINES = 3


def begin(around: Around) -> "dict[str, Any] | None":
    """Note which stubs this session was started with, sweep, and tell what is new."""
    sweep(around)
    source = around.event.get("source") or "startup"
    folder = os.path.join(around.live, _SESSIONS)
    os.makedirs(folder, 0o700, exist_ok=True)
    earlier = [] if source == "startup" else _of_client(folder)
    ready = earlier[0]["ready"] if earlier else _ready(around)
    noted = {"client": client(), "ready": ready, "start": around.start}
    if around.event.get("model"):
        noted["model"] = str(around.event["model"])
    write(os.path.join(folder, around.session), noted)
    start_watch(around)
    return _told(around)


def may_meet(around: Around, live: Live) -> bool:
    """Whether the client has read the experiment's stub when it started, and it still stands."""
    return live.experiment in noted_of(around).get("ready", ()) and _stands(around, live)


def noted_of(around: Around) -> "dict[str, Any]":
    """What was noted when the session started; nothing where it was not."""
    try:
        noted: dict[str, Any] = loads(text_of(os.path.join(around.live, _SESSIONS, around.session)))
    except (OSError, ValueError):
        return {}
    return noted


def end(around: Around) -> None:
    """Leave nothing of the session behind."""
    sweep(around)
    try:
        os.unlink(os.path.join(around.live, _SESSIONS, around.session))
    except FileNotFoundError:
        pass
    root = os.path.join(around.start, ".claude", SERVE)
    remove(os.path.join(root, around.session))
    if os.path.isdir(root) and os.listdir(root) == [".gitignore"]:
        remove(root)
        try:
            os.rmdir(os.path.dirname(root))
        except OSError:
            pass


def sweep(around: Around) -> None:
    """Take away what sessions left behind whose client is gone."""
    folder = os.path.join(around.live, _SESSIONS)
    for name in os.listdir(folder) if os.path.isdir(folder) else ():
        path = os.path.join(folder, name)
        try:
            noted = loads(text_of(path))
        except (OSError, ValueError):
            continue
        if name != around.session and (is_gone(noted["client"]) or os.stat(path).st_mtime < time.time() - _OLD_S):
            remove(os.path.join(noted["start"], ".claude", SERVE, name))
            os.unlink(path)


def remove(folder: str) -> None:
    """Remove a folder of files, as far as that is possible."""
    try:
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        os.rmdir(folder)
    except OSError:
        pass


def _ready(around: Around) -> "list[str]":
    lives = [name for name in os.listdir(around.live) if name.startswith("exp-") and name.endswith(".json")]
    found = [read(text_of(os.path.join(around.live, name))) for name in lives]
    return [live.experiment for live in found if _stands(around, live)]


def _stands(around: Around, live: Live) -> bool:
    """Whether every file that stands in for the asset is in this work tree, as it was written."""
    top = top_of(os.path.realpath(around.start)) or os.path.dirname(os.path.dirname(around.live))
    for path, digest in live.digest.items():
        try:
            with open(os.path.join(top, path), "rb") as file:
                if sha256(file.read()).hex() != digest:
                    return False
        except OSError:
            return False
    return True


def _of_client(folder: str) -> "list[dict[str, Any]]":
    """What other sessions of the same client process noted: it has read its files only once."""
    found: list[dict[str, Any]] = []
    for name in os.listdir(folder):
        try:
            noted = loads(text_of(os.path.join(folder, name)))
        except (OSError, ValueError):
            continue
        if noted["client"] == client():
            found.append(noted)
    return found


def _told(around: Around) -> "dict[str, Any] | None":
    """What the watch wants to be told, each line once and three at most."""
    try:
        notices = loads(text_of(os.path.join(around.live, "notices.json")))
    except (OSError, ValueError):
        return None
    told = os.path.join(around.live, "told")
    os.makedirs(told, 0o700, exist_ok=True)
    lines: list[str] = []
    for notice in notices:
        if len(lines) == _MOST_LINES:
            break
        if os.path.exists(os.path.join(told, notice["id"])):
            continue
        if notice.get("experiment") and not _was_last(around, notice["experiment"], notice["variant"]):
            continue
        try:
            os.close(os.open(os.path.join(told, notice["id"]), os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            continue
        lines.append(notice["text"])
    if not lines:
        return None
    text = "\n".join(lines)
    return {"systemMessage": text, "hookSpecificOutput": {"hookEventName": "SessionStart", "additionalContext": text}}


def _was_last(around: Around, experiment: str, variant: str) -> bool:
    """Whether the newest run that was noted is of that variant: what is said at a session's start is about it."""
    newest: dict[str, Any] = {}
    for name in os.listdir(around.live):
        try:
            noted = loads(text_of(os.path.join(around.live, name, LAST)))
        except (OSError, ValueError):
            continue
        if not newest or noted["at"] > newest["at"]:
            newest = {**noted, "experiment": name}
    return bool(newest) and (newest["experiment"], newest["variant"]) == (experiment, variant)


def write(path: str, fields: "dict[str, Any]") -> None:
    """Put fields into a file of the owner's, whole or not at all."""
    staged = path + ".new"
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(dumps(fields))
    os.replace(staged, path)
