"""A batch and exposures put into a draft, with every rule checked under the lock that also writes them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from experiment_tracker_tools.core.errors import ConsentMissing
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.late import Late
from experiment_tracker_tools.domain.run_after import RunAfter
from experiment_tracker_tools.domain.trial import Exposure, Provenance
from experiment_tracker_tools.ledger.answers import Recorded
from experiment_tracker_tools.ledger.consent import refusal_of, refused
from experiment_tracker_tools.ledger.journal import Draft
from experiment_tracker_tools.ledger.known import Known
from experiment_tracker_tools.ledger.outside import apart, put_outside
from experiment_tracker_tools.ledger.rules import (
    Batch,
    again,
    check_met,
    check_running,
    check_sources,
    check_takes,
    check_units,
    new_exposures,
    new_feedback,
    new_late,
    new_trials,
)
from experiment_tracker_tools.ledger.tables import entries, last_seq, put_entries

Choose = Callable[[str, int], Exposure]


class Turn(NamedTuple):
    """Units that ask for their variants.

    Attributes:
        units: different ones, in the order in which they take the stratum's places.
        choose: makes the exposure of a unit at the stratum's next place; one that names no slot takes no place.
        stratum: whose schedule goes on.
        attributes: of each of the units.
    """

    units: Sequence[str]
    choose: Choose
    stratum: str
    attributes: Mapping[str, bool | float | str]


def put_batch(
    draft: Draft, experiment: Experiment, batch: Batch, known: Known, *, provenance: Provenance
) -> Recorded | ConsentMissing:
    """Put what is new of a batch; of one that consent forbids, only that it was refused, and give the error.

    Raises:
        IllegalStep, Conflict: told by the rules; nothing is put then.
    """
    check_takes(experiment, batch)
    batch, outside = apart(experiment, batch, known)
    refusal = refusal_of(experiment, [*batch.trials, *batch.exposures, *batch.feedback, *batch.late], known)
    if refusal is not None:
        put_entries(draft, [refusal], provenance, after=last_seq(known.journal))
        return refused(experiment, refusal)
    check_units(batch, known)
    check_sources(batch, known)
    check_met(batch.late, known)
    trials, exposures = new_trials(batch.trials, known), new_exposures(batch.exposures, known)
    replaced = sum(known.tally.is_posted(post) for post in batch.aggregates) + again(batch.aggregates)
    heard = [entry.content for entry in entries(known.journal, Feedback)] if batch.feedback else []
    feedback = new_feedback([known.kept(each) for each in batch.feedback], heard)
    came = [entry.content for entry in entries(known.journal, Late)] if batch.late else []
    late = new_late([known.kept(each) for each in batch.late], came)
    contents = [*exposures, *trials, *batch.aggregates]
    last = put_entries(draft, contents, provenance, after=last_seq(known.journal), stored=known.stored)
    last = put_entries(draft, late, provenance, after=last)
    last = put_entries(draft, feedback, "judged", after=last)
    last = put_outside(draft, experiment, outside, known, after=last)
    given = len(batch.trials) + len(batch.exposures) + len(batch.feedback) + len(batch.late)
    repeats = given - len(trials) - len(exposures) - len(feedback) - len(late)
    counts = len(trials), len(exposures), len(batch.aggregates)
    apart_by_reason = dict(Counter(each.why for each in outside))
    return Recorded(*counts, repeats, replaced, last, len(feedback), len(late), apart_by_reason)


def put_exposures(
    draft: Draft, experiment: Experiment, turn: Turn, known: Known
) -> tuple[Exposure, ...] | ConsentMissing:
    """Give the units' exposures, put where they are new; where consent forbids one, that it was refused, and the error.

    Raises:
        IllegalStep: if the experiment does not run; nothing is put then.
    """
    check_running(experiment)
    attributes = dict(turn.attributes)
    asked = (Exposure(unit=unit, variant=experiment.control.name, attributes=attributes) for unit in turn.units)
    refusal = refusal_of(experiment, asked, known)
    if refusal is not None:
        put_entries(draft, [refusal], "command", after=last_seq(known.journal))
        return refused(experiment, refusal)
    found, new = list[Exposure](), list[Exposure]()
    slot = known.tally.next_slot(turn.stratum)
    for unit in turn.units:
        earlier = known.met(unit)
        recorded = known.exposure(earlier)
        if recorded is not None:
            found.append(recorded.model_copy(update={"unit": unit}))
            continue
        chosen = turn.choose(unit, slot) if earlier is None else Exposure(unit=unit, variant=earlier.variant)
        slot += chosen.slot is not None
        found.append(chosen.model_copy(update={"attributes": attributes}) if attributes else chosen)
        new.append(found[-1])
    put_entries(draft, new, "command", after=last_seq(known.journal), stored=known.stored)
    return tuple(found)


def put_run_after(draft: Draft, experiment: Experiment, run: RunAfter, known: Known) -> bool:
    """Put a run after the promotion, once; gives whether it is new. Of whom consent forbids it, nothing is kept."""
    if refusal_of(experiment, [run], known) is not None:
        return False
    if any(entry.content.key == run.key for entry in entries(known.journal, RunAfter)):
        return False
    put_entries(draft, [run], "hook", after=last_seq(known.journal), stored=known.stored)
    return True
