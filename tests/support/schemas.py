"""A Hypothesis strategy for any model, from its JSON schema; what the model's own rules refuse is left out."""

from typing import Any, TypeVar

from hypothesis import assume
from hypothesis import strategies as st
from pydantic import ValidationError

from experiment_tracker_tools.domain.base import Model

M = TypeVar("M", bound=Model)
_LARGE = 10**9
_TEXT = st.text(max_size=20) | st.text("abc \u00e9\u2713\ufb2c", min_size=1, max_size=20)


@st.composite
def any_of(draw: st.DrawFn, model: type[M]) -> M:
    """Some value of the model."""
    schema = model.model_json_schema()
    fields = draw(_strategy(schema, schema.get("$defs", {})))
    try:
        return model.model_validate(fields)
    except ValidationError:
        assume(condition=False)
        raise


def _strategy(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return st.deferred(lambda: _strategy(known[schema["$ref"].rpartition("/")[2]], known))
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return st.one_of([_strategy(option, known) for option in options])
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object":
            return _object(schema, known)
        case "array":
            return _array(schema, known)
        case "string":
            return _string(schema)
        case "integer":
            return st.integers(*_bounds(schema))
        case "number":
            low, high = _bounds(schema)
            return st.floats(low, high, allow_nan=False, exclude_min="exclusiveMinimum" in schema)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case other:
            raise AssertionError(f"no strategy for {other}: {schema}")


def _object(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" in schema:
        fields = {name: _strategy(field, known) for name, field in schema["properties"].items()}
        needed = schema.get("required", [])
        return st.fixed_dictionaries(
            {name: fields[name] for name in needed},
            optional={name: field for name, field in fields.items() if name not in needed},
        )
    patterns = list(schema.get("patternProperties", {}))
    inner: Any = schema.get("additionalProperties") or next(iter(schema.get("patternProperties", {}).values()), {})
    keys = st.from_regex(patterns[0], fullmatch=True) if patterns else _string(schema.get("propertyNames", {}))
    values = _strategy(inner, known) if isinstance(inner, dict) and inner else st.booleans()
    return st.dictionaries(keys, values, min_size=schema.get("minProperties", 0), max_size=3)


def _array(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "prefixItems" in schema:
        return st.tuples(*(_strategy(item, known) for item in schema["prefixItems"]))
    least = schema.get("minItems", 0)
    return st.lists(_strategy(schema["items"], known), min_size=least, max_size=max(least, 3))


def _string(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True).filter(lambda text: not text.endswith("\n"))
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda moment: moment.isoformat() + "Z")
    return _TEXT.filter(lambda text: len(text.strip()) >= schema.get("minLength", 0))


def _bounds(schema: dict[str, Any]) -> tuple[Any, Any]:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -_LARGE))
    high = schema.get("maximum", schema.get("exclusiveMaximum", max(_LARGE, low + 1)))
    return low, high
