"""The real client, driven headless: a throw-away HOME, a scrubbed environment, and nothing but a loopback model."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.client.model import Model, Script, serving

ROOT = Path(__file__).parents[3]
VERSIONS = ("2.1.197", "2.1.332")
Json = dict[str, Any]


class Done(NamedTuple):
    """How a headless client ended: its status, its events, its last words."""

    status: int
    events: list[Json]
    error: str

    @property
    def session(self) -> str:
        return str(next(each["session_id"] for each in self.events if "session_id" in each))

    @property
    def begun(self) -> Json:
        """What the client told of itself: tools, commands, agents, servers."""
        return next(each for each in self.events if each.get("subtype") == "init")


class Client:
    """A client of one version, with a HOME of its own and our plugin.

    Args:
        version: of the client.
        home: made if it is not there.
        model: that answers it.

    `plugin` says whether our plugin is loaded, `server` whether the client starts its server: hooks do without, and a
    session is twice as quick then.
    """

    plugin = server = True

    def __init__(self, version: str, home: Path, model: Model) -> None:
        self.binary = ROOT / ".cache" / "e2e" / f"claude-{version}" / "node_modules" / ".bin" / "claude"
        assert self.binary.exists(), f"Claude Code {version} is missing: run this through `make e2e`"
        self.version, self.home, self.model = version, home, model
        home.mkdir(parents=True, exist_ok=True)

    @property
    def data(self) -> Path:
        """The plugin's data folder."""
        return self.home / ".claude" / "plugins" / "data" / "experiment-tracker-inline"

    @property
    def environment(self) -> dict[str, str]:
        temporary = self.home / "tmp"
        temporary.mkdir(exist_ok=True)
        return {
            "HOME": str(self.home),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "TERM": "dumb",
            "LANG": "C.UTF-8",
            "ANTHROPIC_BASE_URL": self.model.url,
            "ANTHROPIC_API_KEY": "loopback-only",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_TMPDIR": str(temporary),
            "ENABLE_TOOL_SEARCH": "false",
            # The first turn waits for our server; without it a quick script would be over before it is there.
            "MCP_CONNECTION_NONBLOCKING": "0",
            "MCP_CONNECT_TIMEOUT_MS": "30000",
        }

    def command(self, *arguments: str) -> list[str]:
        loaded = ["--plugin-dir", str(ROOT)] if self.plugin else []
        alone = [] if self.server else ["--strict-mcp-config"]
        return [str(self.binary), *loaded, *alone, "--permission-mode", "acceptEdits", *arguments]

    def runs(self, *arguments: str, cwd: Path | None = None) -> str:
        """What `claude ARGUMENTS` prints; it must succeed."""
        done = subprocess.run(
            [str(self.binary), *arguments],
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def says(self, *prompts: str, cwd: Path, arguments: Sequence[str] = ()) -> Done:
        """One session: each prompt after the other's answer."""
        with self.process(cwd, arguments) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            events: list[Json] = []
            for prompt in prompts:
                message = {"type": "user", "message": {"role": "user", "content": prompt}}
                process.stdin.write(json.dumps(message) + "\n")
                process.stdin.flush()
                for line in process.stdout:
                    events.append(json.loads(line))
                    if events[-1].get("type") == "result":
                        break
            process.stdin.close()
            events += [json.loads(line) for line in process.stdout]
            assert process.stderr is not None
            return Done(process.wait(60), events, process.stderr.read())

    @contextmanager
    def process(self, cwd: Path, arguments: Sequence[str] = ()) -> Generator["subprocess.Popen[str]"]:
        """A headless client that reads prompts from its standard input; ended with its group at the latest here."""
        form = ("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
        process = subprocess.Popen(
            self.command(*form, *arguments),
            cwd=cwd,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
            for stream in (process.stdin, process.stdout, process.stderr):
                with suppress(BrokenPipeError):
                    if stream is not None:
                        stream.close()


@contextmanager
def clients(version: str, home: Path, script: Script) -> Generator[Client]:
    """A client whose plugin runs from this checkout's own environment."""
    with serving(script) as model:
        client = Client(version, home, model)
        borrow_environment(client.data)
        yield client


def borrow_environment(data: Path) -> None:
    """Let the plugin's launcher find this checkout's environment instead of building one for every test."""
    said = subprocess.run(
        ["sh", "-c", 'cat "$0/requirements.txt"; echo "$0"', str(ROOT)], capture_output=True, check=True
    ).stdout
    key = subprocess.run(["cksum"], input=said, capture_output=True, check=True).stdout.decode().split()[0]
    data.mkdir(parents=True, exist_ok=True)
    link = data / f"venv-{key}"
    if not link.is_symlink():
        link.symlink_to(ROOT / ".venv")


def until(holds: Callable[[], object], what: str, *, limit_s: float = 60.0) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
