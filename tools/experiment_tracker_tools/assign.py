"""Verb: which variant a unit meets."""

from experiment_tracker_tools.conduct.exposing import exposed
from experiment_tracker_tools.conduct.outside import in_words, left_outside
from experiment_tracker_tools.core.errors import ConsentMissing, IllegalStep
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.domain.base import ExperimentId, Model, Slug, UnitId
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Attributes, check_attributes, storable
from experiment_tracker_tools.workspace import Workspace


class Assigned(Model):
    """What assign_unit answers.

    Attributes:
        experiment: its id.
        unit: as it was given.
        variant: what the unit meets.
        propensity: probability of this variant; 1 where everybody gets control.
        exposure: whether the unit counts in the analysis.
        reason: why it gets control and is not analysed.
        next_action: what to do now.
    """

    experiment: ExperimentId
    unit: UnitId
    variant: Slug
    propensity: float | None = None
    exposure: bool
    reason: str | None = None
    next_action: str


@tool("Assign a unit", idempotent=True)
def assign_unit(
    workspace: Workspace,
    *,
    experiment: ExperimentId,
    unit: UnitId,
    attributes: Attributes = {},  # noqa: B006 nobody changes it
) -> Assigned:
    """Give a unit (session, task, user) its variant: sticky, in exact shares; the exposure is recorded first."""
    found = workspace.ledger.experiment(experiment)
    check_attributes(found, attributes)
    reason = workspace.why_off or _why_control(found)
    if reason is not None:
        return _control(found, unit, reason)
    if why := left_outside(workspace, found, unit, attributes):
        return _control(found, unit, f"the unit is {in_words(found, why)}")
    try:
        (exposure,) = exposed(workspace, found, [unit], attributes=storable(found, attributes))
    except ConsentMissing as error:
        return _control(found, unit, str(error))
    return Assigned(
        experiment=experiment,
        unit=unit,
        variant=exposure.variant,
        propensity=exposure.propensity,
        exposure=True,
        next_action=f"Use {exposure.variant}; then record_trial with this unit and variant.",
    )


def _control(experiment: Experiment, unit: str, reason: str) -> Assigned:
    return Assigned(
        experiment=experiment.id,
        unit=unit,
        variant=experiment.control.name,
        propensity=1.0,
        exposure=False,
        reason=reason,
        next_action="Use control; this unit is not analysed.",
    )


def _why_control(experiment: Experiment) -> str | None:
    """Why everybody gets control; None while it runs.

    Raises:
        IllegalStep: before it was started, when asking is a mistake.
    """
    if experiment.state in {"planned", "implemented"}:
        raise IllegalStep(f"{experiment.id} is {experiment.state}. Start it first: transition_experiment (start).")
    if experiment.state != "running":
        return f"the experiment is {experiment.state}"
    return None
