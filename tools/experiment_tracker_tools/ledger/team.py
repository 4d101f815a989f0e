"""This store among those that share: its name, what it gives, and what it gave last."""

from experiment_tracker_tools.ledger.contributing import contribution_of
from experiment_tracker_tools.ledger.contribution import Contribution
from experiment_tracker_tools.ledger.register import Register, fresh_writer, own_writer
from experiment_tracker_tools.ledger.shelf import Shelf


def register_of(shelf: Shelf) -> Register:
    """Who this store is among those that share, and what it shared last."""
    own_writer(shelf.catalogue)
    return shelf.register()


def contributions(shelf: Shelf) -> tuple[Contribution, ...]:
    """What this store gives of every experiment; damaged journals are left out."""
    writer = register_of(shelf).writer
    found = ((shelf.volume(experiment.id), experiment) for experiment in shelf.experiments())
    return tuple(contribution_of(*each, writer) for each in found if not each[0].journal.damage)


def rename_writer(shelf: Shelf) -> str:
    """Go on under a new name, because another store uses this one's; gives it."""
    writer = fresh_writer()
    shelf.note("writers", {"writer": writer})
    return writer


def note_shared(shelf: Shelf, commit: str) -> None:
    """Remember what was shared last; from the first time on, ids of new experiments end in the writer."""
    shelf.note("shares", {"commit": commit, "writer": register_of(shelf).writer})
