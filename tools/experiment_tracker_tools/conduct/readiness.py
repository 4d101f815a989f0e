"""The gate before the start: variants reachable and different, a smoke trial, a proven way back, an armed breaker."""

from collections.abc import Sequence

from experiment_tracker_tools.conduct.outside import in_words, never_here, not_now
from experiment_tracker_tools.core.errors import ExperimentError, IllegalStep
from experiment_tracker_tools.core.text import listed
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.seal import Check
from experiment_tracker_tools.domain.trial import Trial, checked_trial
from experiment_tracker_tools.workspace import Workspace


def readiness(workspace: Workspace, experiment: Experiment, smoke: Sequence[Trial]) -> tuple[Check, ...]:
    """Check everything; nothing raises, so that one failure does not hide another.

    Args:
        workspace, experiment: what is to start.
        smoke: a trial of each variant, made to see that every planned metric arrives; never stored nor analysed.
    """
    return (
        _variants(workspace, experiment),
        _smoke(experiment, smoke),
        _way_back(workspace, experiment),
        _breaker(experiment),
        *([] if experiment.plan.eligibility.everyone else [_eligible(workspace, experiment)]),
    )


def refuse_unready(experiment: Experiment, checks: Sequence[Check], reason: str) -> None:
    """Let an experiment pass that is ready, or whose failures somebody answers for.

    Raises:
        IllegalStep: naming what failed.
    """
    failed = [check.told for check in checks if check.passed is False]
    if failed and not reason:
        raise IllegalStep(
            f"{experiment.id} is not ready: {' '.join(failed)} Nothing was changed; mend it, or start with a `reason`."
        )


def _variants(workspace: Workspace, experiment: Experiment) -> Check:
    if not experiment.subject.files:
        return Check(name="variants", passed=None, told="The variants are not files; nobody could compare them.")
    if experiment.capture is None or workspace.worktree is None:
        return Check(name="variants", passed=None, told="The files are not in git; nobody could compare them.")
    from experiment_tracker_tools.vcs import refs

    held = experiment.capture.variants
    try:
        refs.checked_commits(workspace.worktree, [each.commit for each in held.values()])
    except ExperimentError as error:
        return Check(name="variants", passed=False, told=str(error))
    if same := [variant.name for variant in experiment.treatments if held[variant.name].identical]:
        return Check(name="variants", passed=False, told=f"{listed(same)} equals control byte for byte.")
    return Check(name="variants", passed=True, told=f"{len(held)} variants are in git and differ.")


def _smoke(experiment: Experiment, smoke: Sequence[Trial]) -> Check:
    if not smoke:
        return Check(name="smoke", passed=None, told="No smoke trial was given.")
    lacking: list[str] = []
    for variant in experiment.variants:
        found = [trial for trial in smoke if trial.variant == variant.name]
        told = {name for trial in found for name in trial.metrics}
        lacking += [] if found else [f"{variant.name} has none"]
        # What becomes known only after the decision cannot be in a smoke trial.
        absent = [m.name for m in experiment.metrics if m.role != "lagging" and m.name not in told]
        lacking += [f"{variant.name} lacks {listed(absent)}"] if found and absent else []
    try:
        for trial in smoke:
            checked_trial(experiment, trial)
    except ExperimentError as error:
        lacking.append(str(error))
    if lacking:
        return Check(name="smoke", passed=False, told=f"Smoke trials: {'; '.join(lacking)}.")
    return Check(name="smoke", passed=True, told=f"{len(smoke)} smoke trials tell every planned metric.")


def _way_back(workspace: Workspace, experiment: Experiment) -> Check:
    if experiment.capture is None or workspace.worktree is None:
        return Check(name="rollback", passed=None, told="Nothing of it is promoted in git.")
    from experiment_tracker_tools.vcs.planref import undoes_exactly

    capture = experiment.capture
    try:
        for variant in experiment.treatments:
            commit = capture.variants[variant.name].commit
            exact = undoes_exactly(
                workspace.worktree, baseline=capture.baseline, variant=commit, paths=experiment.subject.files
            )
            if not exact:
                told = f"Taking {variant.name} back does not give the baseline's blobs."
                return Check(name="rollback", passed=False, told=told)
    except ExperimentError as error:
        return Check(name="rollback", passed=False, told=str(error))
    return Check(name="rollback", passed=True, told="Taking each variant back gives the baseline, blob for blob.")


def _breaker(experiment: Experiment) -> Check:
    if not experiment.plan.automatic_rollback:
        told = "automatic_rollback is off in the plan: harm is told, and a person rolls back."
        return Check(name="breaker", passed=None, told=told)
    watched = [m.name for m in experiment.metrics if m.role in {"primary", "guardrail"}]
    return Check(name="breaker", passed=True, told=f"Harm to {listed(watched)} sends everybody back to control.")


def _eligible(workspace: Workspace, experiment: Experiment) -> Check:
    """Whom the plan takes: nobody in another repository ever is; on another branch, or by what a run tells, one may."""
    if never := never_here(workspace, experiment):
        return Check(name="eligible", passed=False, told=f"Everybody here is {in_words(experiment, never)}.")
    if why := not_now(workspace, experiment):
        return Check(name="eligible", passed=None, told=f"As it is now, everybody here is {in_words(experiment, why)}.")
    return Check(name="eligible", passed=True, told=f"Takes {experiment.plan.eligibility.told}.")
