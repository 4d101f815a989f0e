"""What the ledger answers."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Trial
from experiment_tracker_tools.ledger.statistics import Running


class Recorded(NamedTuple):
    """What a batch came to.

    Attributes:
        trials: newly recorded; exposures, aggregates: likewise.
        repeats: trials, exposures and opinions that were already there, unchanged.
        replaced: aggregates whose place a later one of the same period took, of this batch or of an earlier one.
        last_seq: position of the experiment's newest entry.
        feedback: newly recorded opinions; late: outcomes of lagging metrics.
        outside: trials, exposures and opinions of the batch that are counted and not recorded, by reason.
    """

    trials: int
    exposures: int
    aggregates: int
    repeats: int
    replaced: int
    last_seq: int
    feedback: int = 0
    late: int = 0
    outside: Mapping[str, int] = MappingProxyType({})


class Journal(NamedTuple):
    """What an experiment recorded, in order, without amended trials."""

    trials: Sequence[Entry[Trial]]
    exposures: Sequence[Entry[Exposure]]
    aggregates: Sequence[Entry[Aggregate]]


class Totals(NamedTuple):
    """The running statistics of an experiment's trials, without amended ones.

    Attributes:
        running: by variant and metric.
        trials: how many, by variant; repeated: those of a unit that already had one; exposed: units, by variant.
        amended: trials that no longer count, by variant.
        refused: entries that were refused, by reason: without_consent, withdrawn.
        outside: units that got control and are not analysed, by reason.
    """

    running: dict[tuple[str, str], Running]
    trials: dict[str, int]
    repeated: dict[str, int]
    exposed: dict[str, int]
    amended: dict[str, int]
    refused: dict[str, int]
    outside: dict[str, int]
