"""Runs the dashboard on loopback until it is interrupted."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

import uvicorn

from experiment_tracker_server.dashboard.app import build
from experiment_tracker_server.dashboard.events import Hub, watch
from experiment_tracker_server.dashboard.keys import Keys
from experiment_tracker_server.dashboard.reading import Reader
from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.workspace import Workspace

HOST = "127.0.0.1"
_GOODBYE_S = 3


def listening(port: int) -> socket.socket:
    """A socket on loopback; port 0 takes a free one.

    Raises:
        InvalidInput: if the port is taken or may not be used.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        found.listen(128)
    except OSError as error:
        found.close()
        raise InvalidInput(f"Port {port} cannot be used: {error.strerror}. Leave --port out for a free one.") from error
    return found


def address(port: int, keys: Keys, token: str) -> str:
    """Where a browser is let in."""
    return f"http://{HOST}:{port}{keys.base}/?token={token}"


def serve(
    workspace: Workspace, open_socket: socket.socket, keys: Keys, *, writable: bool, started: Callable[[], None]
) -> None:
    """Serve until interrupted; `started` is called once requests are answered."""
    reader, hub = Reader(workspace), Hub()
    app = build(reader, keys, hub, port=open_socket.getsockname()[1], writable=writable)
    # No request is logged: an address may hold the token.
    config = uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_GOODBYE_S,
    )
    server = uvicorn.Server(config)
    Thread(target=reader.warm, daemon=True).start()
    with suppress(KeyboardInterrupt):
        asyncio.run(_served(server, open_socket, workspace, hub, started))
    workspace.ledger.close()


async def _served(
    server: uvicorn.Server, open_socket: socket.socket, workspace: Workspace, hub: Hub, started: Callable[[], None]
) -> None:
    watching = asyncio.create_task(watch(workspace.folder, hub, lambda: server.should_exit))
    announcing = asyncio.create_task(_announced(server, started))
    try:
        await server.serve(sockets=[open_socket])
    finally:
        hub.close()
        announcing.cancel()
        await watching


async def _announced(server: uvicorn.Server, started: Callable[[], None]) -> None:
    while not server.started:
        await asyncio.sleep(0.01)
    # Opening a browser can take its time.
    await asyncio.to_thread(started)
