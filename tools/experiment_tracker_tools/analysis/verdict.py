"""From a look to exactly one verdict; the first rule that matches wins.

| rule | verdict | when |
|---|---|---|
| 1 | HALT | a gate of the data's integrity failed |
| 2 | ROLL_BACK | a harm test fired: primary loss, guardrail or breaker, within the one budget |
| 3 | SHIP | the primary rejects in the good direction, is worth it, and every guardrail is shown safe |
| 4 | EQUIVALENT | both one-sided tests show the effect within the margin |
| 5 | KEEP_CONTROL | the primary rejects in the bad direction, within the tolerated loss |
| 6 | DO_NOT_SHIP | the primary rejects, and the gain is not worth shipping |
| 7 | STOP_FUTILE, EXTEND, CONTINUE | before the final look |
| 8 | INVESTIGATE, ITERATE, INCONCLUSIVE | after it |
"""

from collections.abc import Mapping
from typing import NamedTuple

from experiment_tracker_tools.analysis.choice import chosen_winner, in_conflict, liked_less, well_liked
from experiment_tracker_tools.analysis.course import settled
from experiment_tracker_tools.analysis.reasons import (
    copied,
    equivalent_told,
    futile_told,
    mismatch,
    not_safe,
    progress,
    resolving,
    secondaries_told,
    told,
)
from experiment_tracker_tools.domain.decision import Estimate, Look, Verdict
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seen import Status

SRM_HALT = 0.001


class Judgement(NamedTuple):
    """A verdict, the variant it ships (SHIP only), and its reasons, each with its numbers."""

    verdict: Verdict
    winner: str | None
    reasons: tuple[str, ...]


def judge(experiment: Experiment, look: Look) -> Judgement:
    """Apply the plan's rules to a look."""
    if halts := _halts(experiment, look):
        return Judgement("HALT", None, halts)
    if look.harms:
        return Judgement("ROLL_BACK", None, look.harms)
    if look.standing == "exploratory":
        return _after_early_stop(experiment, look)
    statuses = _real(experiment, look)
    if look.standing == "interim":
        return _going_on(experiment, look, statuses)
    return _answered(experiment, look, statuses)


def _halts(experiment: Experiment, look: Look) -> tuple[str, ...]:
    if look.health is not None and look.health.halts:
        return tuple(finding.told for finding in look.health.halts)
    if look.srm_p is not None and look.srm_p < SRM_HALT:
        return (mismatch(experiment, look, limit=SRM_HALT),)
    return ()


def _answered(experiment: Experiment, look: Look, statuses: Mapping[str, Status]) -> Judgement:
    """Rules 3 to 6 and 8, at the look that ended the experiment."""
    verdict = settled(list(statuses.values()), harmed=False)
    if verdict == "SHIP":
        winner, why = chosen_winner(experiment, look, [name for name, status in statuses.items() if status == "wins"])
        shipped = told(experiment, _primary(experiment, look, winner))
        if disliked := liked_less(look, winner):
            return Judgement("INVESTIGATE", None, (shipped, disliked, *look.notes))
        return Judgement(
            "SHIP",
            winner,
            (shipped, *why, *_beside(experiment, look, winner), *_doubts(experiment, look, statuses), *look.notes),
        )
    reasons = (*(told(experiment, each) for each in _primaries(experiment, look, statuses)), *_copies(experiment, look))
    if verdict is not None:
        extra = equivalent_told(experiment, look) if verdict == "EQUIVALENT" else _why_not(experiment, verdict)
        return Judgement(verdict, None, (*reasons, *extra, *look.notes))
    return _unresolved(experiment, look, statuses, reasons)


def _beside(experiment: Experiment, look: Look, winner: str) -> tuple[str, ...]:
    """What a gain is told with: doubts of it, and what the confirmatory secondaries have shown after it."""
    doubts = tuple(finding.told for finding in look.health.doubts) if look.health is not None else ()
    turns = [each for each in look.estimates if each.treatment == winner and each.shown is not None]
    return (*doubts, *((secondaries_told(experiment, turns),) if turns else ()))


