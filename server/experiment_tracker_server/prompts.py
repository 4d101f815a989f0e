"""prompts/*.md become MCP prompts: TOML between +++ lines (title, description, arguments), then the text."""

import string
import tomllib
from collections.abc import Callable, Iterator

from mcp.server.mcpserver.prompts.base import Prompt, PromptArgument, UserMessage

from experiment_tracker_server import bundle
from experiment_tracker_tools.core.text import plainly


def prompts() -> Iterator[Prompt]:
    """Every prompt, in the order of the file names."""
    for path in sorted(bundle.folder("prompts").glob("*.md")):
        _, head, body = path.read_text("utf-8").split("+++\n", 2)
        card = tomllib.loads(head)
        arguments = [PromptArgument(**argument) for argument in card.get("arguments", [])]
        yield Prompt(
            name=path.stem,
            title=card["title"],
            description=card["description"],
            arguments=arguments,
            context_kwarg=None,
            fn=_text(body.strip(), [argument.name for argument in arguments]),
        )


def _text(body: str, names: list[str]) -> Callable[..., list[UserMessage]]:
    def fill(**given: str) -> list[UserMessage]:
        # What is filled in may be pasted from anywhere: it stays on its line, and short.
        values = {name: plainly(given[name]) if name in given else "(not given)" for name in names}
        return [UserMessage(string.Template(body).safe_substitute(values))]

    return fill
