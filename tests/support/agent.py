"""An agent as the SDK's in-memory client makes one, with calls that wait for their answer."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Literal, cast

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters
from mcp.client import ClientRequestContext
from mcp.server.mcpserver import MCPServer
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from experiment_tracker_server.app import build
from experiment_tracker_tools.workspace import Workspace

JsonObject = dict[str, Any]
Mode = Literal["auto", "legacy"]
ACCEPT = ElicitResult(action="accept", content={"proceed": True})
UNTICKED = ElicitResult(action="accept", content={"proceed": False})
DECLINE, CANCEL = ElicitResult(action="decline"), ElicitResult(action="cancel")


class Agent:
    """One connection. `asked` holds every question that a person was asked."""

    def __init__(self, portal: BlockingPortal, client: Client, asked: list[str]) -> None:
        self.portal, self.client, self.asked = portal, client, asked

    def answer(self, tool: str, **arguments: object) -> CallToolResult:
        reply: CallToolResult = self.portal.call(self.client.call_tool, tool, arguments)
        return reply

    def call(self, tool: str, **arguments: object) -> JsonObject:
        """The fields of a reply that is no refusal."""
        reply = self.answer(tool, **arguments)
        assert not reply.is_error, text_of(reply)
        return cast("JsonObject", reply.structured_content)

    def refusal(self, tool: str, **arguments: object) -> str:
        """The text of a refusal; short enough to be read, and never a stack trace or the SDK's words for a bug."""
        reply = self.answer(tool, **arguments)
        told = text_of(reply)
        assert reply.is_error, f"{tool} was not refused: {told}"
        assert len(told.encode()) <= 1200, told
        assert "Error executing tool" not in told, told
        return told

    def resource(self, uri: str) -> str:
        found = self.portal.call(self.client.read_resource, uri).contents[0]
        return str(getattr(found, "text", ""))


def text_of(reply: CallToolResult) -> str:
    """The text that the model reads."""
    first = reply.content[0]
    assert isinstance(first, TextContent)
    return first.text


@contextmanager
def agent(
    server: Workspace | MCPServer[None] | StdioServerParameters,
    *,
    answers: ElicitResult | None = ACCEPT,
    mode: Mode = "auto",
) -> Generator[Agent]:
    """An agent whose person gives `answers`; None for a client that cannot ask anybody."""
    asked: list[str] = []

    async def ask(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
        asked.append(params.message)
        assert answers is not None
        return answers

    target: MCPServer[None] | StdioServerParameters = build(server) if isinstance(server, Workspace) else server
    callback = ask if answers is not None else None
    with start_blocking_portal() as portal:
        client = Client(target, elicitation_callback=callback, mode=mode, read_timeout_seconds=60)
        with portal.wrap_async_context_manager(client):
            yield Agent(portal, client, asked)
