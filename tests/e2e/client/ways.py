"""The ways in which a session goes: typed into a terminal, stopped by Escape, killed."""

import os
import signal
from pathlib import Path

from tests.e2e.client.assets import SECRET, answer, is_agents
from tests.e2e.client.client import Client, until
from tests.e2e.client.model import Reply, Request
from tests.e2e.client.terminal import terminal


def slow(request: Request) -> Reply:
    """A model that lets what is told to wait wait."""
    return Reply("late", hang=True) if "all: wait" in request.last else answer(request)


def typed(client: Client, folder: Path, prompt: str) -> str:
    """A session in a terminal, with one prompt; gives its id."""
    before = len(client.model.work())
    with terminal(client, folder) as shown:
        shown.types(prompt)
        until(lambda: "done" in shown.screen, "the answer on the screen")
        if prompt == "use the agent":
            # Later clients let agents work in the background.
            until(lambda: any(is_agents(each) for each in client.model.work()[before:]), "the agent's request")
            until(lambda: "background agent" not in shown.screen, "the agent's end")
        shown.leaves()
    return client.model.work()[before].session


def escaped(client: Client, folder: Path) -> str:
    """A session in a terminal whose first run is stopped by Escape and whose second ends well; gives its id."""
    before = len(client.model.work())
    client.model.script = slow
    client.model.go.clear()
    with terminal(client, folder) as shown:
        shown.types(f"/review_pr wait {SECRET}")
        until(lambda: len(client.model.work()) == before + 1, "the first request")
        shown.presses("Escape")
        until(lambda: "esc to interrupt" not in shown.screen, "the prompt after the interruption")
        client.model.go.set()
        shown.presses("C-u")
        shown.types("use the command")
        until(lambda: len(client.model.work()) == before + 3, "the answer to the second prompt")
        until(lambda: "done" in shown.screen, "the answer on the screen")
        shown.leaves()
    return client.model.work()[before].session


def killed(client: Client, folder: Path) -> str:
    """A headless session whose client is killed while the model works; gives its id."""
    before = len(client.model.work())
    client.model.script = slow
    client.model.go.clear()
    with client.process(folder) as process:
        assert process.stdin is not None
        process.stdin.write('{"type":"user","message":{"role":"user","content":"/review_pr wait"}}\n')
        process.stdin.flush()
        until(lambda: len(client.model.work()) == before + 1, "the first request")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    client.model.go.set()
    return client.model.work()[before].session
