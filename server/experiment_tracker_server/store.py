"""What a person does with the store itself: verify it, take it along, correct a trial, forget a unit, share the key."""

import json
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import click
from pydantic import TypeAdapter, ValidationError

from experiment_tracker_server.commands import fail
from experiment_tracker_server.export_command import export
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.core.text import plainly
from experiment_tracker_tools.domain.base import Note
from experiment_tracker_tools.workspace import Workspace

_JSON = click.option("--json", "json_output", is_flag=True, help="Print the reply as JSON.")
_PATH = click.Path(exists=True, path_type=Path)


def _note(_context: click.Context, _parameter: click.Parameter, reason: str) -> str:
    """A reason that can be kept as it is."""
    try:
        return TypeAdapter[str](Note).validate_python(reason)
    except ValidationError:
        raise click.BadParameter("it has more than 2000 characters. Say it shorter.") from None


_REASON = click.option("--reason", required=True, callback=_note, help="Recorded beside it.")


@click.command()
@click.argument("experiment", required=False)
@click.option("--path", type=_PATH, help="A copy of a store, or one of its journals.")
@_JSON
def verify(*, experiment: str | None, path: Path | None, json_output: bool) -> None:
    """Walk the chain of every journal, or of one, name the first record that was altered, and replay every verdict.

    A verdict is computed again from the rows, or from the numbers of its look where the rows were erased.
    """
    from experiment_tracker_tools.conduct.replay import Replayed, replay
    from experiment_tracker_tools.ledger.verify import verify as walk

    again: list[Replayed] = []
    with _telling(json_output=json_output) as workspace:
        found = walk(path) if path is not None else workspace.ledger.verify(experiment)
        # The names of folders, which anybody may have made.
        found = tuple(each._replace(journal=plainly(each.journal)) for each in found)
        if path is None and not any(each.fault for each in found):
            chosen = (
                workspace.ledger.experiments() if experiment is None else (workspace.ledger.experiment(experiment),)
            )
            again = [replay(workspace, each) for each in chosen]
    if json_output:
        told = [each._asdict() for each in found]
        click.echo(json.dumps(told + [{"replayed": each._asdict()} for each in again], ensure_ascii=False))
    for each in () if json_output else found:
        whole = f"{each.records} records" + (f", {each.erased} erased on purpose" if each.erased else "")
        click.echo(f"{'FAULT' if each.fault else 'ok   '} {each.journal}: {each.fault or whole}")
    for done in () if json_output else again:
        if done.fault or done.verdict:
            same = f"{done.verdict} NOT computed again: {done.note}" if done.note else f"{done.verdict} again"
            same += "" if done.note else f", from the {done.source}"
            click.echo(f"{'FAULT' if done.fault else 'ok   '} {done.experiment}: {done.fault or same}")
    raise SystemExit(1 if any([*(each.fault for each in found), *(each.fault for each in again)]) else 0)


@click.command(name="import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@_JSON
def import_(*, file: IO[str], json_output: bool) -> None:
    """Take in what `export` printed, or an older experiments.json (FILE, or - for standard input), each once."""
    from experiment_tracker_tools.ledger.legacy import import_older

    text = file.read()
    older = _older(text)
    with _telling(json_output=json_output) as workspace:
        workspace.make_ready()
        if older is not None:
            taken, told = import_older(workspace.ledger, older, workspace.clock())
            lines = [*(f"{alias} is {experiment}" for alias, experiment in taken.items()), *told]
            _say({"experiments": taken, "told": told}, "\n".join(lines), json_output=json_output)
            return
        done = workspace.ledger.import_lines(text.splitlines())
    _say(done._asdict(), f"{done.records} records taken in, {done.repeats} were there", json_output=json_output)


def _older(text: str) -> object:
    """The older file, which is one JSON object with experiments; None for lines of an export."""
    try:
        document: object = json.loads(text)
    except ValueError:
        return None
    return cast("object", document) if isinstance(document, dict) and "experiments" in document else None


@click.command()
@click.argument("experiment")
@click.argument("seq", type=click.INT)
@_REASON
@_JSON
def amend(*, experiment: str, seq: int, reason: str, json_output: bool) -> None:
    """Let a wrongly recorded trial no longer count. It stays in the journal, with the reason."""
    with _telling(json_output=json_output) as workspace:
        done = workspace.ledger.amend(experiment, seq, reason=reason)
    told = f"trial {seq} of {experiment} ({done.variant}) no longer counts"
    _say(done.model_dump(mode="json"), told, json_output=json_output)


@click.command()
@click.argument("unit")
@_REASON
@_JSON
def forget(*, unit: str, reason: str, json_output: bool) -> None:
    """Erase a unit's rows in every experiment. That it was done is recorded, who it was is not."""
    with _telling(json_output=json_output) as workspace:
        gone = workspace.ledger.forget_unit(unit, reason=reason)
    told = ", ".join(f"{count} rows of {experiment}" for experiment, count in gone.items())
    _say(dict(gone), f"erased {told}" if told else "no experiment has rows of this unit", json_output=json_output)


@click.command()
@click.argument("unit")
@_REASON
@_JSON
def withdraw(*, unit: str, reason: str, json_output: bool) -> None:
    """Stop collecting a unit in every experiment, for good. What is there stays; `forget` erases it."""
    with _telling(json_output=json_output) as workspace:
        workspace.make_ready()
        live = workspace.ledger.withdraw(unit, reason=reason)
    told = f"; {', '.join(live)} go on without it" if live else ""
    _say({"experiments": live}, f"this unit is no longer collected{told}", json_output=json_output)


@click.command()
@_JSON
def compact(*, json_output: bool) -> None:
    """Erase the rows of experiments that ended longer ago than their plan keeps them; statistics stay."""
    with _telling(json_output=json_output) as workspace:
        gone = workspace.ledger.enforce_retention()
    told = ", ".join(f"{count} rows of {experiment}" for experiment, count in gone.items())
    _say(dict(gone), f"erased {told}" if told else "no row is past its time", json_output=json_output)


@click.group()
def key() -> None:
    """The project's key, under which unit ids are stored as pseudonyms; a team shares one, out of band."""


@key.command(name="export")
def export_key() -> None:
    """Print the key, a secret: hand it over where nobody else reads."""
    with _telling(json_output=False) as workspace:
        workspace.make_ready()
        click.echo(workspace.key.exported())


@key.command(name="import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
def import_key(*, file: Iterable[str]) -> None:
    """Take over a team's key (FILE, or - for standard input) before the first trial is stored."""
    from experiment_tracker_tools.ledger.pseudonyms import take_key

    with _telling(json_output=False) as workspace:
        workspace.make_ready()
        click.echo(f"key {take_key(workspace.key_path, ''.join(file)).id} is in use")


COMMANDS: tuple[click.Command, ...] = (verify, export, import_, amend, withdraw, forget, compact, key)


@contextmanager
def _telling(*, json_output: bool) -> Generator[Workspace]:
    try:
        yield Workspace(Path.cwd(), door="cli")
    except ExperimentError as error:
        fail(error, json_output=json_output)


def _say(fields: dict[str, object], told: str, *, json_output: bool) -> None:
    click.echo(json.dumps(fields, ensure_ascii=False) if json_output else told)
