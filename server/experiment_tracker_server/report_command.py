"""`report` on the command line: the verb, and for cron the document itself on standard output."""

from pathlib import Path

import click

from experiment_tracker_server.commands import command_of, fail
from experiment_tracker_tools.conduct.cadence import Cadence
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.report import Form, write_report, written
from experiment_tracker_tools.workspace import Workspace


def report_command() -> click.Command:
    """The verb's own command with --print."""
    plain = command_of(write_report)
    answer = plain.callback
    assert answer is not None
    form = next(each for each in plain.params if each.name == "form")
    form.opts.append("--format")
    plain.params.append(click.Option(["--print", "prints"], is_flag=True, help="Print the document, for a pipe."))
    plain.help = (
        f"{plain.help}\n\nFor cron: experiment-tracker report --cadence weekly --format slack --print | "
        'curl -sS --json @- "$WEBHOOK"'
    )

    def call(
        *, experiment: str | None, cadence: Cadence | None, form: Form | None, prints: bool, json_output: bool
    ) -> None:
        if not prints:
            answer(json_output=json_output, experiment=experiment, cadence=cadence, form=form)
            return
        workspace = Workspace(Path.cwd(), door="cli")
        try:
            done = written(workspace, experiment=experiment, cadence=cadence, form=form or "markdown")
        except ExperimentError as error:
            fail(error, json_output=json_output)
        click.echo(done.text, nl=False)

    plain.callback = call
    return plain