def _real(experiment: Experiment, look: Look) -> Mapping[str, Status]:
    """The treatments that there is something to ship of: an equal copy of control never is, whatever chance says."""
    return {name: status for name, status in look.statuses.items() if not _is_copy(experiment, name)}


def _going_on(experiment: Experiment, look: Look, statuses: Mapping[str, Status]) -> Judgement:
    waiting = [name for name, status in statuses.items() if status == "waits"]
    if waiting:
        gains = [told(experiment, _primary(experiment, look, name)) for name in waiting]
        reasons = (*gains, *_doubts(experiment, look, statuses))
        return Judgement("EXTEND", None, (*reasons, progress(experiment, look), *look.notes))
    if look.futile:
        return Judgement("STOP_FUTILE", None, (futile_told(experiment, look), progress(experiment, look), *look.notes))
    beyond = experiment.plan.n_max is not None and min(look.units.values(), default=0) >= look.planned
    verdict: Verdict = "EXTEND" if beyond and look.ahead is not None else "CONTINUE"
    return Judgement(verdict, None, (progress(experiment, look), *look.notes))


def _after_early_stop(experiment: Experiment, look: Look) -> Judgement:
    if look.futile:
        return Judgement("STOP_FUTILE", None, (futile_told(experiment, look), *look.notes))
    return Judgement("INCONCLUSIVE", None, look.notes or ("It was stopped before its plan had an answer.",))


def _unresolved(
    experiment: Experiment, look: Look, statuses: Mapping[str, Status], reasons: tuple[str, ...]
) -> Judgement:
    doubts = _doubts(experiment, look, statuses)
    if conflicts := in_conflict(experiment, look):
        return Judgement("INVESTIGATE", None, (*reasons, *doubts, *conflicts, *look.notes))
    if not doubts and (liked := well_liked(experiment, look, list(statuses))):
        return Judgement("ITERATE", None, (*reasons, liked, *look.notes))
    more = (*reasons, *doubts, *resolving(experiment, look), *look.notes)
    return Judgement("INCONCLUSIVE", None, more or ("There is nothing to judge by.",))


def _doubts(experiment: Experiment, look: Look, statuses: Mapping[str, Status]) -> tuple[str, ...]:
    """The guardrails that keep a significant gain from shipping."""
    waiting = {name for name, status in statuses.items() if status == "waits"}
    return tuple(not_safe(experiment, each) for each in look.estimates if each.treatment in waiting and _unsafe(each))


def _why_not(experiment: Experiment, verdict: Verdict) -> tuple[str, ...]:
    if verdict == "DO_NOT_SHIP":
        return (f"A gain below {experiment.plan.min_worthwhile:.1%} is not worth shipping (min_worthwhile).",)
    tolerated = experiment.plan.harm.tolerated_loss
    return (f"Worse, and not shown to lose more than the tolerated {tolerated:.1%}.",)


def _unsafe(estimate: Estimate) -> bool:
    return estimate.safe is False


def _primary(experiment: Experiment, look: Look, treatment: str) -> Estimate:
    return next(e for e in look.estimates if e.metric == experiment.primary.name and e.treatment == treatment)


def _primaries(experiment: Experiment, look: Look, statuses: Mapping[str, Status]) -> list[Estimate]:
    of_primary = [each for each in look.estimates if each.metric == experiment.primary.name]
    return [each for each in of_primary if each.treatment in statuses or not _is_copy(experiment, each.treatment)]


def _copies(experiment: Experiment, look: Look) -> tuple[str, ...]:
    of_primary = [each for each in look.estimates if each.metric == experiment.primary.name]
    return tuple(copied(each) for each in of_primary if _is_copy(experiment, each.treatment))


def _is_copy(experiment: Experiment, treatment: str) -> bool:
    """Whether a treatment's files equal control's, so that there is nothing to ship whatever the numbers say."""
    return experiment.capture is not None and experiment.capture.variants[treatment].identical
