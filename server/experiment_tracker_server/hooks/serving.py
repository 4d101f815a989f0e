"""The variant of a run: assigned, logged with its propensity, and only then served."""

import os
import time

from experiment_tracker_server.hooks import sessions, spool
from experiment_tracker_server.hooks.events import Around
from experiment_tracker_server.hooks.place import SERVE, is_off, text_of
from experiment_tracker_tools.assignment.hashing import takes_part
from experiment_tracker_tools.assignment.live import (
    CLIENT,
    LAST,
    PHASE,
    STRATUM,
    Given,
    Live,
    given,
    read,
    served_hash,
    unit_of,
)
from experiment_tracker_tools.assignment.rendering import rendered

# Hooks start with every event: typing alone would double their time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def serve(around: Around, name: str, arguments: str) -> None:
    """Lay a command's or skill's text where its stub reads it.

    Without a variant to serve nothing is laid, and the stub reads control from the real file.
    """
    consume(around)
    live = _live(around, ("command", "skill"), name, arguments)
    if live is None:
        _note_after(around, ("command", "skill"), name, arguments, call="")
        return
    chosen = given(live, _unit(around, live), os.path.join(around.live, live.experiment))
    template = text_of(os.path.join(around.live, live.experiment, chosen.variant + ".md"))
    folder = os.path.join(around.start, ".claude", "skills", live.name)
    text = rendered(template, arguments, session=around.session, folder=folder)
    place = _serve_folder(around)
    staged = os.path.join(place, "." + str(os.getpid()))
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        file.write(text)
    try:
        # No id of the call: one trial a prompt, however often the model calls the skill in it.
        _log(around, live, chosen, call="", text=text)
        os.replace(staged, os.path.join(place, live.name + ".md"))
    except OSError:
        os.unlink(staged)
        raise


def redirect(around: Around, asked: "dict[str, Any]") -> "dict[str, Any] | None":
    """The tool's input with the agent of the assigned variant; None leaves it as it is."""
    name, asks = str(asked.get("subagent_type") or ""), str(asked.get("prompt") or "")
    live = _live(around, ("agent",), name, asks)
    if live is None:
        _note_after(around, ("agent",), name, asks, call=around.call)
        return None
    chosen = given(live, _unit(around, live), os.path.join(around.live, live.experiment))
    agent = live.agents[chosen.variant]
    _log(around, live, chosen, call=around.call, text="", agent=agent)
    if agent == name:
        return None
    changed = {**asked, "subagent_type": agent}
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse", "updatedInput": changed}}


def consume(around: Around) -> None:
    """Take away what was served in this session, so that no later call can meet an old text."""
    folder = os.path.join(around.start, ".claude", SERVE, around.session)
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        try:
            os.unlink(os.path.join(folder, name))
        except FileNotFoundError:
            pass


def _live(around: Around, kinds: "tuple[str, ...]", name: str, arguments: str) -> "Live | None":
    """The live experiment on an asset, if this run may meet its variants now."""
    for file in os.listdir(around.live):
        if not file.endswith(".json") or not file.startswith("exp-"):
            continue
        live = read(text_of(os.path.join(around.live, file)))
        if live.kind in kinds and live.name == name:
            usable = time.time() < live.expires_at and not is_off(around.store)
            if not usable:
                return None
            why = _why_outside(around, live, arguments)
            if why:
                _leave_outside(around, live, why, call=around.call if live.kind == "agent" else "")
            return None if why else live
    return None


def _why_outside(around: Around, live: Live, arguments: str) -> str:
    """What keeps a run outside; empty where it takes part."""
    if not sessions.may_meet(around, live):
        return CLIENT
    if live.eligible:
        from experiment_tracker_server.hooks.eligible import why_outside

        why = why_outside(around, live, arguments)
        if why:
            return why
    return "" if takes_part(live.salt, live.experiment, _unit(around, live), live.takes) else PHASE


def _note_after(around: Around, kinds: "tuple[str, ...]", name: str, arguments: str, *, call: str) -> None:
    from experiment_tracker_server.hooks.aftercare import note

    note(around, kinds, name, call, arguments)


def _leave_outside(around: Around, live: Live, why: str, *, call: str) -> None:
    """Keep for the ledger that a run got control and belongs to no variant."""
    event = spool.event_of(around, live.experiment, call)
    spool.append(around.store, around.session, {"event": event, "experiment": live.experiment, "outside": why})


def _unit(around: Around, live: Live) -> str:
    return unit_of(live, around.session, around.prompt, around.call, time.time())


def _serve_folder(around: Around) -> str:
    root = os.path.join(around.start, ".claude", SERVE)
    folder = os.path.join(root, around.session)
    if os.path.islink(root) or os.path.islink(folder):
        raise OSError("a symbolic link stands where texts are served")
    os.makedirs(folder, 0o700, exist_ok=True)
    ignore = os.path.join(root, ".gitignore")
    if not os.path.exists(ignore):
        with open(ignore, "w", encoding="utf-8") as file:
            file.write("*\n")
    return folder


def _log(around: Around, live: Live, chosen: Given, *, call: str, text: str, agent: str = "") -> None:
    """Keep what was assigned, before anybody meets it."""
    hashed = served_hash(live.salt, text)
    line = spool.run_of(around, live.experiment, call=call, agent=agent, length=len(text), served=hashed)
    exposure = {"unit": chosen.unit, "variant": chosen.variant, "propensity": chosen.propensity}
    if chosen.slot is not None:
        exposure.update(slot=chosen.slot, stratum=STRATUM)
    line["exposure"] = exposure
    spool.append(around.store, around.session, line)
    last = {"at": line["run"]["at"], "event": line["event"], "unit": chosen.unit, "variant": chosen.variant}
    try:
        sessions.write(os.path.join(around.live, live.experiment, LAST), last)
    except OSError:
        # Only ratings need it, and what was logged must be served.
        pass
