"""Recorded entries in ledger order, without a ledger."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from tests.support.values import START

from experiment_tracker_tools.analysis.cut import Entries
from experiment_tracker_tools.domain.phase import PhaseStart
from experiment_tracker_tools.domain.trial import Aggregate, Entry, Exposure, Provenance, Trial, Value

Content = Trial | Exposure | Aggregate
Kind = TypeVar("Kind", Trial, Exposure, Aggregate, PhaseStart)


def trial(variant: str, value: Value, *, unit: str | None = None, metric: str = "time") -> Trial:
    """One outcome on one metric."""
    return Trial(variant=variant, metrics={metric: value}, unit=unit)


def exposure(variant: str, unit: str) -> Exposure:
    """A unit met its variant."""
    return Exposure(unit=unit, variant=variant)


def posted(variant: str, period: str, n: int, conversions: int, *, metric: str = "bought") -> Aggregate:
    """A period's conversions."""
    return Aggregate(variant=variant, period=period, metric=metric, n=n, conversions=conversions)


def summed(variant: str, period: str, values: Sequence[float], *, metric: str = "time") -> Aggregate:
    """A period's sums."""
    squares = sum(value * value for value in values)
    return Aggregate(
        variant=variant, period=period, metric=metric, n=len(values), sum=sum(values), sum_of_squares=squares
    )


def entries(
    contents: Sequence[Content | PhaseStart], *, at: datetime = START, provenance: Provenance = "claimed"
) -> Entries:
    """The contents as a ledger took them, numbered from 1."""
    trials = [_entry(seq, e, at, provenance) for seq, e in enumerate(contents, 1) if isinstance(e, Trial)]
    exposures = [_entry(seq, e, at, provenance) for seq, e in enumerate(contents, 1) if isinstance(e, Exposure)]
    posts = [_entry(seq, e, at, provenance) for seq, e in enumerate(contents, 1) if isinstance(e, Aggregate)]
    begun = [_entry(seq, e, at, provenance) for seq, e in enumerate(contents, 1) if isinstance(e, PhaseStart)]
    return Entries(trials, exposures, posts, begun)


def _entry(seq: int, content: Kind, at: datetime, provenance: Provenance) -> Entry[Kind]:
    return Entry(seq=seq, at=at, by="test", provenance=provenance, content=content)
