"""Verb: what a person says of the last run of a live experiment."""

from typing import Annotated

from pydantic import Field

from experiment_tracker_tools.conduct.advice import uri_of
from experiment_tracker_tools.conduct.live.outcomes import MEASURED, last_run
from experiment_tracker_tools.core.errors import InvalidInput, NotFound
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.core.text import listed
from experiment_tracker_tools.domain.base import ExperimentId, Model, Note, Number, Slug
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback, Rating
from experiment_tracker_tools.domain.trial import Trial, checked_trial_of
from experiment_tracker_tools.workspace import Workspace

RATING = "rating"


class Rated(Model):
    """What rate_run answers.

    Attributes:
        experiment: its id.
        rating: as it was given, 1 to 5.
        metrics: judged metrics, recorded for the run's unit; rating among them as (r - 1) / 4 where it is planned.
        uri, next_action: where the rest is, and what to do now.
    """

    experiment: ExperimentId
    rating: Rating
    metrics: dict[Slug, float] = Field(default_factory=dict)
    uri: str
    next_action: str


@tool("Rate the last run")
def rate_run(
    workspace: Workspace,
    *,
    rating: Rating,
    metrics: Annotated[dict[Slug, Number], Field(max_length=10)] = {},  # noqa: B006 it is never changed
    note: Note = "",
    experiment: ExperimentId | None = None,
) -> Rated:
    """What a person says of the last live run: 1 (bad) to 5 (good), judged metrics of the plan. Never rate yourself."""
    from experiment_tracker_tools.ledger import Batch

    run = last_run(workspace, experiment)
    if run is None:
        raise NotFound(
            "No live run to rate. Use a command, skill or agent that a running experiment serves, then rate."
        )
    found = workspace.ledger.experiment(run.experiment)
    judged = _judged(found, metrics)
    if any(metric.name == RATING for metric in found.metrics):
        judged[RATING] = (rating - 1) / 4
    feedback = Feedback(variant=run.variant, rating=rating, note=note, source="user", unit=run.unit)
    trials: list[Trial] = []
    if judged:
        told = Trial(variant=run.variant, unit=run.unit, key=f"{run.event}-rated", metrics=dict(judged))
        trials.append(checked_trial_of(found, told))
    workspace.ledger.record(found.id, Batch(trials=trials, feedback=[feedback]), provenance="judged")
    return Rated(
        experiment=found.id,
        rating=rating,
        metrics=judged,
        uri=uri_of(found.id),
        next_action="Go on working; a rating informs, and decides nothing by itself.",
    )


def _judged(experiment: Experiment, given: dict[Slug, Number]) -> dict[Slug, float]:
    possible = [metric.name for metric in experiment.metrics if metric.name not in MEASURED and metric.name != RATING]
    if strange := [name for name in given if name not in possible]:
        raise InvalidInput(
            f"{listed(strange)} is not a judged metric of {experiment.id} ({listed(possible) or 'it has none'}). "
            "Leave it out; judged metrics are planned before."
        )
    return dict(given)
