"""Ratings of live runs: asked for once a variant, equally often, and how many runs have none."""

from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.feedback import Feedback
from experiment_tracker_tools.domain.live import served_asset
from experiment_tracker_tools.workspace import Workspace


def unrated(workspace: Workspace, experiment: Experiment) -> str | None:
    """How many live runs nobody has rated; None where nothing was served live."""
    runs = sum(_runs(workspace, experiment).values())
    if experiment.plan.live is None or not runs:
        return None
    rated = sum(entry.content.source == "user" for entry in workspace.ledger.entries(experiment.id, Feedback))
    missing = max(0, runs - rated)
    return f"{missing} of {runs} runs ({missing / runs:.0%})"


def request(workspace: Workspace, experiment: Experiment) -> str | None:
    """The line that asks for a rating of the last run; the same for every variant, so that it tells none.

    Only once every variant has been met often enough: then each of them can be asked for, and each is once.
    """
    live = experiment.plan.live
    if live is None or not live.rate_after or experiment.state != "running":
        return None
    runs = _runs(workspace, experiment)
    if min(runs[variant.name] for variant in experiment.variants) < live.rate_after:
        return None
    name = served_asset(live, experiment.subject.files).name
    return f"How good was the last run of {name}? /meta_experiment rate 1 to 5 (asked once; {experiment.id})."


def _runs(workspace: Workspace, experiment: Experiment) -> dict[str, int]:
    met = {variant.name: 0 for variant in experiment.variants}
    for entry in workspace.ledger.journal(experiment.id).trials:
        met[entry.content.variant] += entry.provenance == "hook"
    return met
