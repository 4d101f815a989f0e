"""What is wrong with a call's arguments, in words: where, which value, why."""

import re
from typing import Any

from pydantic import ValidationError

from experiment_tracker_tools.core.text import quoted

# Of values that may be of several kinds; no name of a metric or attribute has a space.
_TAGS = {"a flag", "a number", "a ratio", "a text"}
_MOST_TOLD = 5
_WORDS = {
    "extra_forbidden": "is unknown",
    "missing": "is missing",
    "finite_number": "is not a finite number",
    "model_type": "must be an object of the fields that the tool's schema lists",
    "dict_type": "must be an object of names and values",
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


def explained(error: ValidationError, *, known: list[str], within: str = "") -> str:
    """One sentence for all that is wrong, at most five places.

    Args:
        error: what pydantic found.
        known: the names that the call may use, told when it used another.
        within: name of the argument that was checked by itself.
    """
    found = error.errors(include_url=False, include_context=False)
    # A list also seems too short once what is in it was refused, which is told by itself.
    refused_inside = {each["loc"][:-1] for each in found}
    found = [each for each in found if each["type"] != "too_short" or each["loc"] not in refused_inside]
    outer = (within,) if within else ()
    lines = [_line({**each, "loc": (*outer, *each["loc"])}, known) for each in found[:_MOST_TOLD]]
    more = [f"and {len(found) - _MOST_TOLD} more"] if len(found) > _MOST_TOLD else []
    return "; ".join([*dict.fromkeys(lines), *more]) + ". Nothing was changed."


def _line(found: dict[str, Any], known: list[str]) -> str:
    place = [part for part in found["loc"] if part not in _TAGS]
    where = ".".join(quoted(part).strip("'") for part in place)
    told = _WORDS.get(found["type"], str(found["msg"]).removeprefix("Value error, "))
    if found["type"] == "extra_forbidden" and len(place) == 1 and known:
        return f"{where} is unknown; known: {', '.join(known)}"
    if found["type"] in {"missing", "extra_forbidden"} or not where:
        return f"{where} {told}".strip()
    given = found["input"]
    shown = f" = {quoted(given)}" if given is None or isinstance(given, str | int | float) else ""
    return f"{where}{shown}: {told}"
