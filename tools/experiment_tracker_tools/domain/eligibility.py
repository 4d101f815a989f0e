"""Who takes part in an experiment; everybody else gets control, is counted by reason, and is never analysed."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Self, cast

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from experiment_tracker_tools.core.text import is_unsafe, listed, plainly
from experiment_tracker_tools.domain.base import AttributeValue, Number, Options, Slug
from experiment_tracker_tools.domain.privacy import CONSENT

_AROUND = ("repository", "branch", "model", "arguments")


def _several(given: object) -> object:
    return (given,) if isinstance(given, str) else given


def _one_line(pattern: str) -> str:
    if any(is_unsafe(character) for character in pattern):
        raise ValueError("has control, line-break or text-direction characters; write it on one plain line")
    return pattern


_Glob = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
Globs = Annotated[tuple[_Glob, ...], Field(min_length=1, max_length=20), BeforeValidator(_several)]
Values = Annotated[tuple[AttributeValue, ...], Field(min_length=1, max_length=50)]


class AttributeRule(Options):
    """What an attribute must be; everything that is given must hold, and a plain value or list stands for any_of.

    Attributes:
        any_of: one of these values.
        none_of: none of these values.
        like: a text that one of these patterns matches.
        at_least, above, at_most, below: bounds of a number.
    """

    any_of: Values | None = None
    none_of: Values | None = None
    like: Globs | None = None
    at_least: Number | None = None
    above: Number | None = None
    at_most: Number | None = None
    below: Number | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_values(cls, given: object) -> object:
        if isinstance(given, list | tuple):
            return {"any_of": cast("Sequence[object]", given)}
        return {"any_of": (given,)} if isinstance(given, bool | int | float | str) else given

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"a test of an attribute is empty: give a value, a list, or {listed(list(_KINDS))}")
        return self


_KINDS = tuple(AttributeRule.model_fields)


class Eligibility(Options):
    """Whom a plan takes: all that is given must hold. What a door cannot know is not eligible, and told so.

    Patterns are shell-style: `*` anything, `?` one character, `[a-z]` one of these, `[!a-z]` none of them; one, or a
    list of which one must match. A unit is asked before it meets a variant and keeps it then, a live run each time.

    Attributes:
        repository: patterns of its name, from the remote origin: host/owner/name, owner/name or name; without a
            remote the folder's.
        branch: patterns of the branch that is checked out, HEAD where none is.
        model: patterns of the model that the session ran last, or was started with.
        arguments: patterns of what a command or skill is called with; of an agent its prompt, of run_trials the task.
        attributes: by name what the unit's attribute must be: a value, a list of values, or a test.
    """

    repository: Globs | None = None
    branch: Globs | None = None
    model: Globs | None = None
    arguments: Globs | None = None
    attributes: Annotated[dict[Slug, AttributeRule], Field(max_length=20)] = {}  # noqa: RUF012 pydantic copies it

    @model_validator(mode="after")
    def _names_no_field_twice(self) -> Self:
        if both := sorted({*_AROUND, CONSENT} & self.attributes.keys()):
            mend = "privacy.requires_consent asks for it" if both[0] == CONSENT else f"use eligibility.{both[0]}"
            raise ValueError(f"eligibility.attributes names {both[0]}: {mend}")
        return self

    @property
    def everyone(self) -> bool:
        """Whether nobody is outside by it."""
        return not self.rules

    @cached_property
    def rules(self) -> Mapping[str, JsonValue]:
        """What was set, as it is stored."""
        return cast("Mapping[str, JsonValue]", self.model_dump(mode="json", exclude_none=True, exclude_defaults=True))

    @property
    def asks(self) -> tuple[str, ...]:
        """What it must know of a unit."""
        return (*(name for name in _AROUND if getattr(self, name) is not None), *self.attributes)

    def excludes(self, other: "Eligibility") -> bool:
        """Whether nothing can be eligible for both at once: what plain values of one branch, model or attribute prove.

        A repository has several names, and patterns may meet where nobody sees it: they prove nothing.

        >>> Eligibility(branch="main").excludes(Eligibility(branch=("dev", "next")))
        True
        >>> Eligibility(branch="main").excludes(Eligibility(branch="m*"))
        False
        """
        around = [(_plain(getattr(self, name)), _plain(getattr(other, name))) for name in ("branch", "model")]
        values = [
            (_exact(self.attributes[name].any_of), _exact(other.attributes[name].any_of))
            for name in self.attributes.keys() & other.attributes.keys()
        ]
        return any(bool(one and two) and not one & two for one, two in (*around, *values))

    @property
    def told(self) -> str:
        """It in one line, cut where it is long."""
        around = [(name, getattr(self, name)) for name in _AROUND]
        found = [f"{name} {listed(patterns, most=5)}" for name, patterns in around if patterns is not None]
        return plainly("; ".join([*found, *(f"{name} {_told(test)}" for name, test in self.attributes.items())]), 200)


def _plain(patterns: Sequence[str] | None) -> frozenset[object]:
    """Patterns that mean themselves; none where one of them does not."""
    found = frozenset[object](patterns or ())
    return frozenset() if any({*"*?["} & {*pattern} for pattern in patterns or ()) else found


def _exact(values: Sequence[AttributeValue] | None) -> frozenset[object]:
    """Values, true and false apart from 1 and 0."""
    return frozenset((isinstance(value, bool), value) for value in values or ())


def _told(test: AttributeRule) -> str:
    words = {"any_of": "", "none_of": "not ", "like": "like "}
    found = test.model_dump(exclude_none=True)
    return " and ".join(
        f"{words[name]}{listed([str(each) for each in value], most=5)}" if name in words else f"{name} {value:g}"
        for name, value in found.items()
    ).replace("_", " ")
