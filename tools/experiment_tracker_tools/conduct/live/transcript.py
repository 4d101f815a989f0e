"""What the client's transcript of a session says about each prompt: time, tokens, cost, turns, tools, how it ended.

The transcript is JSON lines that the client alone writes, late and in a form of its own: whatever is not understood is
skipped, one API message stands in several lines that repeat its id and usage, and the last one may still be missing.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from experiment_tracker_tools.conduct.live.prices import cost_usd

_FINAL = frozenset({"end_turn", "stop_sequence", "max_tokens", "refusal"})
_EDITS = frozenset({"Write", "Edit", "MultiEdit", "NotebookEdit"})
_TOKENS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
}
Json = dict[str, Any]


class Turn:
    """One prompt, or one subagent, as far as the transcript tells.

    Attributes:
        models, client: what ran it.
        model_s, tool_s: seconds until the model, and until tools, had answered; with the wait for a permission.
        started, ended: seconds since 1970; None before anything was written.
        tool_calls, tool_errors, edits: how many.
        usage: by API message: (model, usage).
        interrupted, failed: a person stopped it; the API refused.
        final: the last message ended the turn; overtaken: another prompt came after it.
        bodies: texts that the client put in for commands and skills.
    """

    def __init__(self) -> None:
        self.models: set[str] = set()
        self.client = ""
        self.model_s = self.tool_s = 0.0
        self.started: float | None = None
        self.ended: float | None = None
        self.tool_calls = self.tool_errors = self.edits = 0
        self.usage: dict[str, tuple[str, Json]] = {}
        self.interrupted = self.failed = self.final = self.overtaken = False
        self.bodies: list[str] = []

    def count(self, name: str) -> int:
        """Tokens of that kind, over all messages."""
        return sum(_whole(usage.get(_TOKENS[name])) for _, usage in self.usage.values())

    @property
    def cost_usd(self) -> float | None:
        """List price of all messages; None where a model has no price."""
        costs = [cost_usd(model, usage) for model, usage in self.usage.values()]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    def add(self, line: Json, *, main: bool) -> None:
        """Take in one line; lines of a subagent count, but their time is that of the tool that waits for it."""
        message: Json = line.get("message") or {}
        self.client = line.get("version") or self.client
        passed = self._passed(line) if main else 0.0
        content: object = message.get("content")
        blocks = _blocks(content)
        if line.get("type") == "assistant":
            self.model_s += passed
            self._add_answer(line, message, blocks, main=main)
        else:
            self._add_user(line, content, blocks, passed=passed, main=main)

    def _add_answer(self, line: Json, message: Json, blocks: list[Json], *, main: bool) -> None:
        if line.get("isApiErrorMessage"):
            self.failed = True
            return
        model = str(message.get("model") or "")
        if model and model != "<synthetic>":
            self.models.add(model)
            self.usage[str(message.get("id") or line.get("uuid"))] = (model, message.get("usage") or {})
        calls = [str(block.get("name")) for block in blocks if block.get("type") == "tool_use"]
        self.tool_calls += len(calls)
        self.edits += sum(name in _EDITS for name in calls)
        if main:
            self.final = message.get("stop_reason") in _FINAL

    def _add_user(self, line: Json, content: object, blocks: list[Json], *, passed: float, main: bool) -> None:
        results = [block for block in blocks if block.get("type") == "tool_result"]
        self.tool_errors += sum(block.get("is_error") is True for block in results)
        if results:
            self.tool_s += passed
            self.final = False if main else self.final
        texts = [content] if isinstance(content, str) else [str(block.get("text") or "") for block in blocks]
        if main and any(text.startswith("[Request interrupted") for text in texts):
            self.interrupted = True
        if main and line.get("isMeta"):
            self.bodies += texts

    def _passed(self, line: Json) -> float:
        try:
            now = datetime.fromisoformat(str(line["timestamp"])).timestamp()
        except (KeyError, ValueError):
            return 0.0
        passed = max(0.0, now - self.ended) if self.ended is not None else 0.0
        self.started = now if self.started is None else min(self.started, now)
        self.ended = now if self.ended is None else max(self.ended, now)
        return passed


def _blocks(content: object) -> list[Json]:
    return [each for each in cast("list[Json]", content) if "type" in each] if isinstance(content, list) else []


def turns(transcript: Path) -> dict[str, Turn]:
    """Every prompt of a session by its id, subagents counted in."""
    found: dict[str, Turn] = {}
    _feed(transcript, found, main=True)
    for each in _subagents(transcript):
        _feed(each, found, main=False)
    return found


def agent_run(transcript: Path, call: str) -> tuple[str, Turn] | None:
    """The agent type that a tool call really started, and what the transcript says of it."""
    for each in _subagents(transcript):
        try:
            about = json.loads(each.with_suffix(".meta.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if about.get("toolUseId") == call:
            turn = Turn()
            for line in _lines(each):
                turn.add(line, main=True)
            return str(about.get("agentType")), turn
    return None


def _feed(path: Path, found: dict[str, Turn], *, main: bool) -> None:
    current: Turn | None = None
    for line in _lines(path):
        prompt = line.get("promptId")
        if line.get("type") == "user" and prompt:
            if main and prompt not in found:
                for earlier in found.values():
                    earlier.overtaken = True
            current = found.setdefault(str(prompt), Turn())
        if current is not None and line.get("type") in {"user", "assistant"}:
            current.add(line, main=main)


def _lines(path: Path) -> Iterator[Json]:
    try:
        content = path.read_bytes()
    except OSError:
        return
    for line in content.splitlines():
        try:
            read = json.loads(line)
        except ValueError:
            continue
        if isinstance(read, dict):
            yield read


def _subagents(transcript: Path) -> list[Path]:
    return sorted((transcript.parent / transcript.stem / "subagents").glob("agent-*.jsonl"))


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
