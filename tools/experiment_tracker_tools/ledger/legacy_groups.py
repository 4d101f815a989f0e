"""A control_group or treatment_group of the older file: a list of outcomes, lists by metric, or their sums."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

from pydantic import ValidationError

from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.trial import Aggregate, Trial

_LISTS = ("trials", "samples", "data", "results", "values", "observations")
_UNITS = ("unit", "unit_id", "user_id", "session_id", "user", "session", "id")
_COUNTS = ("n", "sample_size", "count", "size")
_SDS = ("std", "sd", "std_dev", "stdev", "standard_deviation")
_WORDS = ("name", "description", "label", "notes", "note")
_PERIOD = "imported"


class Group(NamedTuple):
    """What one variant's group came to.

    Attributes:
        contents: trials, or one aggregate.
        binary: by metric, whether only 0 and 1 were seen.
        notes: what was not understood.
    """

    contents: list[Trial | Aggregate]
    binary: dict[str, bool]
    notes: list[str]


def read_group(told: object, variant: str, metric: str) -> Group:
    """Read a group; `metric` is what plain numbers are."""
    group = Group([], {}, [])
    if isinstance(told, list):
        _take_list(group, cast("list[object]", told), variant, metric)
    elif isinstance(told, dict):
        _take_fields(group, cast("dict[str, Any]", told), variant, metric)
    elif told is not None:
        group.notes.append(f"{variant}: {quoted(told)} was not understood; left out")
    return group


def slug(name: object) -> str:
    """A name as metrics have it.

    >>> slug("Response Time (ms)")
    'response-time-ms'
    """
    return re.sub(r"[^a-z0-9_]+", "-", str(name).lower()).strip("-_")[:64]


def _take_fields(group: Group, fields: Mapping[str, Any], variant: str, metric: str) -> None:
    rest = {name: value for name, value in fields.items() if name not in _WORDS}
    if _take_sums(group, rest, variant, metric):
        return
    for name in _LISTS:
        if isinstance(rest.get(name), list):
            _take_list(group, rest.pop(name), variant, metric)
    columns: dict[str, Any] = rest.pop("metrics") if isinstance(rest.get("metrics"), dict) else rest
    lists: dict[str, list[Any]] = {
        slug(name): value for name, value in columns.items() if isinstance(value, list) and slug(name)
    }
    if lists:
        _take_columns(group, lists, variant)
    elif columns is not rest and columns:
        _take_row(group, columns, variant, metric, 1)
    left = [name for name in rest if not isinstance(rest[name], list) and name not in _COUNTS]
    group.notes.extend(f"{variant}: {quoted(name)} was not understood; left out" for name in sorted(left))


def _take_list(group: Group, rows: list[Any], variant: str, metric: str) -> None:
    for place, row in enumerate(rows, 1):
        if isinstance(row, dict):
            _take_row(group, cast("dict[str, Any]", row), variant, metric, place)
        elif _is_number(row):
            _add(group, variant, {metric: row}, None, place)
        else:
            group.notes.append(f"{variant}: outcome {place} is {quoted(row)}, no number; left out")


def _take_row(group: Group, row: Mapping[str, Any], variant: str, metric: str, place: int) -> None:
    inner = row.get("metrics")
    told = cast("dict[str, Any]", inner) if isinstance(inner, dict) else row
    unit = next((row[name] for name in _UNITS if isinstance(row.get(name), str | int)), None)
    numbers = {slug(name): value for name, value in told.items() if _is_number(value) and name not in _UNITS}
    values = {metric if name == "value" else name: value for name, value in numbers.items() if name}
    left = sorted(name for name, value in told.items() if not _is_number(value) and name not in (*_UNITS, "metrics"))
    if left:
        group.notes.append(f"{variant}: outcome {place} has {', '.join(map(quoted, left[:5]))}; left out")
    _add(group, variant, values, None if unit is None else str(unit)[:200], place)


def _take_columns(group: Group, columns: Mapping[str, list[Any]], variant: str) -> None:
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        group.notes.append(f"{variant}: its lists have {sorted(lengths)} values; only the shortest's number is taken")
    for place, row in enumerate(zip(*columns.values(), strict=False), 1):
        numbers = {name: value for name, value in zip(columns, row, strict=True) if _is_number(value)}
        if len(numbers) < len(row):
            group.notes.append(f"{variant}: outcome {place} has values that are no numbers; left out")
        _add(group, variant, numbers, None, place)


def _take_sums(group: Group, fields: Mapping[str, Any], variant: str, metric: str) -> bool:
    """Take a group that only tells its size and conversions, or its size, mean and deviation."""
    n = next((fields[name] for name in _COUNTS if _is_whole(fields.get(name))), None)
    sd = next((fields[name] for name in _SDS if _is_number(fields.get(name))), None)
    mean = fields.get("mean")
    if n is None:
        return False
    told: dict[str, Any] = {"variant": variant, "period": _PERIOD, "metric": metric, "n": n}
    if _is_whole(fields.get("conversions")):
        told["conversions"] = fields["conversions"]
        group.binary[metric] = True
    elif _is_number(mean) and sd is not None:
        told |= {"sum": n * mean, "sum_of_squares": max(n - 1, 0) * sd * sd + n * mean * mean}
        group.binary[metric] = False
    else:
        return False
    try:
        group.contents.append(Aggregate.model_validate(told))
    except ValidationError as error:
        group.notes.append(f"{variant}: its sums are left out ({error.errors()[0]['msg']})")
    return True


def _add(group: Group, variant: str, values: Mapping[str, Any], unit: str | None, place: int) -> None:
    try:
        trial = Trial.model_validate({"variant": variant, "metrics": dict(values), "unit": unit})
    except ValidationError as error:
        group.notes.append(f"{variant}: outcome {place} is left out ({error.errors()[0]['msg']})")
        return
    group.contents.append(trial)
    for name, value in values.items():
        group.binary[name] = group.binary.get(name, True) and float(value) in {0.0, 1.0}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
