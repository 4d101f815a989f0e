"""What a person takes along: the store's own lines for another store, or one experiment's rows for other programs."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import click

from experiment_tracker_server.commands import fail
from experiment_tracker_tools.core.errors import ExperimentError, InvalidInput, StoreFailure
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.workspace import Workspace

Format = Literal["lines", "csv", "json", "parquet", "notebook"]
_FILES_ONLY: tuple[Format, ...] = ("parquet", "notebook")
_HELP = (
    "lines: everything, for `import` (default). The others give the rows of one experiment, units as numbers: csv, "
    "json, parquet, or a notebook with the json beside it that reproduces the recorded effect."
)


@click.command()
@click.argument("experiment", required=False)
@click.option(
    "--format", "form", type=click.Choice(["lines", "csv", "json", "parquet", "notebook"]), default="lines", help=_HELP
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A new file, in the place of standard output."
)
def export(*, experiment: str | None, form: Format, output: Path | None) -> None:
    """Print one experiment, or all, as JSON lines; or the rows of one as CSV, JSON, Parquet or a notebook.

    JSON lines are rows as they are, to move a store. The other formats leave attributes of units out where fewer than
    `segments.k` units of a variant share them. Rows of a running experiment break its seal; that is recorded.
    """
    try:
        _check(experiment, form, output)
        workspace = Workspace(Path.cwd(), door="cli")
        for line in _lines(workspace, experiment, form, output):
            click.echo(line)
    except ExperimentError as error:
        fail(error, json_output=False)
    except BrokenPipeError:
        # Whoever read has enough, as `head` does; what Python would flush at the end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        fail(StoreFailure(f"{quoted(str(output))} cannot be written: {error.strerror}."), json_output=False)


def _check(experiment: str | None, form: Format, output: Path | None) -> None:
    if form != "lines" and experiment is None:
        raise InvalidInput(f"--format {form} is of one experiment. Name it: experiment-tracker export EXPERIMENT ...")
    if form in _FILES_ONLY and output is None:
        raise InvalidInput(f"--format {form} is a file: name it with --output.")
    if form == "parquet":
        from experiment_tracker_tools.reports.tabular import check_parquet

        check_parquet()
    if output is not None and not output.parent.is_dir():
        raise InvalidInput(f"{quoted(str(output.parent))} is no folder. Make it first; nothing was exported.")
    for path in () if output is None else (output, *([_data(output)] if form == "notebook" else [])):
        if path.exists():
            raise InvalidInput(f"{quoted(str(path))} is there already. Name a new file; nothing was exported.")


def _lines(workspace: Workspace, experiment: str | None, form: Format, output: Path | None) -> Iterator[str]:
    """What goes to standard output: the export, or where it was written."""
    if form == "lines" or experiment is None:
        yield from _written(workspace.ledger.export(experiment), output)
        return
    from experiment_tracker_tools.conduct.exporting import as_document, as_table, rows_to_leave
    from experiment_tracker_tools.reports.notebook import notebook
    from experiment_tracker_tools.reports.tabular import csv_lines, write_parquet

    rows = rows_to_leave(workspace, experiment)
    document = json.dumps(as_document(rows), ensure_ascii=False, indent=1) if form in ("json", "notebook") else ""
    if form == "csv":
        yield from _written(csv_lines(as_table(rows)), output)
    elif form == "json":
        yield from _written([document], output)
    elif output is not None and form == "parquet":
        write_parquet(as_table(rows), output)
        yield f"written: {output}"
    elif output is not None:
        data = _data(output)
        cells = notebook(rows.experiment.id, rows.experiment.name, data=data.name, decided=rows.decision is not None)
        yield from _written([document], data)
        yield from _written([json.dumps(cells, ensure_ascii=False, indent=1)], output)
    if rows.held_back:
        click.echo(
            f"attributes of {rows.held_back} units are left out: fewer than {rows.k} of a variant share them", err=True
        )


def _written(lines: Iterable[str], output: Path | None) -> Iterator[str]:
    if output is None:
        yield from lines
        return
    with output.open("x", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)
    yield f"written: {output}"


def _data(output: Path) -> Path:
    return output.with_suffix(".json")
