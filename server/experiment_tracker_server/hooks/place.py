"""Where the project's store is, and what is switched off, found without git and without pathlib."""

import os

STORE = ".experiments"
LIVE = "live"
SERVE = ".experiment-serve"


def store_of(start: str) -> str:
    """The store of the main work tree around `start`; without git the nearest one upwards, else the one at `start`."""
    start = os.path.realpath(start)
    top = top_of(start)
    if top is None:
        found = next((each for each in upwards(start) if os.path.isdir(os.path.join(each, STORE))), start)
        return os.path.join(found, STORE)
    return os.path.join(_main_of(top), STORE)


def top_of(start: str) -> "str | None":
    """The top of the work tree around `start`; a linked one is its own."""
    return next((each for each in upwards(start) if git_folder_of(each) is not None), None)


def upwards(start: str) -> "list[str]":
    """`start` and the folders above it."""
    found = [start]
    while os.path.dirname(found[-1]) != found[-1]:
        found.append(os.path.dirname(found[-1]))
    return found


def is_off(store: str) -> bool:
    """Whether a person has paused every experiment."""
    return os.environ.get("EXPERIMENT_TRACKER", "").strip().lower() == "off" or os.path.exists(
        os.path.join(store, "off")
    )


def text_of(path: str) -> str:
    """A file's text."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def shared_of(git_folder: str) -> str:
    """The folder of git's that all work trees of a repository share."""
    try:
        return os.path.realpath(os.path.join(git_folder, text_of(os.path.join(git_folder, "commondir")).strip()))
    except OSError:
        return git_folder


def _main_of(top: str) -> str:
    git_folder = git_folder_of(top) or ""
    common = shared_of(git_folder)
    return os.path.dirname(common) if common != git_folder and os.path.basename(common) == ".git" else top


def git_folder_of(folder: str) -> "str | None":
    """A work tree's own folder of git's; None for a folder that is not the top of one."""
    entry = os.path.join(folder, ".git")
    if os.path.isdir(entry):
        return os.path.realpath(entry)
    try:
        said = text_of(entry)
    except OSError:
        return None
    return os.path.realpath(os.path.join(folder, said[7:].strip())) if said.startswith("gitdir:") else None
