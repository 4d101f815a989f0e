"""run_trials over MCP: a person agrees to the command, progress is told while it runs, a cancelled call ends it."""

from typing import Annotated, Any

import anyio
from anyio.to_thread import run_sync
from mcp.server.mcpserver import Context, Elicit, Resolve
from mcp.server.mcpserver.tools import Tool
from mcp_types import CallToolResult
from pydantic import Field

from experiment_tracker_server.binding import asking, replied, told_to_the_model
from experiment_tracker_server.confirm import Answer, Confirmation, agreed, can_ask, kept, question_for
from experiment_tracker_tools import run as run_file
from experiment_tracker_tools.conduct.confirming import Token
from experiment_tracker_tools.conduct.runs.detached import interrupt
from experiment_tracker_tools.conduct.runs.folder import found_run
from experiment_tracker_tools.domain.base import ExperimentId
from experiment_tracker_tools.domain.run import Command, RunId, RunOptions, Tasks
from experiment_tracker_tools.run import Options, Ran
from experiment_tracker_tools.workspace import Workspace

FOLLOWED_S = 50.0
_EVERY_S = 0.5
_NONE = RunOptions.model_construct()


def run_tool(workspace: Workspace) -> Tool:
    """The run_trials tool of a workspace."""

    def propose(
        experiment: ExperimentId,
        *,
        command: Command | None,
        tasks: Tasks,
        options: Options,
        run: RunId | None,
        confirm: Token | None,
    ) -> Ran:
        with told_to_the_model(workspace):
            return run_file.run_trials(
                workspace,
                experiment=experiment,
                command=command,
                tasks=tasks,
                options=options,
                run=run,
                confirm=confirm,
            )

    def ask(
        context: Context[Any, Any], proposal: Annotated[Ran, Resolve(propose)]
    ) -> Confirmation | Elicit[Confirmation]:
        return question_for(context, proposal.question)

    async def run_trials(
        experiment: ExperimentId,
        proposal: Annotated[Ran, Resolve(propose)],
        answer: Annotated[Answer, Resolve(ask)],
        *,
        context: Context[Any, Any],
        command: Annotated[Command | None, _TOLD["command"]] = None,
        tasks: Tasks = (),
        options: Options = _NONE,
        run: Annotated[RunId | None, _TOLD["run"]] = None,
        confirm: Token | None = None,  # noqa: ARG001 `propose` takes it by name
    ) -> CallToolResult:
        if proposal.question is not None and not agreed(proposal.question, answer):
            return replied(kept(proposal, answer, asked=can_ask(context)))
        with told_to_the_model(workspace):
            if proposal.question is not None:

                def begin() -> Ran:
                    return run_file.run_trials(
                        workspace,
                        experiment=experiment,
                        command=command,
                        tasks=tasks,
                        options=options,
                        confirm=proposal.confirm,
                    )

                proposal = await run_sync(begin)
            if run is None and proposal.run is not None and proposal.goes_on:
                await _followed(workspace, experiment, proposal.run, context)
                proposal = await run_sync(run_file.reported, workspace, experiment, proposal.run)
            return replied(proposal)

    run_trials.__doc__ = run_file.run_trials.__doc__
    return asking(run_trials)


_TOLD: dict[str, Any] = {
    name: Field(description=told)
    for name, told in {
        "command": "words; one text goes to /bin/sh. {task}, {variant}",
        "run": "ask how that run stands",
    }.items()
}


async def _followed(workspace: Workspace, experiment: str, run: str, context: Context[Any, Any]) -> None:
    """Tell progress until the run ends or goes on without us; a call that is cancelled ends it."""
    planned = workspace.ledger.experiment(experiment)
    total = planned.plan.sample_size * len(planned.variants)
    try:
        with anyio.move_on_after(FOLLOWED_S):
            while True:
                state = await run_sync(found_run, workspace, planned, run)
                done = sum(tally.trials for tally in state.tallies.values())
                failed = sum(tally.failures for tally in state.tallies.values())
                await context.report_progress(done, total, f"{done} trials, {failed} failed. {state.look[:200]}")
                if state.ended is not None:
                    return
                await anyio.sleep(_EVERY_S)
    except anyio.get_cancelled_exc_class():
        interrupt(run)
        raise
