"""Trials run block by block under every variant until the plan, a verdict, the budget or a person ends it."""

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager

from experiment_tracker_tools.conduct.outside import check_run_is_inside
from experiment_tracker_tools.conduct.runs.folder import RunFolder
from experiment_tracker_tools.conduct.runs.interrupts import Interrupts
from experiment_tracker_tools.conduct.runs.measuring import Interrupted, Measurer
from experiment_tracker_tools.conduct.runs.outcomes import sources_of
from experiment_tracker_tools.conduct.runs.places import check_difference
from experiment_tracker_tools.conduct.runs.runner import Runner
from experiment_tracker_tools.core.errors import ExperimentError, IllegalStep, InvalidInput
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import RunSpec, RunState
from experiment_tracker_tools.workspace import Workspace

Watch = Callable[[RunState], None]


def check_runnable(workspace: Workspace, experiment: Experiment, spec: RunSpec) -> None:
    """Let a run pass that the plan allows.

    Raises:
        IllegalStep, InvalidInput: with what to do instead.
    """
    if experiment.state != "running":
        how = {"planned": "start it", "implemented": "start it", "paused": "resume it"}.get(experiment.state)
        told = f"{how} first (transition_experiment)" if how else "it takes no more trials; plan one that iterates it"
        raise IllegalStep(f"{experiment.id} is {experiment.state}: {told}. Not run.")
    if experiment.plan.block_size is None:
        raise InvalidInput(
            f"{experiment.id} assigns by hashing; trials are run in blocks. Plan it anew with "
            'plan {"scheme": "blocks"} (the default for commands, prompts and performance).'
        )
    if experiment.plan.phases:
        raise InvalidInput(
            f"{experiment.id} takes a share of the units that come; a run makes its own. Plan without phases."
        )
    if experiment.plan.endless and (spec.trials, spec.seconds, spec.usd, spec.pilot) == (None,) * 4:
        raise InvalidInput(
            f"{experiment.id} is always_valid without n_max: without an effect it would never end. Give a budget "
            "(trials, seconds or usd)."
        )
    check_run_is_inside(workspace, experiment, spec)
    sources_of(experiment, spec)
    check_difference(experiment, spec)


def run(workspace: Workspace, experiment: Experiment, spec: RunSpec, folder: RunFolder, watch: Watch) -> RunState:
    """Run trials to the end; the run is recorded however it ends.

    Args:
        workspace: whose ledger.
        experiment: a running one, assigned in blocks.
        spec: what is run.
        folder: the run's own.
        watch: told the state whenever it has changed.

    Raises:
        ExperimentError: if it could not begin, or the store fails; what was recorded until then stays recorded.
    """
    check_runnable(workspace, experiment, spec)
    workspace.check_on()
    folder.hold()
    runner = Runner(workspace, experiment, spec, folder, watch)
    with Interrupts() as interrupts, _sparing_collector():
        try:
            with Measurer(spec.cpus) as measurer:
                why = runner.go(measurer, interrupts)
        except (KeyboardInterrupt, Interrupted):
            why = "interrupted; the same call goes on where it stopped"
        except ExperimentError as error:
            runner.end(f"refused: {error}")
            raise
        return runner.end(why)


@contextmanager
def _sparing_collector() -> Generator[None]:
    """Keep the collector off what is loaded by now: walking it again and again was a twelfth of a trial's cost."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
