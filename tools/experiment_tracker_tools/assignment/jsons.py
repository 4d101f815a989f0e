"""JSON as `json` reads and writes it, without the regular expressions that `json` loads and reading needs not.

Hooks start with every event. Whatever its compiled part does not take, or is not there for, `json` itself takes.
"""

# Hooks start with every event: typing alone would double their time.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SPACE = " \t\n\r"


class _Reading:
    """How json.loads reads."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: "dict[str, str]" = {}  # noqa: RUF012 Pythons before 3.13 keep keys in it while they read


def loads(text: str) -> "Any":
    """The value of a text; what is no JSON is refused as `json.loads` refuses it.

    >>> loads(' {"a": [1, 2.5, "\\u00e9", null]}')
    {'a': [1, 2.5, 'é', None]}
    """
    try:
        return _read(text)
    except Exception:
        # json tells what is wrong, in its own words.
        import json

        return json.loads(text)


def dumps(value: object) -> str:
    """The text of a value, as `json.dumps` writes it.

    >>> dumps({"a": [1, 2.5, "é", None]})
    '{"a": [1, 2.5, "\\\\u00e9", null]}'
    """
    try:
        return _written(value)
    except Exception:
        # json tells what is wrong, in its own words.
        import json

        return json.dumps(value)


def _read(text: str) -> object:
    from _json import make_scanner

    read: Any = make_scanner
    value, end = read(_Reading())(text, len(text) - len(text.lstrip(_SPACE)))
    if text[end:].strip(_SPACE):
        raise ValueError("more than one value")
    return value


def _written(value: object) -> str:
    from _json import encode_basestring_ascii, make_encoder

    write = make_encoder({}, _refused, encode_basestring_ascii, None, ": ", ", ", False, False, True)  # noqa: FBT003 by place
    return "".join(write(value, 0))


def _refused(value: object) -> object:
    raise TypeError(repr(type(value)))
