"""A verb becomes an MCP tool: its schema, its checked arguments, its errors in words, its reply as compact JSON."""

import inspect
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import GenericAlias
from typing import Annotated, Any, TypedDict, get_args, get_origin, get_type_hints

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from pydantic import ConfigDict, ValidationError, create_model

from experiment_tracker_server.brevity import brief
from experiment_tracker_server.wording import explained
from experiment_tracker_tools.conduct.live.catch_up import catch_up
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.core.registry import card_of
from experiment_tracker_tools.domain.base import Model
from experiment_tracker_tools.workspace import Workspace

JsonSchema = dict[str, Any]
_NOTES: ContextVar[list[str]] = ContextVar("notes")
"""What the call at hand has to tell beside its reply; the list is shared with the thread that the verb runs in."""
_UNSAID = {
    *("title", "description", "default", "pattern", "propertyNames", "exclusiveMinimum", "exclusiveMaximum"),
    *(f"{end}{what}" for end in ("min", "max") for what in ("Length", "Items", "Properties", "imum")),
}


class VerbTool(Tool):
    """A tool whose refusals the model can read and mend."""

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:  # noqa: FBT001, FBT002 the SDK's
        """Check the arguments, call the verb, and answer with what it returned."""
        notes: list[str] = []
        token = _NOTES.set(notes)
        try:
            result = await super().run(arguments, context, convert_result)
            beside = [TextContent(type="text", text=note) for note in notes]
            return result.model_copy(update={"content": [*result.content, *beside]}) if beside else result
        except UnexpectedToolError:
            raise
        except ToolError as error:
            # The SDK puts its own words before ours; ours are complete.
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                raise ToolError(explained(cause, schema=self.parameters)) from cause
            raise (cause if isinstance(cause, ToolError) else error) from None
        finally:
            _NOTES.reset(token)


class Arguments(ArgModelBase):
    """The arguments of a tool; those that it does not know are refused."""

    model_config = ConfigDict(extra="forbid")


def bound(verb: Callable[..., Model], workspace: Workspace) -> Tool:
    """The tool of a verb in a workspace."""

    def answer(**arguments: Any) -> CallToolResult:
        with told_to_the_model(workspace):
            return replied(verb(workspace, **arguments), most=_room(most, limit, arguments))

    hints = get_type_hints(verb, include_extras=True)
    parameters, most = inspect.signature(verb).parameters, card_of(verb.__name__).most_bytes
    limit = parameters["limit"].default if "limit" in parameters else None
    fields: dict[str, Any] = {
        name: (_quick(hints[name]), ... if parameter.default is inspect.Parameter.empty else parameter.default)
        for name, parameter in list(parameters.items())[1:]
    }
    arguments = create_model(f"{verb.__name__}Arguments", __base__=Arguments, **fields)
    return VerbTool(
        fn=answer,
        name=verb.__name__,
        description=inspect.getdoc(verb) or "",
        parameters=compact(arguments.model_json_schema()),
        fn_metadata=FuncMetadata(arg_model=arguments),
        is_async=False,
        context_kwarg=None,
        **_announced(verb.__name__),
    )


def _quick(hint: Any) -> Any:
    """The hint with tuples for sequences: pydantic checks them without a detour through Python; same schema."""
    if get_origin(hint) is Annotated:
        return Annotated[(_quick(hint.__origin__), *hint.__metadata__)]
    return GenericAlias(tuple, (*get_args(hint), ...)) if get_origin(hint) is Sequence else hint


def _room(most: int, limit: int | None, arguments: dict[str, Any]) -> int:
    """Bytes of a reply; whoever asks for more entries than by default gets a kilobyte for each."""
    return most * arguments["limit"] if limit is not None and arguments["limit"] > limit else most


def asking(answer: Callable[..., CallToolResult | Awaitable[CallToolResult]]) -> Tool:
    """The tool of a function that asks a person, under the card of the verb that has its name."""
    tool = VerbTool.from_function(
        answer, description=inspect.getdoc(answer), structured_output=False, **_announced(answer.__name__)
    )
    tool.fn_metadata.arg_model.model_config["extra"] = "forbid"
    tool.fn_metadata.arg_model.model_rebuild(force=True)
    tool.parameters = compact(tool.fn_metadata.arg_model.model_json_schema())
    return tool


class _Announced(TypedDict):
    title: str
    annotations: ToolAnnotations
    meta: dict[str, Any] | None


def _announced(name: str) -> _Announced:
    card = card_of(name)
    hints = ToolAnnotations(
        read_only_hint=card.read_only,
        destructive_hint=card.destructive,
        idempotent_hint=card.idempotent,
        open_world_hint=card.open_world,
    )
    meta = {"anthropic/requiresUserInteraction": True} if card.asks_a_person else None
    return _Announced(title=card.title, annotations=hints, meta=meta)


@contextmanager
def told_to_the_model(workspace: Workspace) -> Generator[None]:
    """The one place where our errors become the text that a model reads; anything else stays a bug.

    Before and after, the store is brought up to what happened in Claude Code.
    """
    catch_up(workspace)
    try:
        yield
    except ExperimentError as error:
        raise ToolError(str(error)) from error
    finally:
        catch_up(workspace)
        _NOTES.get([]).extend(workspace.take_notes())


def replied(reply: Model, *, most: int = 1024) -> CallToolResult:
    """A reply of at most that many bytes: the same as compact text and as structured content."""
    content, text = brief(reply, most=most)
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=content)


def compact(schema: JsonSchema) -> JsonSchema:
    """A JSON schema as small as it can be said; bounds are left to the error texts, which tell them with the value.

    >>> compact({"properties": {"title": {"title": "Title", "anyOf": [{"type": "string"}, {"type": "null"}]}}})
    {'properties': {'title': {'type': 'string'}}}
    """
    kept = {key: value for key, value in schema.items() if key not in _UNSAID}
    if isinstance(schema.get("description"), str) and "properties" not in schema:
        kept["description"] = schema["description"]
    if isinstance(schema.get("default"), str | bool | int | float) and schema["default"] not in {"", False}:
        kept["default"] = schema["default"]
    for key in kept.keys() & {"properties", "$defs"}:
        kept[key] = {name: compact(each) for name, each in kept[key].items()}
    for model in kept.get("$defs", {}).values():
        model.pop("additionalProperties", None)
        # What has properties is an object.
        model.pop("type" if "properties" in model else "", None)
    for names in kept.pop("patternProperties", {}).values():
        kept["additionalProperties"] = names
    for key in kept.keys() & {"items", "additionalProperties"}:
        kept[key] = compact(kept[key]) if isinstance(kept[key], dict) else kept[key]
    for key in kept.keys() & {"anyOf", "oneOf"}:
        options = [compact(each) for each in kept.pop(key) if each.get("type") != "null"]
        kept |= options[0] if len(options) == 1 else {"anyOf": options}
    return kept
