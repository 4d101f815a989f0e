"""A real Unleash server on a real PostgreSQL, both on the loopback interface and in a folder of the test's own."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVER = ROOT / ".cache" / "e2e" / "unleash" / "node_modules" / "unleash-server" / "dist" / "server.js"
ADMIN, BACKEND = "*:*.an-admin-token-of-the-test", "default:development.a-backend-token-of-the-test"
_DEADLINE_S = 90


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def postgres_programs() -> Path:
    """Where Debian keeps PostgreSQL's programs, which are not on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [
        Path(path) for path in [shutil.which("initdb")] if path
    ]
    assert found, "PostgreSQL is missing: make e2e-deps installs it"
    return found[-1].parent


@contextmanager
def unleash() -> Generator[str]:
    """The URL of a server that knows ADMIN and BACKEND."""
    assert SERVER.exists(), "unleash-server is missing: make e2e installs it"
    with (
        tempfile.TemporaryDirectory(prefix="unleash-") as made,
        _database(Path(made)) as database,
        _server(database, Path(made)) as url,
    ):
        yield url


@contextmanager
def _database(folder: Path) -> Generator[str]:
    """The URL of an empty database. PostgreSQL refuses to run as root, so that its own user does where we are root."""
    programs, port, user = postgres_programs(), free_port(), "postgres" if os.geteuid() == 0 else None
    data = folder / "data"
    data.mkdir()
    if user is not None:
        folder.chmod(0o711)
        shutil.chown(data, user)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [programs / program, *arguments], user=user, cwd="/", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    run("initdb", "-D", str(data), "-U", "unleash", "-A", "trust", "--no-sync")
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={data} -c fsync=off"
    run("pg_ctl", "-D", str(data), "-w", "-l", str(data / "log"), "-o", settings, "start")
    try:
        run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "unleash", "unleash")
        yield f"postgres://unleash@127.0.0.1:{port}/unleash"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")


@contextmanager
def _server(database: str, folder: Path) -> Generator[str]:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CHECK_VERSION": "false",
        "SEND_TELEMETRY": "false",
        "DATABASE_URL": database,
        "DATABASE_SSL": "false",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "INIT_ADMIN_API_TOKENS": ADMIN,
        "INIT_BACKEND_API_TOKENS": BACKEND,
    }
    url = f"http://127.0.0.1:{port}"
    with (folder / "unleash.log").open("wb") as log:
        process = subprocess.Popen(["node", SERVER], env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            _wait_for(f"{url}/health", process, folder / "unleash.log")
            yield url
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _DEADLINE_S
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text("utf-8", "replace")[-2000:]
        try:
            with urllib.request.urlopen(url, timeout=1) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"Unleash did not come up within {_DEADLINE_S} s: {log.read_text('utf-8', 'replace')[-2000:]}")
