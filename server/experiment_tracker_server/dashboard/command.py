"""The subcommand `dashboard`."""

import json
import os
import sys
from pathlib import Path

import click

from experiment_tracker_server.commands import fail
from experiment_tracker_tools.core.errors import ExperimentError
from experiment_tracker_tools.workspace import Workspace


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Port on 127.0.0.1; a free one if left out.")
@click.option(
    "--open/--no-open",
    "opens",
    default=None,
    help="Open the page in a browser; left out, only at a terminal on a desktop.",
)
@click.option("--write", "writable", is_flag=True, help="Let the page pause, resume and keep learnings.")
@click.option("--json", "json_output", is_flag=True, help="Print the address as one line of JSON.")
def dashboard(*, port: int, opens: bool | None, writable: bool, json_output: bool) -> None:
    """Show every experiment on a local page that follows the ledger, until Ctrl-C.

    The page is reached from this machine alone, by the address printed here, whose token ends with the command. It
    shows effects only as the last recorded look has them, and changes nothing unless started with --write.
    """
    from experiment_tracker_server.dashboard.keys import new_keys
    from experiment_tracker_server.dashboard.server import address, listening, serve

    try:
        workspace = Workspace(Path.cwd(), door="dashboard")
        _ = workspace.ledger.shelf
        found = listening(port)
    except ExperimentError as error:
        fail(error, json_output=json_output)
    keys, taken = new_keys(), found.getsockname()[1]

    def started() -> None:
        url = address(taken, keys, keys.token)
        if json_output:
            click.echo(json.dumps({"url": url, "port": taken, "write": writable}))
        else:
            click.echo(f"Dashboard of {workspace.root}{', may change things' if writable else ''}:\n\n  {url}\n")
            click.echo("Ctrl-C ends it.")
        sys.stdout.flush()
        if opens if opens is not None else _has_a_desktop() and not json_output:
            # The address stands on the browser's command line, where others may read it: it admits once.
            import webbrowser

            webbrowser.open(address(taken, keys, keys.ticket()))

    serve(workspace, found, keys, writable=writable, started=started)


def _has_a_desktop() -> bool:
    """Whether a browser can come up before the person who typed the command."""
    named = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return sys.stdout.isatty() and (named or sys.platform == "darwin")
