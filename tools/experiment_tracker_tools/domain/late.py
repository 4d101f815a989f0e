"""What became known of a unit only after a while: outcomes of lagging metrics, whether or not there is a decision."""

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Trial, check_attributes, checked_trial_of, storable


class Late(Trial):
    """As a trial is, of lagging metrics only; it enters no look, and is only held against the decision."""


def is_late(experiment: Experiment, trial: Trial) -> bool:
    """Whether all that a trial measures is lagging."""
    lagging = {metric.name for metric in experiment.metrics if metric.role == "lagging"}
    return bool(trial.metrics) and lagging.issuperset(trial.metrics)


def checked_late(experiment: Experiment, trial: Trial) -> Late:
    """The outcome as it is recorded.

    Raises:
        InvalidInput: for an unknown variant, a value that its kind does not allow, or a unit that is not named.
    """
    checked_trial_of(experiment, trial)
    check_attributes(experiment, trial.attributes)
    if trial.unit is None:
        raise InvalidInput(f"{', '.join(trial.metrics)} came without a unit: a lagging outcome is of one that was met.")
    kept = {"attributes": storable(experiment, trial.attributes)}
    return Late.model_validate(trial.model_dump() | kept)
