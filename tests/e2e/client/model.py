"""A scripted stand-in for the Messages API on loopback: it answers the real client and keeps every request."""

import json
import threading
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

Json = dict[str, Any]
SESSION = "x-claude-code-session-id"


class Reply(NamedTuple):
    """What the model says.

    Attributes:
        text: its words; tools: calls as (name, input).
        hang: answers only when the model's `go` is set; the client can be interrupted or killed meanwhile.
        status: of an API error, instead of an answer.
    """

    text: str = "ok"
    tools: tuple[tuple[str, Json], ...] = ()
    hang: bool = False
    status: int = 0


class Request(NamedTuple):
    """One request of the client.

    Attributes:
        body: as it came; session: which one.
        usage: what was answered as usage; empty for a request that got no answer.
    """

    body: Json
    session: str
    usage: Json

    @property
    def is_work(self) -> bool:
        """Whether it carries tools; titles and the like do not."""
        return bool(self.body.get("tools"))

    @property
    def system(self) -> str:
        """The system prompt; a subagent has its own."""
        return flat(self.body.get("system"))

    @property
    def last(self) -> str:
        """Everything since the last answer, except what the client tells in system reminders."""
        messages = self.body.get("messages", [])
        start = max((place for place, each in enumerate(messages) if each["role"] == "assistant"), default=-1) + 1
        return "\n".join(flat(each["content"]) for each in messages[start:])

    @property
    def is_answer(self) -> bool:
        """Whether a tool's result came last: what a command asked for is done."""
        content = self.body.get("messages", [{}])[-1].get("content")
        return isinstance(content, list) and any(each.get("type") == "tool_result" for each in content)

    @property
    def tools(self) -> list[str]:
        """Names of the tools that the model is offered."""
        return [str(each.get("name")) for each in self.body.get("tools", [])]


Script = Callable[[Request], Reply]


class Model:
    """The running stand-in. `requests` holds what came, in order."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.go = threading.Event()
        self._lock = threading.Lock()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_address[1]}"

    def work(self, session: str | None = None) -> list[Request]:
        """The requests with tools, of one session or of all."""
        return [each for each in self.requests if each.is_work and session in {None, each.session}]

    def used(self, session: str, *, of: Callable[[Request], bool] | None = None) -> dict[str, int]:
        """The scripted usage of a session's answers, by kind; `of` chooses among its requests."""
        total: dict[str, int] = {}
        for each in filter(of or (lambda _: True), self.work(session)):
            for name, count in each.usage.items():
                total[name] = total.get(name, 0) + count
        return total

    def take(self, body: Json, session: str) -> tuple[Reply, Json]:
        """The answer to a request, and its usage: no two are alike."""
        asked = Request(body, session, {})
        reply = self.script(asked) if asked.is_work else Reply("A title")
        with self._lock:
            n = len(self.requests)
            usage = {
                "input_tokens": 100 + n,
                "output_tokens": 10 + n,
                "cache_read_input_tokens": 1_000 + n,
                "cache_creation_input_tokens": 200 + n,
            }
            self.requests.append(Request(body, session, {} if reply.status else usage))
            place = len(self.requests) - 1
        if reply.hang and not self.go.wait(60):
            raise TimeoutError("nobody let the model go on")
        if reply.hang and not reply.status:
            # The client had gone away before it was answered.
            self.requests[place] = Request(body, session, {})
        return reply, usage

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's word
                pass

            def do_HEAD(self) -> None:
                self._json(200, {})

            def do_GET(self) -> None:
                self._json(200, {"data": [], "has_more": False})

            def do_POST(self) -> None:
                body: Json = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
                path = self.path.split("?")[0]
                if path.endswith("/count_tokens"):
                    self._json(200, {"input_tokens": 1})
                elif not path.endswith("/v1/messages"):
                    self._json(404, {"type": "error", "error": {"type": "not_found_error", "message": path}})
                else:
                    reply, usage = model.take(body, _session(body, self.headers.get(SESSION)))
                    self._answer(body, reply, usage)

            def _answer(self, body: Json, reply: Reply, usage: Json) -> None:
                if reply.status:
                    error = {"type": "invalid_request_error", "message": "scripted refusal"}
                    self._json(reply.status, {"type": "error", "error": error})
                    return
                message = _message(body, reply, usage)
                try:
                    if body.get("stream"):
                        self._stream(message)
                    else:
                        self._json(200, message)
                except (BrokenPipeError, ConnectionResetError):
                    pass

            def _json(self, status: int, fields: Json) -> None:
                data = b"" if self.command == "HEAD" else json.dumps(fields).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _stream(self, message: Json) -> None:
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                for kind, fields in _events(message):
                    event = f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()
                    self.wfile.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")

        return Handler


@contextmanager
def serving(script: Script) -> Generator[Model]:
    """A model that answers by a script."""
    model = Model(script)
    threading.Thread(target=model.http.serve_forever, daemon=True).start()
    try:
        yield model
    finally:
        model.go.set()
        model.http.shutdown()
        model.http.server_close()


def flat(content: object) -> str:
    """The text of a message's content, calls and results of tools included."""
    if isinstance(content, str):
        return content
    told: list[str] = []
    for block in content if isinstance(content, list) else []:
        if isinstance(block, str):
            told.append(block)
        elif block.get("type") == "text":
            told.append(str(block.get("text")))
        elif block.get("type") == "tool_result":
            told.append(flat(block.get("content")))
        elif block.get("type") == "tool_use":
            told.append(json.dumps({"call": block.get("name"), "input": block.get("input")}))
    return "\n".join(told)


def _session(body: Json, header: str | None) -> str:
    """The session that a request belongs to: the client's header, else its metadata."""
    if header:
        return header
    told = str((body.get("metadata") or {}).get("user_id") or "")
    try:
        return str(json.loads(told)["session_id"])
    except (ValueError, KeyError, TypeError):
        return told.rpartition("_session_")[2]


def _message(body: Json, reply: Reply, usage: Json) -> Json:
    content: list[Json] = [{"type": "text", "text": reply.text}] if reply.text else []
    for name, given in reply.tools:
        content.append({"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:22]}", "name": name, "input": given})
    return {
        "id": f"msg_{uuid.uuid4().hex[:22]}",
        "type": "message",
        "role": "assistant",
        "model": body.get("model", "scripted"),
        "content": content,
        "stop_reason": "tool_use" if reply.tools else "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def _events(message: Json) -> Iterator[tuple[str, Json]]:
    begun = {**message, "content": [], "stop_reason": None, "usage": {**message["usage"], "output_tokens": 1}}
    yield "message_start", {"message": begun}
    for place, block in enumerate(message["content"]):
        if block["type"] == "text":
            yield "content_block_start", {"index": place, "content_block": {"type": "text", "text": ""}}
            delta = {"type": "text_delta", "text": block["text"]}
        else:
            yield "content_block_start", {"index": place, "content_block": {**block, "input": {}}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield "content_block_delta", {"index": place, "delta": delta}
        yield "content_block_stop", {"index": place}
    stop = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": stop, "usage": {"output_tokens": message["usage"]["output_tokens"]}}
    yield "message_stop", {}
