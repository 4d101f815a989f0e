"""What a batch must satisfy against what is already there; checked under the lock that also writes it."""

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from experiment_tracker_tools.core.errors import Conflict, IllegalStep
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Aggregate, Exposure, Trial


class Batch(NamedTuple):
    """What one call wants recorded, all or none."""

    trials: Sequence[Trial] = ()
    exposures: Sequence[Exposure] = ()
    aggregates: Sequence[Aggregate] = ()


class Known(NamedTuple):
    """What the journal of one experiment already holds.

    Attributes:
        keys: trial by its idempotency key.
        met: variant by unit, from exposures and trials.
        rows: metric names that trials have measured.
        sums: metric names that aggregates have measured.
    """

    keys: Mapping[str, Trial]
    met: Mapping[str, str]
    rows: frozenset[str]
    sums: frozenset[str]


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
    keys = dict(known.keys)
    fresh: list[Trial] = []
    for trial in trials:
        earlier = keys.get(trial.key) if trial.key is not None else None
        if earlier is None:
            fresh.append(trial)
            if trial.key is not None:
                keys[trial.key] = trial
        elif _content(earlier) != _content(trial):
            raise Conflict(
                f"Trial key {quoted(trial.key)} already stands for {quoted(_content(earlier), 200)}; this call says "
                f"{quoted(_content(trial), 200)}. Nothing was recorded; use a new key for a new trial."
            )
    return fresh


def new_exposures(exposures: Sequence[Exposure], known: Known) -> list[Exposure]:
    """The exposures of units that have not met a variant yet."""
    first = {exposure.unit: exposure for exposure in reversed(exposures)}
    return [first[unit] for unit in dict.fromkeys(e.unit for e in exposures) if unit not in known.met]


def check_units(batch: Batch, known: Known) -> None:
    """No unit meets two variants.

    Raises:
        Conflict: naming the unit and both variants.
    """
    met = dict(known.met)
    pairs = [(exposure.unit, exposure.variant) for exposure in batch.exposures]
    pairs += [(trial.unit, trial.variant) for trial in batch.trials if trial.unit is not None]
    for unit, variant in pairs:
        if met.setdefault(unit, variant) != variant:
            raise Conflict(
                f"Unit {quoted(unit)} met {met[unit]}; this call puts it under {variant}. Nothing was recorded. "
                "A unit stays with its first variant: ask assign_unit, or use another unit id."
            )


def check_sources(batch: Batch, known: Known) -> None:
    """A metric comes from trials or from aggregates, so that no unit counts twice.

    Raises:
        Conflict: naming the metric.
    """
    rows = known.rows.union(*(trial.metrics for trial in batch.trials)) if batch.trials else known.rows
    sums = known.sums.union(aggregate.metric or "" for aggregate in batch.aggregates)
    if both := sorted(rows & sums):
        raise Conflict(
            f"{', '.join(both)}: trials and aggregates of one metric would count units twice. Nothing was recorded; "
            "keep to the form that was sent first."
        )


def _content(trial: Trial) -> str:
    return json.dumps(trial.model_dump(mode="json", exclude={"key"}), sort_keys=True)
