"""The command line as a whole: the verbs, and what only a person at a terminal does."""

import json
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click

from experiment_tracker_server import doctor, live_commands, sharing, store
from experiment_tracker_server.catalog import FILES, told_of, verb_of
from experiment_tracker_server.commands import command_of, fail
from experiment_tracker_server.dashboard.command import dashboard
from experiment_tracker_server.later import Commands, Later
from experiment_tracker_server.learn import learn
from experiment_tracker_server.template import template
from experiment_tracker_server.wording import NAMES
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.switch import switch

_JSON = click.option("--json", "json_output", is_flag=True, help="Print the reply as JSON.")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("experiment-tracker-mcp"), prog_name="experiment-tracker")
def group() -> None:
    """Honest A/B experiments on prompts, commands, code in git and flags: plan, record, analyze, decide, promote.

    A round: design, transition start, assign and record, analyze, decide, promote, rollback.
    """


@group.command()
def serve() -> None:
    """Serve the tools over MCP on standard input and output."""
    from experiment_tracker_server.serving import serve as start

    start()


@group.command()
@click.option("--keep", is_flag=True, help="Keep the demo's repository and say where it is.")
def demo(*, keep: bool) -> None:
    """Run a real experiment from design to rollback through our own server, in a throw-away repository."""
    from experiment_tracker_server.demo.run import run

    run(keep=keep)


@group.command(name="doctor")
@click.option("--mend", is_flag=True, help="Finish or undo what was interrupted; put back what is served no longer.")
@_JSON
def doctor_command(*, mend: bool, json_output: bool) -> None:
    """Check versions, store, git and plugin; each is ok or comes with its mend."""
    workspace = Workspace(Path.cwd(), door="cli")
    findings = [*(doctor.mend(workspace) if mend else ()), *doctor.examine(workspace)]
    if json_output:
        click.echo(json.dumps([finding._asdict() for finding in findings], ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(f"{'ok  ' if finding.ok else 'MEND'}  {finding.what}: {finding.told}")
    raise SystemExit(0 if all(finding.ok for finding in findings) else 1)


@group.command()
@_JSON
def off(*, json_output: bool) -> None:
    """Pause every experiment of this project at once: all units get control until `on`."""
    _switch(off=True, json_output=json_output)


@group.command()
@_JSON
def on(*, json_output: bool) -> None:
    """End `off`."""
    _switch(off=False, json_output=json_output)


def _switch(*, off: bool, json_output: bool) -> None:
    workspace = Workspace(Path.cwd(), door="cli")
    try:
        workspace.make_ready()
        switch(workspace.folder, off=off)
    except ExperimentError as error:
        fail(error, json_output=json_output)
    reason = workspace.why_off
    if json_output:
        click.echo(json.dumps({"off": reason is not None, "reason": reason}))
    else:
        click.echo(f"Experiments are off: {reason}." if reason else "Experiments are on.")


def _itself(verb: str) -> click.Command:
    """The subcommand of a verb: made from its signature, with what its terminal form has beside it."""
    if verb == "run_trials":
        from experiment_tracker_server.run_command import run_command

        return run_command
    if verb == "scan_flags":
        from experiment_tracker_server.scan_command import scan_command

        return scan_command()
    if verb == "write_report":
        from experiment_tracker_server.report_command import report_command

        return report_command()
    return command_of(verb_of(verb))


for verb in FILES:
    told = told_of(verb)["description"].partition("\n")[0]
    group.add_command(Later(NAMES.get(verb, verb), told=told, load=partial(_itself, verb)))
group.add_command(dashboard)
group.add_command(learn)
group.add_command(template)
for command in (*store.COMMANDS, *sharing.COMMANDS, *live_commands.COMMANDS):
    group.add_command(command)
