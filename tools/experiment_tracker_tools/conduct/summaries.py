"""One experiment at a glance, as the ledger has it: what pages and reports of many experiments are made of."""

from collections.abc import Sequence
from typing import NamedTuple

from experiment_tracker_tools.conduct.alerts import alerts_of
from experiment_tracker_tools.conduct.looks import damage_told
from experiment_tracker_tools.conduct.standing import Outcome, outcome, progress
from experiment_tracker_tools.domain.alert import Alert
from experiment_tracker_tools.domain.decision import Decision, Look
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.trial import Aggregate, Entry
from experiment_tracker_tools.workspace import Workspace


class Summary(NamedTuple):
    """One experiment at a glance. Effects are those of the newest recorded look or decision; none is computed.

    Attributes:
        units: that told an outcome, by variant.
        trials: how many rows came in.
        done: verdict, estimates and promotion, as recorded.
        look, decision: the newest entry of each.
        alerts: those that matter, the weightiest first.
        damage: what is wrong with the journal's bytes.
        outside: units that got control and are not analysed, by reason.
    """

    experiment: Experiment
    units: dict[str, int]
    trials: int
    done: Outcome
    look: Entry[Look] | None
    decision: Entry[Decision] | None
    alerts: Sequence[Entry[Alert]]
    damage: str | None
    outside: dict[str, int]


def summary_of(workspace: Workspace, experiment: Experiment) -> Summary:
    """Read it; no effect is computed."""
    ledger = workspace.ledger
    return Summary(
        experiment,
        *_counts(workspace, experiment),
        outcome(workspace, experiment),
        ledger.latest(experiment.id, Look),
        ledger.latest(experiment.id, Decision),
        alerts_of(workspace, experiment),
        damage_told(workspace, experiment),
        ledger.statistics(experiment.id).outside,
    )


def _counts(workspace: Workspace, experiment: Experiment) -> tuple[dict[str, int], int]:
    """Units by variant and trials, from the running statistics where those tell units exactly."""
    totals = workspace.ledger.statistics(experiment.id)
    trials = sum(totals.trials.values())
    summed = not trials and workspace.ledger.latest(experiment.id, Aggregate) is not None
    if summed or (totals.amended and totals.repeated):
        return progress(workspace, experiment).units, trials
    names = [variant.name for variant in experiment.variants]
    return {name: totals.trials.get(name, 0) - totals.repeated.get(name, 0) for name in names}, trials
