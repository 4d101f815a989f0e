"""Stores of earlier formats become journals; what does not parse is moved aside and told, never overwritten."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.ledger.register import own_writer, put_row
from experiment_tracker_tools.ledger.shelf import Shelf
from experiment_tracker_tools.ledger.tables import EXPERIMENTS

_KINDS = ("trials", "exposures", "aggregates", "looks", "decisions", "promotions", "rollbacks")


def migrate(folder: Path, shelf: Shelf) -> None:
    """Take over a `ledger.json` (format 1, one TinyDB file), and keep it under another name.

    Raises:
        StoreFailure: if it cannot be read or does not parse.
    """
    old = folder / "ledger.json"
    if not old.exists():
        return
    # Journals ask for the store's name when they begin, which must not wait for the lock that is taken here.
    own_writer(shelf.catalogue)
    with shelf.catalogue.writing(new=True) as draft:
        # Another process may have been quicker.
        if not old.exists():
            return
        tables = _loaded(old)
        taken = [_adopt(shelf, document, tables) for document in tables.get(EXPERIMENTS, {}).values()]
        put_row(shelf.catalogue, draft, "migrations", {"from": old.name, "experiments": taken})
        old.rename(_free_name(old, "migrated"))


def _adopt(shelf: Shelf, experiment: Mapping[str, Any], tables: Mapping[str, Mapping[str, Any]]) -> str:
    journal = shelf.volume(str(experiment["id"])).journal
    entries = [
        (int(entry["seq"]), kind, entry)
        for kind in _KINDS
        for entry in tables.get(kind, {}).values()
        if entry["experiment"] == experiment["id"]
    ]
    with journal.writing(new=True) as draft:
        if EXPERIMENTS not in journal.tables:
            draft.put("i", EXPERIMENTS, 1, experiment)
            for seq, kind, entry in sorted(entries, key=lambda found: found[0]):
                document = {"provenance": entry.get("provenance", "claimed"), "content": entry["content"]}
                draft.put("i", kind, seq, document, at=entry["at"], by=entry["by"])
    return str(experiment["id"])


def _loaded(path: Path) -> dict[str, dict[str, Any]]:
    try:
        tables = json.loads(path.read_text("utf-8"))
        if not isinstance(tables, dict):
            raise TypeError("it is not a JSON object")
    except OSError as error:
        raise StoreFailure(
            f"Cannot read the store {path.name}: {error.strerror}. Mend its permissions and try again."
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise _moved_aside(path, error) from error
    return cast("dict[str, dict[str, Any]]", tables)


def _moved_aside(path: Path, error: Exception) -> StoreFailure:
    aside = _free_name(path, "broken")
    try:
        path.rename(aside)
    except OSError:
        return StoreFailure(f"The store {path.name} is broken ({error}) and its folder is read-only. Mend that first.")
    return StoreFailure(
        f"The store {path.name} does not parse ({error}). It was kept as {aside.name}, nothing was overwritten. "
        "Put a mended copy back under the old name, or call again to go on without it."
    )


def _free_name(path: Path, kind: str) -> Path:
    return next(p for n in range(1, 10_000) if not (p := path.with_name(f"{path.name}.{kind}-{n}")).exists())
