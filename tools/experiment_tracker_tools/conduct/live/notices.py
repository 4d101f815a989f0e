"""What a person should hear of once, at the start of a session: planned n, runtime, breaker, verdict, silence."""

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from experiment_tracker_tools.conduct.aftercare import worsened
from experiment_tracker_tools.conduct.ratings import request
from experiment_tracker_tools.conduct.standing import outcome, progress
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.lifecycle import ENDED
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.surroundings import changes

_SILENT = timedelta(days=3)


class Notice(NamedTuple):
    """One line, told once.

    Attributes:
        id: the same for the same news; text: the line.
        experiment, variant: told only while the last run was of them; empty otherwise.
    """

    id: str
    text: str
    experiment: str = ""
    variant: str = ""


def notices(workspace: Workspace) -> list[Notice]:
    """The news of every experiment that goes on, the most pressing first."""
    found: list[tuple[int, Notice]] = []
    for experiment in workspace.ledger.experiments():
        if experiment.archived or (experiment.state in ENDED and experiment.state != "completed"):
            continue
        try:
            found += [(weight, _notice(experiment, text)) for weight, text in _news(workspace, experiment)]
            found += [(4, each) for each in _requests(workspace, experiment)]
        except ExperimentError:
            continue
    return [notice for _, notice in sorted(found, key=lambda each: each[0])]


def _news(workspace: Workspace, experiment: Experiment) -> list[tuple[int, str]]:
    news: list[tuple[int, str]] = []
    if experiment.state == "completed":
        worse = worsened(workspace, experiment)
        told = f"got worse since its promotion: {worse}"[:400] + ": /meta_experiment rollback undoes it"
        return [(0, told)] if worse is not None else []
    last = experiment.history[-1]
    if experiment.state == "paused" and last.by == "monitor":
        news.append((0, f"was paused by the watch: {last.reason[:120]}"))
    started = experiment.entered("running")
    if experiment.state not in {"running", "paused"} or started is None:
        return news
    if workspace.clock() > _first_start(experiment) + timedelta(days=experiment.plan.max_runtime_days):
        news.append((1, "is past its runtime: analyze and decide it"))
    done = outcome(workspace, experiment)
    if done.verdict is not None:
        news.append((1, f"has a verdict: {done.verdict}"))
    elif progress(workspace, experiment).due:
        news.append((2, "has its planned units: analyze, then decide"))
    if experiment.plan.live is not None:
        news += [(2, told) for told in changes(workspace, experiment)]
    if experiment.plan.live is not None and _is_silent(workspace, experiment):
        news.append((3, f"has recorded nothing for {_SILENT.days} days: is the plugin on, is the asset still used?"))
    return news


def _is_silent(workspace: Workspace, experiment: Experiment) -> bool:
    started = experiment.entered("running")
    exposures = workspace.ledger.journal(experiment.id).exposures
    newest = max([entry.at for entry in exposures[-1:]] + ([started.at] if started else []))
    return workspace.clock() > newest + _SILENT


def _requests(workspace: Workspace, experiment: Experiment) -> list[Notice]:
    """A rating asked for, once for each variant."""
    text = request(workspace, experiment)
    if text is None:
        return []
    asked = ((variant.name, f"rate {experiment.id} {variant.name}") for variant in experiment.variants)
    return [Notice(hashlib.sha256(about.encode()).hexdigest()[:16], text, experiment.id, name) for name, about in asked]


def _first_start(experiment: Experiment) -> datetime:
    return next(step.at for step in experiment.history if step.state == "running")


def _notice(experiment: Experiment, text: str) -> Notice:
    told = f"Experiment {experiment.id} {text}."
    return Notice(hashlib.sha256(told.encode()).hexdigest()[:16], told)
