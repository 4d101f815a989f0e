"""What a batch must satisfy against what is already there; checked under the lock that also writes it."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from experiment_tracker_tools.core.errors import Conflict, IllegalStep
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.late import Late
from experiment_tracker_tools.domain.lifecycle import State
from experiment_tracker_tools.domain.outside import Outside
from experiment_tracker_tools.domain.trial import Aggregate, Exposure, Trial
from experiment_tracker_tools.ledger.known import Known

_MOVES = {"archived", "history", "tags", "owner"}
_HEARS: tuple[State, ...] = ("paused", "analyzing", "decided", "completed")


class Batch(NamedTuple):
    """What one call wants recorded, all or none.

    Attributes:
        outside: what whoever asks has judged to be outside already.
        why_outside: why a unit that has not met a variant is outside, empty where it takes part; None asks nobody.
    """

    trials: Sequence[Trial] = ()
    exposures: Sequence[Exposure] = ()
    aggregates: Sequence[Aggregate] = ()
    feedback: Sequence[Feedback] = ()
    late: Sequence[Late] = ()
    outside: Sequence[Outside] = ()
    why_outside: Callable[[Trial | Exposure], str] | None = None


def check_takes(experiment: Experiment, batch: Batch) -> None:
    """Let data pass only while the experiment runs; feedback alone from its start on, lagging outcomes ever after.

    Raises:
        IllegalStep: with the step that would start it.
    """
    never_ran = experiment.entered("running") is None
    unheard = bool(batch.feedback) and experiment.state not in _HEARS
    if batch.trials or batch.exposures or batch.aggregates or unheard or never_ran:
        check_running(experiment)


def check_frozen(before: Experiment, after: Experiment) -> Experiment:
    """Give back what an experiment becomes, if nothing of its plan changes once it has been started.

    Raises:
        Conflict: naming the field.
    """
    if before.entered("running") is None:
        return after
    for name in type(before).model_fields:
        if name not in _MOVES and getattr(before, name) != getattr(after, name):
            raise Conflict(
                f"{name} of {before.id} is sealed since its start. Nothing was changed; plan a new iteration: "
                "design_experiment with `iterates`."
            )
    return after


def check_running(experiment: Experiment) -> None:
    """Let a record pass only while the experiment runs.

    Raises:
        IllegalStep: with the step that would start it again.
    """
    if experiment.state == "running":
        return
    mend = {
        "planned": "Start it with transition_experiment (start).",
        "implemented": "Start it with transition_experiment (start).",
        "paused": "Resume it with transition_experiment (resume).",
    }.get(experiment.state, "It takes no more trials; plan a new experiment that iterates it.")
    raise IllegalStep(f"{experiment.id} is {experiment.state}, not running: nothing was recorded. {mend}")


def new_trials(trials: Sequence[Trial], known: Known) -> list[Trial]:
    """The trials that are not there yet; an equal trial under the same key is a repeat.

    Raises:
        Conflict: for a key that stands for other content.
    """
    keys: dict[str, Trial] = {}
    fresh: list[Trial] = []
    for trial in trials:
        earlier = (keys.get(trial.key) or known.trial(trial.key)) if trial.key is not None else None
        if earlier is None:
            fresh.append(trial)
            if trial.key is not None:
                keys[trial.key] = trial
        elif (said := _content(known.kept(trial))) != (stands := _content(known.kept(earlier))):
            raise Conflict(
                f"Trial key {quoted(trial.key)} already stands for {quoted(stands, 200)}; this call says "
                f"{quoted(said, 200)}. Nothing was recorded; use a new key for a new trial."
            )
    return fresh


def new_exposures(exposures: Sequence[Exposure], known: Known) -> list[Exposure]:
    """The exposures of units that have not met a variant yet."""
    first = {exposure.unit: exposure for exposure in reversed(exposures)}
    return [first[unit] for unit in dict.fromkeys(e.unit for e in exposures) if known.variant(unit) is None]


def new_feedback(feedback: Sequence[Feedback], earlier: Sequence[Feedback]) -> list[Feedback]:
    """The opinions that are not there yet; the same opinion about a unit is a repeat."""
    fresh: list[Feedback] = []
    for each in feedback:
        if each.unit is None or each not in (*earlier, *fresh):
            fresh.append(each)
    return fresh


def new_late(late: Sequence[Late], earlier: Sequence[Late]) -> list[Late]:
    """The lagging outcomes that are not there yet; the same of the same unit is a repeat."""
    seen = {_content(each) for each in earlier}
    fresh = {_content(each): each for each in reversed(late)}
    return [each for content, each in reversed(fresh.items()) if content not in seen]


def again(aggregates: Sequence[Aggregate]) -> int:
    """How many posts of a batch are replaced by a later one of the same batch."""
    return len(aggregates) - len({(post.variant, post.metric, post.period) for post in aggregates})


def check_units(batch: Batch, known: Known) -> None:
    """No unit meets two variants.

    Raises:
        Conflict: naming the unit and both variants.
    """
    met: dict[str, str] = {}
    pairs = [(exposure.unit, exposure.variant) for exposure in batch.exposures]
    pairs += [(trial.unit, trial.variant) for trial in batch.trials if trial.unit is not None]
    pairs += [(each.unit, each.variant) for each in batch.feedback if each.unit is not None]
    pairs += [(each.unit, each.variant) for each in batch.late if each.unit is not None]
    for unit, variant in pairs:
        if met.setdefault(unit, known.variant(unit) or variant) != variant:
            raise Conflict(
                f"Unit {quoted(unit)} met {met[unit]}; this call puts it under {variant}. Nothing was recorded. "
                "A unit stays with its first variant: ask assign_unit, or use another unit id."
            )


def check_met(late: Sequence[Late], known: Known) -> None:
    """Lagging outcomes are of units that the experiment has met.

    Raises:
        Conflict: naming the first unit that it has not.
    """
    strange = next((each.unit for each in late if each.unit is None or known.variant(each.unit) is None), None)
    if strange is not None:
        raise Conflict(
            f"Unit {quoted(strange)} met no variant while the experiment ran: nothing was recorded. Outcomes of "
            "lagging metrics belong to its own units; leave out others."
        )


def check_sources(batch: Batch, known: Known) -> None:
    """A metric comes from trials or from aggregates, so that no unit counts twice.

    Raises:
        Conflict: naming the metric.
    """
    if not batch.aggregates and not known.tally.slices:
        return
    rows = known.tally.measured_metrics().union(*(trial.metrics for trial in batch.trials))
    sums = known.tally.summed_metrics().union(aggregate.metric or "" for aggregate in batch.aggregates)
    if both := sorted(rows & sums):
        raise Conflict(
            f"{', '.join(both)}: trials and aggregates of one metric would count units twice. Nothing was recorded; "
            "keep to the form that was sent first."
        )


def _content(trial: Trial) -> str:
    return json.dumps(trial.model_dump(mode="json", exclude={"key"}), sort_keys=True)
