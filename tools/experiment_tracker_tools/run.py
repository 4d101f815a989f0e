"""Verb: run the user's own command under every variant, measured by us."""

from typing import Annotated

from pydantic import Field, WithJsonSchema

from experiment_tracker_tools.conduct.confirming import Token, check_token, proposed
from experiment_tracker_tools.conduct.runs.detached import start, told_at_the_end
from experiment_tracker_tools.conduct.runs.earlier import measured_otherwise
from experiment_tracker_tools.conduct.runs.folder import found_run
from experiment_tracker_tools.conduct.runs.outcomes import sources_of
from experiment_tracker_tools.conduct.runs.runner import FUTILE
from experiment_tracker_tools.conduct.runs.running import check_runnable
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.registry import tool
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import ExperimentId, Model
from experiment_tracker_tools.domain.experiment import Experiment
from experiment_tracker_tools.domain.run import Command, RunId, RunOptions, RunSpec, RunState, Tasks
from experiment_tracker_tools.workspace import Workspace

_READABLE = 400
Options = Annotated[
    RunOptions,
    WithJsonSchema(
        {
            "type": "object",
            "description": "metrics {name: wall | cpu | peak | success | json:/P | regex:R}, parse (claude), setup, "
            "warmup, timeout_s, cpus, trials | seconds | usd (budgets), pilot (A/A pairs first)",
        }
    ),
]


class Ran(Model):
    """What run_trials answers.

    Attributes:
        experiment, run: which; give `run` to ask again.
        question: what a person is asked, with the command as it would run; nothing runs before.
        confirm: one-time token; give it back once the person has agreed.
        goes_on: it runs in the background.
        ended: why it is over.
        trials: by variant: recorded of planned, failures.
        usd: what the command says that it cost.
        look: the last look that the plan allowed, and what decide would say.
        pilot: what the pilot found.
        notes: what changes how the result is to be read.
        next_action: what to do now.
    """

    experiment: ExperimentId
    run: RunId | None = None
    question: str | None = None
    confirm: str | None = None
    goes_on: bool = False
    ended: str | None = None
    trials: dict[str, str] | None = None
    usd: float | None = None
    look: str | None = None
    pilot: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    next_action: str


@tool("Run trials", destructive=True, open_world=True, asks_a_person=True)
def run_trials(
    workspace: Workspace,
    *,
    experiment: ExperimentId,
    command: Annotated[Command | None, Field(description="words; one text goes to /bin/sh. {task}, {variant}")] = None,
    tasks: Tasks = (),
    options: Options = RunOptions.model_construct(),  # noqa: B008 it is frozen
    run: Annotated[RunId | None, Field(description="ask how that run stands")] = None,
    confirm: Token | None = None,
) -> Ran:
    """Run the user's own command under every variant, each in a git worktree, and record measured trials.

    Order is randomised in blocks; it stops by the plan, goes on in the background, and goes on where it was cut off.
    """
    found = workspace.ledger.experiment(experiment)
    if run is not None:
        return reported(workspace, experiment, run)
    spec = ordered(command, tasks, options)
    sources_of(found, spec)
    if spec.pilot is None:
        check_runnable(workspace, found, spec)
    asked = question(workspace, found, spec)
    proposal = proposed(workspace, found, "run", f"{asked}\0{spec.model_dump_json()}")
    if confirm is None:
        return Ran(
            experiment=experiment,
            question=asked,
            confirm=proposal.token,
            next_action="Show the question to the person; after a yes, call again with the same arguments and confirm.",
        )
    check_token(proposal, confirm)
    return reported(workspace, experiment, start(workspace, found, spec))


def ordered(command: Command | None, tasks: Tasks, options: RunOptions) -> RunSpec:
    """What is asked for, as one.

    Raises:
        InvalidInput: without a command, or for tasks without a place in it.
    """
    if command is None:
        raise InvalidInput('Give command, such as ["python3", "work.py"]; or run, to ask how a run stands.')
    try:
        return RunSpec.model_validate({**options.model_dump(), "command": command, "tasks": tasks})
    except ValueError as error:
        told = str(error).splitlines()[-2].strip().removeprefix("Value error, ").partition(" [type=")[0]
        raise InvalidInput(f"{told}. Mend the command or the tasks.") from error


def question(workspace: Workspace, experiment: Experiment, spec: RunSpec) -> str:
    """What a person is asked: all that will run, as it will run.

    Raises:
        InvalidInput: if it is too long to be read.
    """
    setup = RunSpec(command=spec.setup).shown() if spec.setup is not None else ""
    if len(shown := spec.shown()) + len(setup) > _READABLE:
        raise InvalidInput(
            f"The command has {len(shown) + len(setup)} characters; a person must be able to read it, so at most "
            f"{_READABLE}. Write it into a script and run that."
        )
    where = "in a git worktree of each" if experiment.capture is not None else f"in {workspace.directory.name}"
    with_tasks = f" with {len(spec.tasks)} tasks ({quoted(spec.tasks[0], 40)}, ...)" if spec.tasks else ""
    before = f", after setup {setup}" if setup else ""
    if spec.pilot is not None:
        return f"Run {shown}{with_tasks}{before} {2 * spec.pilot} times as {experiment.control.name}. Continue?"
    names = ", ".join(variant.name for variant in experiment.variants[:4])
    plan = experiment.plan
    most = f", or {plan.horizon} where the plan goes on," if plan.horizon > plan.sample_size else ""
    other = measured_otherwise(workspace, experiment, spec)
    beware = f" Beware: {other}." if other is not None else ""
    return (
        f"Run {shown}{with_tasks}{before}, under {names}, {where}, until {plan.sample_size} trials a variant{most} of "
        f"{experiment.id} are recorded.{beware} It runs with your rights. Continue?"
    )


def reported(workspace: Workspace, experiment: str, run: str) -> Ran:
    """How a run stands.

    Raises:
        NotFound: if there is no such run.
    """
    if (last_words := told_at_the_end(workspace, run)) is not None:
        raise InvalidInput(f"{run} ended before it ran a trial: {last_words}")
    found = workspace.ledger.experiment(experiment)
    return told(found, found_run(workspace, found, run))


def told(experiment: Experiment, state: RunState) -> Ran:
    """A run's state as a reply."""
    planned = experiment.plan.sample_size
    return Ran(
        experiment=experiment.id,
        run=state.run,
        goes_on=state.ended is None,
        ended=state.ended_why or None,
        trials={
            name: f"{tally.trials}{'' if state.pilot else f' of {planned}'}"
            + (f", {tally.failures} failed" if tally.failures else "")
            + (f", {tally.unmeasured} without a value" if tally.unmeasured else "")
            for name, tally in state.tallies.items()
        }
        or None,
        usd=None if state.usd is None else round(state.usd, 4),
        look=state.look or None,
        pilot=state.pilot,
        notes=state.notes,
        next_action=_next(state),
    )


def _next(state: RunState) -> str:
    if state.ended is None:
        return f"Ask again with run = {state.run}, or see status; transition_experiment (pause) ends it."
    if state.pilot:
        return "Adjust the plan if the pilot says so; else start it and run without pilot."
    if state.ended_why == f"verdict {FUTILE}":
        return "Futility is advice: decide, or call run_trials again to go on in spite of it."
    if state.ended_why.startswith(("verdict", "the planned size")):
        return "Call decide to record the verdict."
    return "Call run_trials again to go on."
