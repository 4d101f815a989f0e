"""A transcript as the client writes it."""

import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]
USAGE = {
    "input_tokens": 100,
    "output_tokens": 10,
    "cache_read_input_tokens": 1000,
    "cache_creation_input_tokens": 200,
}


class Transcript:
    """A transcript as the client writes it; every line comes half a second after the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.moment = 0.0
        self.messages = 0

    def line(self, kind: str, prompt: str | None = None, *, after_s: float = 0.5, **fields: Any) -> None:
        self.moment += after_s
        minutes, seconds = divmod(self.moment, 60)
        stamp = f"2026-11-25T12:{int(minutes):02d}:{seconds:06.3f}Z"
        told = {"type": kind, "timestamp": stamp, "version": "2.1.197", "uuid": str(self.moment), **fields}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told if prompt is None else {**told, "promptId": prompt}) + "\n")

    def asks(self, prompt: str, body: str) -> None:
        self.line("user", prompt, message={"content": "<command-name>/review_pr</command-name>"})
        text = f"Base directory for this skill: /x\n\n{body}\n\n\nARGUMENTS: 12"
        self.line("user", prompt, isMeta=True, after_s=0.0, message={"content": [{"type": "text", "text": text}]})

    def answers(self, *, stop: str = "end_turn", tools: tuple[str, ...] = (), model: str = "claude-opus-4-8") -> None:
        """One API message, in as many lines as it has blocks, each with the same id and usage."""
        self.messages += 1
        blocks: list[Json] = [{"type": "text", "text": "so"}, *({"type": "tool_use", "name": name} for name in tools)]
        for block in blocks:
            message = {
                "id": f"m{self.messages}",
                "model": model,
                "usage": USAGE,
                "stop_reason": stop,
                "content": [block],
            }
            self.line("assistant", after_s=1.0, message=message)

    def results(self, prompt: str, *, wrong: bool = False) -> None:
        block = {"type": "tool_result", "tool_use_id": "t", "is_error": wrong}
        self.line("user", prompt, after_s=3.0, message={"content": [block]})
