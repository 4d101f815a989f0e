"""Runs of what was promoted: noted and nothing else; the file itself is served, to everybody."""

import os
import time

from experiment_tracker_server.hooks import spool
from experiment_tracker_server.hooks.events import Around
from experiment_tracker_server.hooks.place import is_off, text_of
from experiment_tracker_tools.assignment.live import AFTER, Live, read, unit_of


def note(around: Around, kinds: "tuple[str, ...]", name: str, call: str, arguments: str) -> None:
    """Note a run of a promoted asset, for as long as it is watched; only of those that the plan took."""
    for file in os.listdir(around.live):
        if not file.startswith(AFTER) or not file.endswith(".json"):
            continue
        live = read(text_of(os.path.join(around.live, file)))
        if live.kind not in kinds or live.name != name or time.time() > live.expires_at or is_off(around.store):
            continue
        if live.eligible and _is_outside(around, live, arguments):
            continue
        line = spool.run_of(around, live.experiment, call=call, agent=name if call else "")
        unit = unit_of(live, around.session, around.prompt, call, time.time())
        line["after"] = {"unit": unit, "variant": live.control}
        spool.append(around.store, around.session, line)


def _is_outside(around: Around, live: Live, arguments: str) -> bool:
    from experiment_tracker_server.hooks.eligible import why_outside

    return bool(why_outside(around, live, arguments))
