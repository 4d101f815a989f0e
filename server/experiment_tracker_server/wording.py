"""What is wrong with a call's arguments, in words: where, which value, why."""

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from experiment_tracker_tools.core.clock import ID_PATTERN
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import SLUG

# Of values that may be of several kinds; no name of a metric or attribute has a space.
_TAGS = {"a flag", "a number", "a ratio", "a text"}
_MOST_TOLD = 5
_WORDS = {
    "extra_forbidden": "is unknown",
    "missing": "is missing",
    "finite_number": "is not a finite number",
    "model_type": "must be an object",
    "dict_type": "must be an object of names and values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "string_type": "must be a text",
    "float_type": "must be a number",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
}
_PATTERNS = {
    SLUG: "must begin with a lower-case letter or digit and hold only such, '-' and '_', 64 characters at most",
    f"^{ID_PATTERN}$": "must be an experiment's id, such as exp-2026-11-20-001",
}


NAMES = {
    "design_experiment": "design",
    "transition_experiment": "transition",
    "assign_unit": "assign",
    "record_trial": "record",
    "monitor_experiments": "monitor",
    "search_experiments": "search",
    "check_claim": "claim",
    "run_trials": "run",
    "scan_flags": "scan",
    "write_report": "report",
}
_TOOL = re.compile(rf"\b({'|'.join(NAMES)})\b")


def as_commands(text: str) -> str:
    """A text that names tools, naming subcommands instead.

    >>> as_commands("Start it: transition_experiment (start).")
    'Start it: transition (start).'
    """
    return _TOOL.sub(lambda found: NAMES[found[1]], text).replace("with apply", "with --auto")


def explained(error: ValidationError, *, schema: dict[str, Any] | None = None, within: str = "") -> str:
    """One sentence for all that is wrong, at most five places.

    Args:
        error: what pydantic found.
        schema: JSON schema of what was checked; its fields are told where another was given, or no object.
        within: name of the argument that was checked by itself.
    """
    found = error.errors(include_url=False)
    # A list also seems too short once what is in it was refused, which is told by itself.
    refused_inside = {each["loc"][:-1] for each in found}
    found = [each for each in found if each["type"] != "too_short" or each["loc"] not in refused_inside]
    outer = (within,) if within else ()
    lines = [_line(each, outer, _fields(schema or {}, each)) for each in found[:_MOST_TOLD]]
    more = [f"and {len(found) - _MOST_TOLD} more"] if len(found) > _MOST_TOLD else []
    return "; ".join([*dict.fromkeys(lines), *more]) + ". Nothing was changed."


def _line(found: ErrorDetails, outer: tuple[str, ...], fields: list[str]) -> str:
    place = [part for part in (*outer, *found["loc"]) if part not in _TAGS]
    where = ".".join(quoted(part).strip("'") for part in place)
    told = _told(found)
    if found["type"] == "extra_forbidden" and fields:
        return f"{where} {told}; known: {', '.join(fields)}"
    if found["type"] in {"missing", "extra_forbidden"} or not where:
        return f"{where} {told}".strip()
    if found["type"] == "model_type" and fields:
        told += f" of the fields {', '.join(fields)}"
    given = found["input"]
    shown = f" = {quoted(given)}" if given is None or isinstance(given, str | int | float) else ""
    return f"{where}{shown}: {told}"


def _told(found: ErrorDetails) -> str:
    """What is wrong, without where and what."""
    rule = found.get("ctx", {})
    if found["type"] in {"too_short", "too_long"}:
        end, bound = ("least", rule["min_length"]) if found["type"] == "too_short" else ("most", rule["max_length"])
        return f"must have at {end} {bound} entries, not {rule['actual_length'] or 0}"
    if found["type"] == "string_pattern_mismatch" and rule["pattern"] in _PATTERNS:
        return _PATTERNS[rule["pattern"]]
    return _WORDS.get(found["type"], found["msg"].removeprefix("Value error, "))


def _fields(schema: dict[str, Any], found: ErrorDetails) -> list[str]:
    """The fields of the object that was wanted at that place, as far as the schema tells; `?` marks optional ones."""
    place = found["loc"][:-1] if found["type"] == "extra_forbidden" else found["loc"]
    here = _resolved(schema, schema)
    for part in place:
        inner = here.get("items") if isinstance(part, int) else here.get("properties", {}).get(part)
        here = _resolved(inner or {}, schema)
    needed = here.get("required", [])
    return [name if name in needed else f"{name}?" for name in here.get("properties", {})]


def _resolved(part: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """That part of the schema, its reference followed; of what may be null the rest."""
    options = [each for each in part.get("anyOf", []) if each.get("type") != "null"]
    part = options[0] if len(options) == 1 else part
    name = part.get("$ref", "").rpartition("/")[2]
    return dict(schema.get("$defs", {}).get(name, part))
