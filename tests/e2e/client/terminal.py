"""The real client in a real terminal: a tmux of our own, typed into and looked at."""

import json
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.client.client import Client, until


class Terminal:
    """A terminal that the client runs in."""

    def __init__(self, client: Client, socket: Path) -> None:
        self.client = client
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]

    def tmux(self, *arguments: str) -> str:
        environment = {**self.client.environment, "TERM": "xterm-256color"}
        done = subprocess.run([*self._tmux, *arguments], env=environment, capture_output=True, text=True, check=False)
        return done.stdout

    @property
    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "client")

    @property
    def is_there(self) -> bool:
        return "client" in self.tmux("list-sessions", "-F", "#{session_name}")

    def types(self, text: str) -> None:
        """Type a prompt; it is sent once the screen shows it."""
        self.tmux("send-keys", "-t", "client", "-l", text)
        until(lambda: text.rsplit(maxsplit=1)[-1] in self.screen, f"{text!r} on the screen")
        self.presses("Enter")

    def presses(self, *keys: str) -> None:
        self.tmux("send-keys", "-t", "client", *keys)

    def leaves(self) -> None:
        """End the session as a person does."""
        self.presses("C-u")
        self.types("/exit")
        asked = "Background work is running"
        until(lambda: not self.is_there or asked in self.screen, "the client to end, or to ask")
        if self.is_there:
            self.presses("Enter")
        until(lambda: not self.is_there, "the client to end")


@contextmanager
def terminal(client: Client, cwd: Path, *arguments: str) -> Generator[Terminal]:
    """The client in a terminal, ready to be typed into; its tmux is ours alone and ends here."""
    _introduced(client, cwd)
    shown = Terminal(client, client.home / "tmux.sock")
    environment = {**client.environment, "TERM": "xterm-256color"}
    variables = [f"{name}={value}" for name, value in environment.items()]
    size = ("-x", "180", "-y", "50")
    shown.tmux(
        "new-session", "-d", "-s", "client", *size, "-c", str(cwd), "env", "-i", *variables, *client.command(*arguments)
    )
    try:
        until(lambda: "❯" in shown.screen or ">" in shown.screen, "the prompt")
        yield shown
    finally:
        shown.tmux("kill-server")


def _introduced(client: Client, cwd: Path) -> None:
    """Answer beforehand what the client asks at its first start."""
    file = client.home / ".claude.json"
    known = json.loads(file.read_text()) if file.exists() else {}
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    asked = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "numStartups": 5,
        "customApiKeyResponses": {"approved": [client.environment["ANTHROPIC_API_KEY"][-20:]], "rejected": []},
        "projects": {**known.get("projects", {}), str(cwd): trusted},
    }
    file.write_text(json.dumps({**known, **asked}))
