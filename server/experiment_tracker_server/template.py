"""Templates at the terminal: which there are, what one says, and keeping a finished experiment as one."""

from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from experiment_tracker_server.commands import fail
from experiment_tracker_server.wording import explained
from experiment_tracker_tools.conduct.templating import save_template
from experiment_tracker_tools.core.errors import ExperimentError, InvalidInput
from experiment_tracker_tools.core.text import plainly
from experiment_tracker_tools.domain.base import Slug
from experiment_tracker_tools.workspace import Workspace
from experiment_tracker_tools.workspace.templates import template as read_template
from experiment_tracker_tools.workspace.templates import template_names


@click.group()
def template() -> None:
    """Whole plans to start from: design NAME --plan '{"template": "performance"}'."""


@template.command(name="list")
def list_() -> None:
    """Every template with what it is for; the project's own lie in .experiments/templates/."""
    workspace = Workspace(Path.cwd(), door="cli")
    for name, whose in template_names(workspace.folder).items():
        try:
            told = read_template(workspace.folder, name).title
        except ExperimentError as error:
            told = str(error)
        click.echo(f"{plainly(name)} ({whose}): {plainly(told)}")


@template.command()
@click.argument("name")
def show(*, name: str) -> None:
    """What a template says, as JSON."""
    try:
        found = read_template(Workspace(Path.cwd(), door="cli").folder, _slug(name))
    except ExperimentError as error:
        fail(error, json_output=False)
    click.echo(found.model_dump_json(indent=2, exclude_none=True, exclude_defaults=True))


@template.command()
@click.argument("experiment")
@click.argument("name")
def save(*, experiment: str, name: str) -> None:
    """Keep the plan of a decided or ended experiment as a template of the project's own."""
    workspace = Workspace(Path.cwd(), door="cli")
    try:
        path = save_template(workspace, experiment, _slug(name))
    except ExperimentError as error:
        fail(error, json_output=False)
    click.echo(f"{name} is kept: {path.relative_to(workspace.root)}")


def _slug(name: str) -> str:
    """A name that is safe as a file's.

    Raises:
        InvalidInput: if it is not.
    """
    try:
        return TypeAdapter[str](Slug).validate_python(name)
    except ValidationError as error:
        raise InvalidInput(explained(error, within="name")) from error
