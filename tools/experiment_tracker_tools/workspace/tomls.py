"""TOML that people write, read into a model; what is wrong with it is told with its place and value."""

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.domain.base import Model

M = TypeVar("M", bound=Model)


def parsed(origin: str, text: str, model: type[M]) -> M:
    """The model that a TOML text says.

    Raises:
        InvalidInput: if it does not parse, or has fields or values that the model does not know.
    """
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{origin} is not valid TOML: {error}. Mend it.") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(quoted(part).strip("'") for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        shown = "" if isinstance(first["input"], dict) or message != first["msg"] else f" = {quoted(first['input'])}"
        told = f"{place}{shown}: {message}" if place else message
        raise InvalidInput(f"{origin}: {told}. Mend it.") from error


def text_of(path: Path, origin: str) -> str | None:
    """What a file holds; None where there is none.

    Raises:
        InvalidInput: if it cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidInput(f"{origin} cannot be read ({why}). Mend or remove it.") from error
