"""Every verb as a subcommand, made from its signature, so that the command line never lags behind the tools."""

import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

import click
from pydantic import TypeAdapter, ValidationError

from experiment_tracker_server import render
from experiment_tracker_server.wording import NAMES, as_commands, explained
from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.core.errors import ExperimentError, InvalidInput
from experiment_tracker_tools.core.registry import card_of
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.workspace import Workspace

Verb = Callable[..., Model]


def command_of(verb: Verb) -> click.Command:
    """The subcommand of a verb: `experiment` as argument, everything else as options, and --json."""
    hints = get_type_hints(verb, include_extras=True)
    parameters: list[click.Parameter] = []
    for name, parameter in list(inspect.signature(verb).parameters.items())[1:]:
        if name != "confirm":
            parameters.append(_parameter(name, hints[name], required=parameter.default is inspect.Parameter.empty))
    if card_of(verb.__name__).asks_a_person:
        parameters.append(click.Option(["--yes"], is_flag=True, help="Answer the question with yes."))
    parameters.append(_json_option())

    def call(*, json_output: bool, yes: bool = False, **given: object) -> None:
        kept = {name: value for name, value in given.items() if value is not None}
        _answer(verb, kept, hints, json_output=json_output, yes=yes)

    name = NAMES.get(verb.__name__, verb.__name__)
    return click.Command(name, callback=call, params=parameters, help=inspect.getdoc(verb))


def fail(error: ExperimentError, *, json_output: bool) -> NoReturn:
    """Print what is wrong and leave with status 1."""
    told = as_commands(str(error))
    if json_output:
        click.echo(json.dumps({"error": told, "kind": type(error).__name__}, ensure_ascii=False))
    else:
        click.echo(f"error: {told}", err=True)
    sys.exit(1)


def _answer(verb: Verb, given: dict[str, object], hints: dict[str, Any], *, json_output: bool, yes: bool) -> None:
    workspace = Workspace(Path.cwd(), door="cli")
    catch_up(workspace)
    try:
        checked = {name: _checked(name, value, hints[name]) for name, value in given.items()}
        reply = verb(workspace, **checked)
        question, token = getattr(reply, "question", None), getattr(reply, "confirm", None)
        if question is not None:
            if not yes:
                ask_a_person(question, json_output=json_output)
            reply = verb(workspace, **checked, confirm=token)
    except ExperimentError as error:
        fail(error, json_output=json_output)
    finally:
        catch_up(workspace)
        for note in workspace.take_notes():
            click.echo(f"note: {as_commands(note)}", err=True)
    render.show(reply, json_output=json_output)


def ask_a_person(question: str, *, json_output: bool) -> None:
    """Go on if the person at the terminal says yes; leave with status 1 otherwise."""
    asked = question.removesuffix(" Continue?")
    if json_output or not sys.stdin.isatty():
        fail(InvalidInput(f"{asked} Nothing was changed: a person has to agree; pass --yes."), json_output=json_output)
    if not click.confirm(asked, default=False):
        fail(InvalidInput("The answer was no. Nothing was changed."), json_output=json_output)


def _parameter(name: str, annotation: Any, *, required: bool) -> click.Parameter:
    """What is needed and short is an argument, the rest are options: a flag, a plain one, or one that takes JSON."""
    schema = _without_null(TypeAdapter(annotation).json_schema())
    option = f"--{name.replace('_', '-')}"
    told = schema.get("description")
    if schema.get("type") in {"object", "array"} or "$ref" in schema:
        return click.Option([option, name], required=required, metavar="JSON", help=_shape(schema))
    if schema.get("type") == "boolean":
        also = ["--auto"] if name == "apply" else []
        return click.Option([option, *also, name], is_flag=True, default=None, help=told)
    kind = {"integer": click.INT, "number": click.FLOAT}.get(schema.get("type", ""), click.STRING)
    if "enum" in schema:
        kind = click.Choice(schema["enum"])
    if required or name == "experiment":
        return click.Argument([name], required=required, type=kind)
    return click.Option([option, name], type=kind, help=told)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    options = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
    return {**schema, **options[0]} if len(options) == 1 else schema


def _shape(schema: dict[str, Any]) -> str:
    """How the JSON looks: its fields, those that may be left out with a question mark."""
    of_items = schema.get("items", {"type": "object"} if schema.get("type") == "array" else schema)
    model = schema.get("$defs", {}).get(of_items.get("$ref", "").rpartition("/")[2], of_items)
    needed = model.get("required", [])
    fields = ", ".join(field if field in needed else f"{field}?" for field in model.get("properties", {}))
    said = schema.get("description", "")
    inner = f"{{{fields}}}" if fields else "{...}" if of_items.get("type") == "object" else "text"
    if not fields and said.startswith("{"):
        inner, said = said, ""
    shape = f"[{inner}, ...]" if schema.get("type") == "array" else inner
    told = f" {said};" if said and not fields else ""
    return f"{shape};{told} @FILE reads a file, - standard input."


def _checked(name: str, value: object, annotation: Any) -> Any:
    """The value as the verb wants it; JSON options are parsed first."""
    adapter = TypeAdapter[Any](annotation)
    wants_json = _without_null(adapter.json_schema()).get("type") in {"object", "array", None}
    if wants_json and isinstance(value, str):
        try:
            value = json.loads(_text(value))
        except OSError as error:
            raise InvalidInput(
                f"{quoted(str(value)[1:])} cannot be read: {error.strerror}. Give @FILE or JSON."
            ) from error
        except ValueError as error:
            raise InvalidInput(f"--{name.replace('_', '-')} {quoted(value)} is not JSON: {error}.") from error
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InvalidInput(explained(error, schema=adapter.json_schema(), within=name)) from error


def _text(value: str) -> str:
    if value == "-":
        return sys.stdin.read()
    return Path(value[1:]).read_text("utf-8") if value.startswith("@") else value


def _json_option() -> click.Option:
    return click.Option(["--json", "json_output"], is_flag=True, help="Print the reply as JSON.")
