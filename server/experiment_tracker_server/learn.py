"""What a person at a terminal records of what an experiment taught."""

from pathlib import Path

import click

from experiment_tracker_server.commands import fail
from experiment_tracker_tools.core.errors import ExperimentError, InvalidInput
from experiment_tracker_tools.workspace import Workspace


@click.command()
@click.argument("experiment")
@click.argument("statement")
@click.option("--contradicts", is_flag=True, help="The experiment speaks against the sentence.")
def learn(*, experiment: str, statement: str, contradicts: bool) -> None:
    """Record a sentence that an experiment supports, or contradicts; search and design show it."""
    from pydantic import ValidationError

    from experiment_tracker_tools.conduct.memory import learn as record
    from experiment_tracker_tools.domain.learning import Learning

    try:
        learning = Learning(statement=statement, stance="contradicts" if contradicts else "supports")
        record(Workspace(Path.cwd(), door="cli"), experiment, learning)
    except ValidationError as error:
        fail(InvalidInput(f"The sentence {error.errors()[0]['msg']}. Nothing was recorded."), json_output=False)
    except ExperimentError as error:
        fail(error, json_output=False)
    click.echo(f"{experiment} {learning.stance}: {learning.statement}")
