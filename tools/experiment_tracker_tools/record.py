"""Verb: record what happened to units while an experiment runs."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from pydantic import Field, WithJsonSchema

from experiment_tracker_tools.conduct.advice import uri_of
from experiment_tracker_tools.conduct.outside import judge
from experiment_tracker_tools.conduct.ramping import watch, watches
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.late import checked_late, is_late
from experiment_tracker_tools.domain.lifecycle import OVER
from experiment_tracker_tools.domain.trial import (
    Aggregate,
    Exposure,
    Trial,
    checked_aggregate,
    checked_exposure,
    checked_feedback,
    checked_trial,
)
from experiment_tracker_tools.workspace import Workspace

MOST = 10_000
FeedbackArgument = Annotated[
    Sequence[Feedback],
    Field(max_length=MOST),
    WithJsonSchema({"type": "array", "description": "{variant, rating 1-5, note, source, unit}"}),
]
M = TypeVar("M", bound=Model)


class Recorded(Model):
    """What record_trial answers.

    Attributes:
        experiment: its id.
        recorded: new entries by kind.
        repeats: entries that were already there, unchanged.
        replaced: aggregates whose place a later one of the same period took.
        twice: periods that this call sends more than once: the last one counts.
        units: how a unit was defaulted, where trials named none.
        outside: what the plan does not take, by reason: counted, not recorded, never analysed.
        left_out: trials behind a rollout that measure none of its limits, and were not kept.
        filled_in: fields that were filled in for the caller.
        through_seq: the experiment's newest entry.
        uri: the whole experiment.
        next_action: what to do now.
    """

    experiment: ExperimentId
    recorded: dict[str, int]
    repeats: int = 0
    replaced: int = 0
    twice: tuple[str, ...] = ()
    outside: dict[str, int] | None = None
    left_out: int | None = None
    filled_in: tuple[str, ...] = ()
    through_seq: int
    uri: str
    next_action: str


@tool("Record trials", idempotent=True)
def record_trial(
    workspace: Workspace,
    *,
    experiment: ExperimentId,
    trials: Annotated[Sequence[Trial], Field(max_length=MOST)] = (),
    exposures: Annotated[Sequence[Exposure], Field(max_length=MOST)] = (),
    aggregates: Annotated[Sequence[Aggregate], Field(max_length=MOST)] = (),
    feedback: FeedbackArgument = (),
) -> Recorded:
    """Up to 10,000 trials, exposures (no outcome yet), aggregates or feedback: all or none.

    A period sent again replaces.
    """
    from experiment_tracker_tools.ledger import Batch

    workspace.check_on()
    found = workspace.ledger.experiment(experiment)
    if not (trials or exposures or aggregates or feedback):
        raise InvalidInput("Nothing to record. Give trials, exposures, aggregates or feedback.")
    late = [trial for trial in trials if is_late(found, trial)]
    others = bool(exposures or aggregates or feedback)
    if found.subject.flag is not None and len(trials) > len(late) and watches(workspace, found):
        return _watched(workspace, found, trials, others=others)
    batch = Batch(
        _checked(found, "trials", [trial for trial in trials if trial not in late] if late else trials, checked_trial),
        _checked(found, "exposures", exposures, checked_exposure),
        _checked(found, "aggregates", aggregates, checked_aggregate),
        _checked(found, "feedback", feedback, checked_feedback),
        [checked_late(found, trial) for trial in late],
        why_outside=judge(workspace, found),
    )
    done = workspace.ledger.record(experiment, batch)
    counts = {
        "trials": done.trials,
        "exposures": done.exposures,
        "aggregates": done.aggregates,
        "feedback": done.feedback,
        "lagging": done.late,
    }
    return Recorded(
        experiment=experiment,
        recorded={kind: count for kind, count in counts.items() if count},
        repeats=done.repeats,
        replaced=done.replaced,
        outside=dict(done.outside) or None,
        twice=_twice(batch.aggregates),
        filled_in=_filled_in(trials, aggregates, found.primary.name),
        through_seq=done.last_seq,
        uri=uri_of(experiment),
        next_action=_next(found, outside=sum(done.outside.values())),
    )


def _next(experiment: Experiment, *, outside: int) -> str:
    if outside:
        return f"{outside} are outside of the plan: counted and not analysed. Go on with units that assign_unit takes."
    if experiment.state in OVER:
        return "From its due day on `decide` asks whether it contradicts the decision; `status` tells the day."
    return f"Go on until {experiment.plan.sample_size} units a variant; `status` shows progress. Then analyze."


def _watched(workspace: Workspace, experiment: Experiment, trials: Sequence[Trial], *, others: bool) -> Recorded:
    """Outcomes behind a step of a rollout, which belong to its limits and no longer to the experiment."""
    if others:
        raise InvalidInput(f"{experiment.id} is being rolled out: it takes trials only. Nothing was recorded.")
    kept = watch(workspace, experiment, trials)
    return Recorded(
        experiment=experiment.id,
        recorded={"watched": kept},
        left_out=len(trials) - kept or None,
        through_seq=int(workspace.ledger.head(experiment.id).partition(".")[0]),
        uri=uri_of(experiment.id),
        next_action="They are compared with the ramp's limits: promote shows how they stand.",
    )


def _checked(experiment: Experiment, kind: str, given: Sequence[M], check: Callable[[Experiment, M], M]) -> list[M]:
    """The entries as they are recorded; a refusal names the entry, because there may be 10,000 of them."""
    checked: list[M] = []
    for place, entry in enumerate(given):
        try:
            checked.append(check(experiment, entry))
        except InvalidInput as error:
            raise InvalidInput(f"{kind}.{place}: {error} Nothing was recorded.") from error
    return checked


def _twice(aggregates: Sequence[Aggregate]) -> tuple[str, ...]:
    if len(aggregates) < 2:
        return ()
    counted = Counter((post.variant, post.metric or "", post.period) for post in aggregates)
    return tuple(f"{' '.join(name)}: sent {n} times" for name, n in counted.items() if n > 1)


def _filled_in(trials: Sequence[Trial], aggregates: Sequence[Aggregate], primary: str) -> tuple[str, ...]:
    told: list[str] = []
    if bare := sum(trial.unit is None for trial in trials):
        told.append(f"{bare} trials without a unit: each counts as its own unit")
    if any(aggregate.metric is None for aggregate in aggregates):
        told.append(f"aggregates without a metric: {primary}")
    return tuple(told)
