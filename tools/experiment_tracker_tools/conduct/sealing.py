"""The plan sealed at the start: canonical text, its hash in the ledger, and a commit where there is a repository."""

import hashlib

from experiment_tracker_tools.core.errors import GitRefused
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seal import Check, Seal
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.sealed import canonical


def sealed(workspace: Workspace, experiment: Experiment, checks: tuple[Check, ...], *, override: str = "") -> Seal:
    """The seal of an experiment, its commit made; recorded by whoever starts it.

    Raises:
        GitRefused: if the variants are files in git and git fails; without such files the ledger alone holds the plan.
    """
    text = canonical(experiment)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Seal(sha256=digest, plan=text, commit=_commit(workspace, experiment, text), checks=checks, override=override)


def _commit(workspace: Workspace, experiment: Experiment, text: str) -> str | None:
    if workspace.worktree is None:
        return None
    from experiment_tracker_tools.vcs.planref import keep_plan

    try:
        return keep_plan(workspace.worktree, experiment.id, text.encode(), at=workspace.clock())
    except GitRefused:
        if experiment.subject.files:
            raise
        return None
