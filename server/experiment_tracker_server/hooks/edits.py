"""What one edit does to flags, told once a session: for the hook that runs by itself and the one inside the server."""

import hashlib
import os
import time

from experiment_tracker_server.hooks.place import store_of, text_of, top_of
from experiment_tracker_tools.flags.edit import Edit, note_on
from experiment_tracker_tools.flags.elsewhere import elsewhere
from experiment_tracker_tools.flags.remembered import remembered, tracked

_LARGEST = 1_000_000
_OLD_S = 7 * 86_400.0


def told_of(path: str, before: str, *, start: str, session: str, data: str) -> "str | None":
    """One line for the model, or None.

    Args:
        path: of the file, as it was edited; outside of the project nothing is told.
        before: what it held before; what it holds now is read.
        start: folder in which the client was started.
        session: the client's id.
        data: the plugin's data folder, which remembers what a session was told.
    """
    top = top_of(os.path.realpath(start)) or os.path.realpath(start)
    inside = os.path.relpath(os.path.realpath(os.path.join(start, path)), top)
    if inside.startswith(os.pardir) or not data or os.path.getsize(os.path.join(top, inside)) > _LARGEST:
        return None
    store = store_of(start)
    after = text_of(os.path.join(top, inside))
    edit = Edit(inside.replace(os.sep, "/"), before, after)
    note = note_on(edit, remembered(store), lambda keys: tracked(store, keys), is_elsewhere=elsewhere(top, edit.path))
    if note is None:
        return None
    fresh = [key for key in note.keys if _is_first(data, session, note.what + "\0" + key)]
    return note.text if fresh else None


def _is_first(data: str, session: str, news: str) -> bool:
    """Whether this session has not been told yet; of two hooks that ask at once, one is the first."""
    folder = os.path.join(data, "told")
    os.makedirs(folder, 0o700, exist_ok=True)
    mark = hashlib.sha256((session + "\0" + news).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    try:
        os.close(os.open(os.path.join(folder, mark), os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.stat(path).st_mtime < time.time() - _OLD_S:
            os.unlink(path)
    return True
