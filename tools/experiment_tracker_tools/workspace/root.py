"""Where a project's store lives, found without starting git."""

from pathlib import Path

from experiment_tracker_tools.core.errors import StoreFailure
from experiment_tracker_tools.vcs.repository import find_root

STORE = ".experiments"
_IGNORED = "*\n!.gitignore\n!/config.toml\n!*/\n!/templates/**\n!/*/experiment.md\n"


def store_root(start: Path) -> Path:
    """The main worktree of the repository around `start`; without git the nearest `.experiments`, else `start`."""
    root = find_root(start)
    if root is not None:
        return root
    return next((folder for folder in (start, *start.parents) if (folder / STORE).is_dir()), start)


def ready_folder(root: Path) -> Path:
    """The store's folder, made (0700) with its .gitignore if it is not there yet.

    Raises:
        StoreFailure: if it cannot be made.
    """
    folder = root / STORE
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text(_IGNORED, "utf-8")
    except OSError as error:
        raise StoreFailure(f"Cannot make the store {STORE}: {error.strerror}. Nothing was recorded.") from error
    return folder
