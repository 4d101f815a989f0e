"""`experiment-tracker run`: trials measured in front of a person, with a progress bar where there is a terminal."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from experiment_tracker_server import render
from experiment_tracker_server.commands import ask_a_person, fail
from experiment_tracker_server.run_progress import watching
from experiment_tracker_server.wording import explained
from experiment_tracker_tools.conduct.runs.folder import RunFolder, new_run_id
from experiment_tracker_tools.conduct.runs.pilot import pilot
from experiment_tracker_tools.conduct.runs.running import check_runnable, run
from experiment_tracker_tools.core.errors import ExperimentError, InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.run import Command, RunOptions
from experiment_tracker_tools.run import ordered, question, told
from experiment_tracker_tools.workspace import Workspace

_NUMBERS: tuple[tuple[str, type, str], ...] = (
    ("warmup", int, "Runs of every variant before the first trial, not recorded (1)."),
    ("timeout_s", float, "A trial is ended after it and recorded with this time (600)."),
    ("trials", int, "Budget: at most so many trials."),
    ("seconds", float, "Budget: at most so long."),
    ("usd", float, "Budget: at most so much, where the command tells its cost."),
    ("pilot", int, "Pairs of runs of control alone, not recorded: noise, achievable mde, headroom."),
)


def _run(
    experiment: str,
    command: tuple[str, ...],
    *,
    shell: str | None,
    tasks: str | None,
    metric: tuple[str, ...],
    cpus: str | None,
    yes: bool,
    json_output: bool,
    **options: object,
) -> None:
    workspace = Workspace(Path.cwd(), door="cli")
    try:
        given: dict[str, object] = {name: value for name, value in options.items() if value is not None}
        given["metrics"] = _metrics(metric)
        if cpus is not None:
            given["cpus"] = _numbers(cpus)
        spec = ordered(_command(command, shell), _tasks(tasks), _checked(given))
        found = workspace.ledger.experiment(experiment)
        if spec.pilot is None:
            check_runnable(workspace, found, spec)
        asked = question(workspace, found, spec)
        if not yes:
            ask_a_person(asked, json_output=json_output)
        folder = RunFolder(workspace, new_run_id())
        with watching(found, spec, quiet=json_output) as watch:
            state = (pilot if spec.pilot is not None else run)(workspace, found, spec, folder, watch)
    except ExperimentError as error:
        fail(error, json_output=json_output)
    render.show(told(found, state), json_output=json_output)
    sys.exit(130 if state.ended_why.startswith("interrupted") else 0)


def _command(words: tuple[str, ...], shell: str | None) -> Command | None:
    if words and shell is not None:
        raise InvalidInput("Give the command either behind -- or as --shell TEXT, not both.")
    return shell if shell is not None else words or None


def _tasks(given: str | None) -> tuple[str, ...]:
    """Tasks from a JSON list, or from a file: JSON too, or one a line."""
    if given is None:
        return ()
    try:
        text = given if given.lstrip().startswith("[") else Path(given.removeprefix("@")).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"--tasks {quoted(given)} cannot be read: {error}. Give a file or a JSON list.") from error
    if not text.lstrip().startswith("["):
        return tuple(line for line in map(str.strip, text.splitlines()) if line)
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise InvalidInput(f"--tasks {quoted(given)} is not JSON: {error}.") from error
    if not all(isinstance(task, str) for task in found):
        raise InvalidInput("--tasks is a list of texts; one of them is none.")
    return tuple(found)


def _metrics(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in given:
        name, equals, source = each.partition("=")
        if not equals:
            raise InvalidInput(f"--metric {quoted(each)}: write NAME=SOURCE, such as score=json:/score.")
        found[name] = source
    return found


def _numbers(given: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in given.split(","))
    except ValueError as error:
        raise InvalidInput(f"--cpus {quoted(given)}: write numbers, such as 0,1.") from error


def _checked(given: dict[str, object]) -> RunOptions:
    try:
        return RunOptions.model_validate(given)
    except ValidationError as error:
        raise InvalidInput(explained(error)) from error


run_command = click.Command(
    "run",
    callback=_run,
    help="Run a command under every variant, measured, until the plan is full or a verdict falls.\n\n"
    "Each variant runs in a git worktree of its own. Ctrl-C stops; the same call goes on. Write the command behind --: "
    "experiment-tracker run EXPERIMENT -- python3 work.py. {task} and {variant} in it are replaced.",
    params=[
        click.Argument(["experiment"]),
        click.Argument(["command"], nargs=-1, type=click.UNPROCESSED),
        click.Option(["--shell"], metavar="TEXT", help="The command as one text for /bin/sh; no shell otherwise."),
        click.Option(["--tasks"], metavar="FILE|JSON", help="One a line, or a JSON list; every variant runs each."),
        click.Option(
            ["--metric"],
            multiple=True,
            metavar="NAME=SOURCE",
            help="wall, user, system, cpu, peak, exit_status, success, failure, json:/POINTER, regex:PATTERN, "
            "claude:FIELD. Known names need none.",
        ),
        click.Option(["--parse"], type=click.Choice(["claude"]), help="Read `claude -p --output-format json`."),
        click.Option(["--setup"], metavar="TEXT", help="Run once in every worktree, by /bin/sh, before the trials."),
        *(
            click.Option([f"--{name.replace('_', '-')}", name], type=kind, help=told_of)
            for name, kind, told_of in _NUMBERS
        ),
        click.Option(["--cpus"], metavar="0,1", help="CPUs that the command may use."),
        click.Option(["--yes"], is_flag=True, help="Answer the question with yes."),
        click.Option(["--json", "json_output"], is_flag=True, help="Print the reply as JSON."),
    ],
)
