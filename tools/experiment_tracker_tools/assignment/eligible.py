"""Whether a plan takes a run or unit, from what its door knows; what the door does not know is told as such."""

from experiment_tracker_tools.assignment.globs import matches

# Hooks start with every event: typing alone would double their time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Rules = Mapping[str, Any]
    Value = bool | float | str
    Seen = Mapping[str, Sequence[str]]

AROUND = ("repository", "branch", "model", "arguments")
ATTRIBUTE, UNKNOWN = "attribute ", " unknown"


def why_not(rules: "Rules", seen: "Seen", attributes: "Mapping[str, Value] | None" = None) -> str:
    """What keeps a run or unit outside, the first that does; empty where everything holds.

    Args:
        rules: the plan's eligibility, as it is stored: only what was set.
        seen: by rule the names of what it is about, of which one must match; none where nobody knows.
        attributes: of the unit.

    >>> why_not({"branch": ["main", "release/*"]}, {"branch": ["release/2"]}), why_not({"model": ["*"]}, {})
    ('', 'model unknown')
    >>> why_not({"attributes": {"age": {"at_least": 18}}}, {}, {"age": 17})
    'attribute age'
    """
    for name in AROUND:
        if name in rules and not seen.get(name):
            return name + UNKNOWN
        if name in rules and not any(matches(each, pattern) for each in seen[name] for pattern in rules[name]):
            return name
    tests: dict[str, dict[str, Any]] = rules.get("attributes", {})
    for name, test in tests.items():
        value = None if attributes is None else attributes.get(name)
        if value is None:
            return ATTRIBUTE + name + UNKNOWN
        if not all(_holds(kind, wanted, value) for kind, wanted in test.items()):
            return ATTRIBUTE + name
    return ""


def _holds(kind: str, wanted: "Any", value: "Value") -> bool:
    """Whether a value passes one test; texts and flags pass no test of size, numbers none of form."""
    if kind in ("any_of", "none_of"):
        same = any(each == value and isinstance(each, bool) is isinstance(value, bool) for each in wanted)
        return same is (kind == "any_of")
    if kind == "like":
        return isinstance(value, str) and any(matches(value, pattern) for pattern in wanted)
    if isinstance(value, (str, bool)):
        return False
    bound: float = wanted
    return {"at_least": value >= bound, "above": value > bound, "at_most": value <= bound, "below": value < bound}[kind]
