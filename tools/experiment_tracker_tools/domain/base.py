"""What every model of the domain is: frozen, closed to unknown fields, finite numbers, harmless names."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    model_validator,
)

from experiment_tracker_tools.core.clock import ID_PATTERN
from experiment_tracker_tools.core.text import cleaned, is_unsafe, quoted


class Model(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class Options(Model):
    """A model that people write by hand: a name that it does not know is refused with those that it does."""

    @model_validator(mode="before")
    @classmethod
    def _knows_every_name(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        fields = cast("dict[object, object]", given)
        known = list(cls.model_fields)
        for name in map(str, fields):
            if name not in known and name not in cls.other_names():
                near = get_close_matches(name, known, n=1)
                meant = f" Did you mean {near[0]}?" if near else ""
                raise ValueError(f"{quoted(name)} is unknown.{meant} Known fields: {', '.join(known)}")
        return fields

    @classmethod
    def other_names(cls) -> tuple[str, ...]:
        """Further names under which a field is understood."""
        return ()


def _kept(clean: Callable[[str], str], most: int, *, least: int = 0) -> AfterValidator:
    """Bounds that hold for what is kept: cleaning shortens a text, and its normal form can be longer than it was."""

    def check(given: str) -> str:
        text = clean(given)
        if len(text) < least:
            raise ValueError("is blank; write at least 1 character")
        if len(text) > most:
            raise ValueError(f"has {len(text)} characters in its normal form (NFC); write at most {most} characters")
        return text

    return AfterValidator(check)


def _one_line(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text.strip()
    if any(is_unsafe(character) for character in text):
        raise ValueError("has control, line-break or text-direction characters; write it on one plain line")
    return cleaned(text).strip()


def _plain_note(text: str) -> str:
    return cleaned(text).strip()


def _kind(given: object) -> str:
    """Which kind of attribute a value is meant to be, so that a refusal names one."""
    if isinstance(given, bool):
        return "a flag"
    return "a number" if isinstance(given, int | float) else "a text"


Number = Annotated[float, Field(strict=True)]
Positive = Annotated[float, Field(strict=True, gt=0)]
Share = Annotated[float, Field(strict=True, gt=0, lt=1)]
SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$"
Slug = Annotated[str, StringConstraints(pattern=SLUG)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=120), _kept(_one_line, 120, least=1)]
Note = Annotated[str, StringConstraints(max_length=2_000), _kept(_plain_note, 2_000)]
Statement = Annotated[str, StringConstraints(min_length=1, max_length=1_000), _kept(_plain_note, 1_000, least=1)]
UnitId = Annotated[str, StringConstraints(min_length=1, max_length=200), _kept(_one_line, 200, least=1)]
AttributeValue = Annotated[
    Annotated[bool, Field(strict=True), Tag("a flag")]
    | Annotated[Number, Tag("a number")]
    | Annotated[UnitId, Tag("a text")],
    Discriminator(_kind),
]
Stratum = Annotated[str, StringConstraints(max_length=200), _kept(_one_line, 200)]
ExperimentId = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
