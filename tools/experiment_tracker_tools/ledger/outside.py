"""What is outside of an experiment: told apart from what is recorded, and counted once, under the lock that writes."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.outside import Outside
from experiment_tracker_tools.domain.trial import Exposure, Trial, storable
from experiment_tracker_tools.ledger.journal import Draft
from experiment_tracker_tools.ledger.known import Known
from experiment_tracker_tools.ledger.rules import Batch
from experiment_tracker_tools.ledger.tables import last_seq, put_entries

Told = TypeVar("Told", Trial, Exposure)
Judged = TypeVar("Judged", Trial, Exposure, Feedback)


class Apart(NamedTuple):
    """A batch in two parts.

    Attributes:
        inside: what may be recorded; outside: what is only counted.
    """

    inside: Batch
    outside: Sequence[Outside]


def apart(experiment: Experiment, batch: Batch, known: Known) -> Apart:
    """Tell the units of a batch apart; a unit that has met a variant is inside for good, one that was left is not.

    What only the eligibility asks for is not recorded.
    """
    outside = [each for each in batch.outside if each.unit is None or known.met(each.unit) is None]
    if batch.why_outside is None and not known.tally.outside:
        return Apart(batch, outside)
    inside = Batch(
        [_kept(experiment, each) for each in _inside(batch.trials, batch, known, outside)],
        [_kept(experiment, each) for each in _inside(batch.exposures, batch, known, outside)],
        batch.aggregates,
        _inside(batch.feedback, batch, known, outside),
        batch.late,
    )
    return Apart(inside, outside)


def put_outside(
    draft: Draft, experiment: Experiment, outside: Sequence[Outside], known: Known, *, after: int | None = None
) -> int:
    """Put what is outside, each name once for its newest reason; gives the last position."""
    fresh: dict[tuple[str | None, str | None], Outside] = {}
    nameless: list[Outside] = []
    for each in outside:
        told = each if _may_be_named(experiment, each, known) else each.model_copy(update={"unit": None})
        if told.unit is None and told.key is None:
            nameless.append(told)
        elif known.outside(told.unit, told.key) != told.why:
            fresh[told.unit, told.key] = told
    last = last_seq(known.journal) if after is None else after
    return put_entries(draft, [*fresh.values(), *_summed(nameless)], "command", after=last, stored=known.stored)


def _kept(experiment: Experiment, told: Told) -> Told:
    if told.attributes.keys() <= {*experiment.plan.privacy.attributes}:
        return told
    return told.model_copy(update={"attributes": storable(experiment, told.attributes)})


def _inside(given: Sequence[Judged], batch: Batch, known: Known, outside: list[Outside]) -> list[Judged]:
    kept: list[Judged] = []
    for each in given:
        why = _why(each, batch, known)
        if why:
            outside.append(Outside(unit=each.unit, key=each.key if isinstance(each, Trial) else None, why=why))
        else:
            kept.append(each)
    return kept


def _why(each: Trial | Exposure | Feedback, batch: Batch, known: Known) -> str:
    """Why a unit is outside; empty where it takes part."""
    if each.unit is not None and known.met(each.unit) is not None:
        return ""
    key = each.key if isinstance(each, Trial) else None
    if key is not None and known.trial(key) is not None:
        return ""
    if (left := known.outside(each.unit, key)) is not None:
        return left
    if isinstance(each, Feedback) or batch.why_outside is None:
        return ""
    return batch.why_outside(each)


def _may_be_named(experiment: Experiment, each: Outside, known: Known) -> bool:
    """Whether the unit may be kept: nobody's who withdrew, nor whose consent the plan waits for."""
    if each.unit is None:
        return True
    return not (experiment.plan.privacy.requires_consent or known.withdrew(each.unit))


def _summed(nameless: Sequence[Outside]) -> list[Outside]:
    counted: dict[str, int] = {}
    for each in nameless:
        counted[each.why] = counted.get(each.why, 0) + each.n
    return [Outside(why=why, n=n) for why, n in counted.items()]
