"""The switch that pauses every experiment at once: of a project, or of every process with the variable set."""

import os
from pathlib import Path

from experiment_tracker_tools.core.errors import StoreFailure, SwitchedOff

ENVIRONMENT = "EXPERIMENT_TRACKER"
_FILE = "off"


def why_off(folder: Path) -> str | None:
    """Why everything is paused, or None when it is not."""
    if os.environ.get(ENVIRONMENT, "").strip().lower() == "off":
        return f"the environment says {ENVIRONMENT}=off"
    # Asked at every call, where a Path costs more than the question.
    if os.access(f"{folder}/{_FILE}", os.F_OK):
        return "`experiment-tracker off` was called in this project; `experiment-tracker on` ends it"
    return None


def check_on(folder: Path) -> None:
    """Let work pass only while nothing is switched off.

    Raises:
        SwitchedOff: with who switched it off and how to end it.
    """
    if (reason := why_off(folder)) is not None:
        raise SwitchedOff(f"Experiments are switched off: {reason}. Nothing was changed; units get control.")


def switch(folder: Path, *, off: bool) -> None:
    """Switch the project's experiments off or on again, for every process and worktree.

    Raises:
        StoreFailure: if the store's folder cannot be written.
    """
    try:
        if off:
            (folder / _FILE).touch(mode=0o600)
        else:
            (folder / _FILE).unlink(missing_ok=True)
    except OSError as error:
        raise StoreFailure(f"Cannot switch: {error.strerror}. Set {ENVIRONMENT}=off instead.") from error
