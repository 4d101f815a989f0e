"""What a person, and the plugin's hooks, do with experiments that are served live: end the serving, and tend to it."""

import json
from pathlib import Path

import click

from experiment_tracker_server.commands import fail
from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.workspace import Workspace

_JSON = click.option("--json", "json_output", is_flag=True, help="Print the reply as JSON.")


@click.command(name="detach")
@_JSON
def detach_command(*, json_output: bool) -> None:
    """Serve every command, skill and agent itself again, and pause its experiment. Do this before uninstalling."""
    from experiment_tracker_tools.conduct.live.outcomes import measure_runs
    from experiment_tracker_tools.conduct.live.serving import attached, detach
    from experiment_tracker_tools.lifecycle import transition_experiment

    workspace = Workspace(Path.cwd(), door="cli")
    done: list[str] = []
    left: list[str] = []
    try:
        measure_runs(workspace)
        for experiment in attached(workspace):
            if workspace.ledger.experiment(experiment).state == "running":
                transition_experiment(workspace, experiment=experiment, action="pause", reason="detached")
            left += detach(workspace, experiment, forget=False)
            done.append(experiment)
    except ExperimentError as error:
        fail(error, json_output=json_output)
    if json_output:
        click.echo(json.dumps({"detached": done, "left": left}))
    else:
        click.echo(f"detached and paused: {', '.join(done)}" if done else "nothing is served live")
        for each in left:
            click.echo(f"left as it is: {each}", err=True)
    raise SystemExit(1 if left else 0)


@click.command()
@_JSON
def tend(*, json_output: bool) -> None:
    """Record what ran in Claude Code, put back what is no longer served, and do what the sealed plans allow.

    The plugin starts this by itself, every few hours while something is served live.
    """
    from experiment_tracker_tools.monitor import monitor_experiments

    workspace = Workspace(Path.cwd(), door="monitor")
    done = list(catch_up(workspace))
    try:
        passed = monitor_experiments(workspace, apply=True) if workspace.folder.is_dir() else None
    except ExperimentError as error:
        fail(error, json_output=json_output)
    done += [f"{seen.experiment}: {told}" for seen in (passed.seen if passed else ()) for told in seen.done]
    done += catch_up(workspace)
    click.echo(json.dumps({"done": done}) if json_output else "\n".join(done) or "nothing to do")


COMMANDS: tuple[click.Command, ...] = (detach_command, tend)
