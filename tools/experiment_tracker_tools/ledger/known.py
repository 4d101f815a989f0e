"""What the rules may ask of one experiment's journal, answered from memory."""

from collections.abc import Callable, Set
from typing import NamedTuple, TypeVar

from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.domain.trial import Exposure, Trial
from experiment_tracker_tools.ledger.journal import JournalFile
from experiment_tracker_tools.ledger.tables import understood
from experiment_tracker_tools.ledger.tally import Met, Tally, name_of

Content = TypeVar("Content", bound=Model)


class Known(NamedTuple):
    """One experiment's journal as the rules see it.

    Attributes:
        journal: where documents are read.
        tally: who and what is known.
        stored: a unit id as the store keeps it; None where that is the id itself.
        withdrawn: units, as the store keeps them, that withdrew from every experiment.
    """

    journal: JournalFile
    tally: Tally
    stored: Callable[[str], str] | None
    withdrawn: Set[str]

    def kept(self, content: Content) -> Content:
        """The content under the unit's pseudonym, as the store keeps it."""
        unit = getattr(content, "unit", None)
        if self.stored is None or unit is None:
            return content
        return content.model_copy(update={"unit": self.stored(unit)})

    def trial(self, key: str) -> Trial | None:
        """The trial of this idempotency key."""
        seq = self.tally.trial_of(key)
        record = self.journal.find("trials", seq) if seq is not None else None
        if record is None or record.document["content"].get("key") != key:
            return None
        return understood(Trial, record.document["content"])

    def variant(self, unit: str) -> str | None:
        """The variant that a unit met, from exposures and trials."""
        met = self.met(unit)
        return met.variant if met is not None else None

    def exposure(self, met: Met | None) -> Exposure | None:
        """The recorded exposure of a unit that has met something."""
        record = self.journal.find("exposures", met.seq) if met is not None and met.exposed else None
        return understood(Exposure, record.document["content"]) if record is not None else None

    def consented(self, unit: str) -> bool:
        """Whether the unit's consent was recorded with an exposure or trial."""
        met = self.met(unit)
        return met is not None and met.consented

    def withdrew(self, unit: str) -> bool:
        """Whether the unit is no longer collected."""
        if not (self.withdrawn or self.tally.withdrawn):
            return False
        names = {unit} if self.stored is None else {unit, self.stored(unit)}
        return not (names.isdisjoint(self.withdrawn) and names.isdisjoint(self.tally.withdrawn))

    def outside(self, unit: str | None, key: str | None) -> str | None:
        """Why a unit, or a trial of this key, was left outside; None where it was not."""
        if not self.tally.outside:
            return None
        kept = unit if unit is None or self.stored is None else self.stored(unit)
        return self.tally.outside_as(name_of({"unit": kept, "key": key}))

    def met(self, unit: str) -> Met | None:
        """What a unit met."""
        # The second question is for units that were recorded before the project had a key.
        return (self.tally.met(self.stored(unit)) if self.stored is not None else None) or self.tally.met(unit)
