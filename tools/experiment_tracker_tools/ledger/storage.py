"""A TinyDB storage that reads the file once, stages every change, and replaces the file in one durable step."""

import json
import os
from pathlib import Path
from typing import Any, cast

from tinydb.storages import Storage

from experiment_tracker_tools.core.errors import StoreFailure


class StagedStorage(Storage):
    """One transaction's view of the store: `write` stages, `commit` makes it durable or changes nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tables: dict[str, dict[str, Any]] | None = _load(path)
        self._changed = False

    def read(self) -> dict[str, dict[str, Any]] | None:
        return self._tables

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        self._tables = data
        self._changed = True

    def commit(self) -> None:
        """Replace the file: write beside it, sync, rename, sync the folder.

        Raises:
            StoreFailure: if any of it fails; the old file then still stands.
        """
        if not self._changed:
            return
        staged = self._path.with_suffix(".new")
        try:
            staged.unlink(missing_ok=True)
            with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump(self._tables, file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
                file.flush()
                os.fsync(file.fileno())
            staged.replace(self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            staged.unlink(missing_ok=True)
            raise StoreFailure(f"Cannot write the store: {error.strerror}. Nothing was recorded; try again.") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _load(path: Path) -> dict[str, dict[str, Any]] | None:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _moved_aside(path, error) from error
    try:
        tables = json.loads(text)
        if not isinstance(tables, dict):
            raise TypeError("it is not a JSON object")
    except (ValueError, TypeError, RecursionError) as error:
        raise _moved_aside(path, error) from error
    return cast("dict[str, dict[str, Any]]", tables)


def _moved_aside(path: Path, error: Exception) -> StoreFailure:
    if isinstance(error, OSError):
        return StoreFailure(f"Cannot read the store {path.name}: {error.strerror}. Mend its permissions and try again.")
    aside = next(p for n in range(1, 10_000) if not (p := path.with_name(f"{path.name}.broken-{n}")).exists())
    try:
        path.rename(aside)
    except OSError:
        return StoreFailure(f"The store {path.name} is broken ({error}) and its folder is read-only. Mend that first.")
    return StoreFailure(
        f"The store {path.name} does not parse ({error}). It was kept as {aside.name}, nothing was overwritten. "
        "Put a mended copy back under the old name, or call again to start an empty store."
    )
