"""One user's project, wired: where it is, its settings, its ledger, its clock."""

import secrets
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from experiment_tracker_tools.core.clock import Clock, system_clock
from experiment_tracker_tools.vcs.repository import find_worktree
from experiment_tracker_tools.workspace.root import STORE, ready_folder, store_root
from experiment_tracker_tools.workspace.switch import check_on, why_off

if TYPE_CHECKING:
    from experiment_tracker_tools.ledger import Ledger
    from experiment_tracker_tools.ledger.pseudonyms import Key
    from experiment_tracker_tools.workspace.settings import Settings


class Workspace:
    """What every verb is handed.

    Args:
        directory: where the caller works; the store belongs to the repository around it.
        door: how the caller came: mcp, cli or demo; it is written beside every entry.
        clock: gives the time.

    Attributes:
        unwritten: why the document of an experiment could not be written when it last changed.
    """

    def __init__(self, directory: Path, *, door: str, clock: Clock = system_clock) -> None:
        self.directory = directory.resolve()
        self.root = store_root(self.directory)
        self.folder = self.root / STORE
        self.door = door
        self.clock = clock
        self.secret = secrets.token_bytes(32)
        self.unwritten: dict[str, str] = {}

    @cached_property
    def ledger(self) -> "Ledger":
        """The project's ledger; its folder is made when something is first recorded."""
        from experiment_tracker_tools.ledger import Ledger
        from experiment_tracker_tools.workspace.recorded import keeper

        return Ledger(self.folder, clock=self.clock, writer=self.door, pseudonym=self._pseudonym, told=keeper(self))

    @property
    def key_path(self) -> Path:
        """Where the project's key lies, apart from the journals."""
        return self.folder / "key" / "units.json"

    def _pseudonym(self, unit: str) -> str:
        return self._pseudonyms(unit)

    @cached_property
    def _pseudonyms(self) -> Callable[[str], str]:
        # A unit is looked up several times on its way into the store.
        return lru_cache(maxsize=512)(self.key.pseudonym)

    @cached_property
    def key(self) -> "Key":
        """The key under which unit ids are stored as pseudonyms; made when the first one is stored."""
        from experiment_tracker_tools.ledger.pseudonyms import project_key

        return project_key(self.key_path)

    @cached_property
    def worktree(self) -> Path | None:
        """The top of the git work tree that the caller works in (the store's root is the main one's)."""
        return find_worktree(self.directory)

    @property
    def settings(self) -> "Settings":
        """What `.experiments/config.toml` says now."""
        from experiment_tracker_tools.workspace.settings import project_settings

        return project_settings(self.folder)

    @property
    def why_off(self) -> str | None:
        """Why everything is paused, or None."""
        return why_off(self.folder)

    def check_on(self) -> None:
        """Let work pass only while nothing is switched off.

        Raises:
            SwitchedOff: with how to end it.
        """
        check_on(self.folder)

    def take_notes(self) -> tuple[str, ...]:
        """What somebody has to know beside a reply, once: documents that could not be written."""
        told = [
            f"{STORE}/{name}/experiment.md was not written ({why}). All else is recorded. Mend that, then write_report."
            for name, why in self.unwritten.items()
        ]
        self.unwritten.clear()
        return tuple(told)

    def make_ready(self) -> None:
        """Make the store's folder before the first write."""
        ready_folder(self.root)
