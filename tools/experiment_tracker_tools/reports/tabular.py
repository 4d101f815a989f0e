"""Rows of an experiment as a table in a file: CSV for spreadsheets, Parquet for everything larger."""

import csv
import io
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiment_tracker_tools.core.errors import InvalidInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Cell = bool | int | float | str | None
# What a spreadsheet takes for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_LACKING = "Parquet needs DuckDB: pip install 'experiment-tracker-mcp[parquet]'. CSV needs nothing."


class Tabular(NamedTuple):
    """A table.

    Attributes:
        columns: their names.
        rows: cells in the columns' order; None where there is nothing.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


def csv_lines(table: Tabular) -> Iterator[str]:
    """The table as CSV, a line at a time; texts that a spreadsheet would compute begin with an apostrophe.

    >>> list(csv_lines(Tabular(("variant", "time"), [("=1+1", -2.5), ("b", None)])))
    ['variant,time', "'=1+1,-2.5", 'b,']
    """
    for row in (table.columns, *table.rows):
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow([_guarded(cell) for cell in row])
        yield line.getvalue()


def check_parquet() -> None:
    """Let a wish for Parquet pass where there is what writes it.

    Raises:
        InvalidInput: with what installs it.
    """
    if find_spec("duckdb") is None:
        raise InvalidInput(_LACKING)


def write_parquet(table: Tabular, path: Path) -> None:
    """Write the table as a Parquet file; see `check_parquet`."""
    import duckdb

    columns = {name: _column([row[place] for row in table.rows]) for place, name in enumerate(table.columns)}
    with duckdb.connect() as connection:
        connection.register("experiment_rows", columns)
        connection.sql("from experiment_rows").write_parquet(str(path))


def _guarded(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return _text(cell)
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _column(cells: Sequence[Cell]) -> "NDArray[np.generic]":
    """Cells as an array; missing numbers are masked, and what is not numbers alone is text."""
    import numpy as np

    if any(isinstance(cell, bool | str) for cell in cells):
        return np.array([None if cell is None else _text(cell) for cell in cells], dtype=object)
    missing = [cell is None for cell in cells]
    return np.ma.array([0.0 if cell is None else float(cell) for cell in cells], mask=missing)


def _text(cell: Cell) -> str:
    return str(cell).lower() if isinstance(cell, bool) else str(cell)
