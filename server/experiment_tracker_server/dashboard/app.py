"""Builds the dashboard: its routes, and how errors look."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import resources
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from experiment_tracker_server.dashboard import pages
from experiment_tracker_server.dashboard.actions import act
from experiment_tracker_server.dashboard.charts import embedded, themes
from experiment_tracker_server.dashboard.events import Hub, stream
from experiment_tracker_server.dashboard.guard import guarded
from experiment_tracker_server.dashboard.keys import Keys
from experiment_tracker_server.dashboard.pages import Given, Pages
from experiment_tracker_server.dashboard.reading import Reader
from experiment_tracker_server.dashboard.templating import render
from experiment_tracker_tools.core.errors import ExperimentError, InvalidInput, NotFound

_PATIENCE_S = 1.0
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
Show = Callable[[Pages, Callable[[str], str]], Given]
PAGES: dict[str, tuple[str, Show]] = {
    "": ("portfolio.html", pages.portfolio),
    "backlog": ("backlog.html", pages.backlog),
    "health": ("health.html", pages.health),
    "decisions": ("decisions.html", pages.decisions),
    "retests": ("retests.html", pages.retests),
    "search": ("search.html", pages.searched),
}
NAVIGATION = (
    ("", "Portfolio"),
    ("backlog", "Backlog"),
    ("health", "Health"),
    ("decisions", "Decisions"),
    ("retests", "Re-tests"),
    ("search", "Search"),
)


class Dashboard:
    """What the routes share: what is read, who listens, and whether anything may be changed."""

    def __init__(self, reader: Reader, keys: Keys, hub: Hub, *, writable: bool) -> None:
        self.reader, self.keys, self.hub, self.writable = reader, keys, hub, writable
        self.pages = Pages(reader, {})

    def show(self, template: str, request: Request, given: Mapping[str, object], *, status: int = 200) -> Response:
        """A page with what every page has."""
        base = self.keys.base
        here = request.url.path.removeprefix(f"{base}/").partition("/")[0]
        common = {
            "base": base,
            "here": here,
            "navigation": NAVIGATION,
            "project": self.reader.workspace.root.name,
            "writable": self.writable,
            "off": self.reader.workspace.why_off,
            "form": self.keys.form if self.writable else "",
            "embedded": embedded,
            "themes": themes(),
            "asked": request.query_params.get,
        }
        return HTMLResponse(render(template, **common, **given), status_code=status)


def build(reader: Reader, keys: Keys, hub: Hub, *, port: int, writable: bool) -> ASGIApp:
    """The whole dashboard behind its guard."""
    board = Dashboard(reader, keys, hub, writable=writable)
    listed = [Route(f"/{name}", partial(_listed, board, name), methods=["GET"]) for name in PAGES]
    inside = [
        *listed,
        Route("/experiments/{experiment}", partial(_one, board), methods=["GET"]),
        Route("/experiments/{experiment}/{action}", partial(_act, board), methods=["POST"]),
        Route("/events", partial(_events, board), methods=["GET"]),
    ]
    routes = [
        Route("/static/{name}", _static, methods=["GET"]),
        Mount(keys.base, routes=inside),
    ]
    handlers = {HTTPException: partial(_missing, board), Exception: partial(_broken, board)}
    return guarded(Starlette(routes=routes, exception_handlers=handlers), keys, port=port, writable=writable)


def _listed(board: Dashboard, name: str, request: Request) -> Response:
    template, show = PAGES[name]
    return _shown(board, request, template, lambda: show(board.pages, lambda key: request.query_params.get(key, "")))


def _one(board: Dashboard, request: Request) -> Response:
    wanted = str(request.path_params["experiment"])
    return _shown(board, request, "experiment.html", lambda: pages.experiment(board.pages, wanted))


def _shown(board: Dashboard, request: Request, template: str, given: Callable[[], Given]) -> Response:
    """The page; how far the ledger is read while that takes long; or what is wrong."""
    if not board.reader.ready.wait(_PATIENCE_S):
        return board.show("reading.html", request, {"title": "Reading the ledger", "read": board.reader.read})
    try:
        return board.show(template, request, given())
    except ExperimentError as error:
        return _told(board, request, error)


def _told(board: Dashboard, request: Request, error: ExperimentError) -> Response:
    status = 404 if isinstance(error, NotFound) else 400 if isinstance(error, InvalidInput) else 409
    titles = {404: "There is no such experiment", 400: "That cannot be asked", 409: "That did not work"}
    return board.show("failed.html", request, {"title": titles[status], "told": str(error)}, status=status)


async def _act(board: Dashboard, request: Request) -> Response:
    try:
        done = await act(board.reader.workspace, board.keys, request)
    except ExperimentError as error:
        return _told(board, request, error)
    return RedirectResponse(f"{board.keys.base}/experiments/{done.experiment}?done={done.what}", status_code=303)


async def _events(board: Dashboard, request: Request) -> Response:  # noqa: ARG001
    if board.hub.is_full:
        return Response("Too many pages are open.", status_code=503, headers={"Retry-After": "5"})
    return stream(board.hub)


def _static(request: Request) -> Response:
    """One of our own files: the name is looked up, never joined to a folder."""
    found = static_files().get(str(request.path_params["name"]))
    if found is None:
        raise HTTPException(404)
    kind, again = _KINDS[found.suffix], {"Cache-Control": "no-cache"}
    reply = FileResponse(found, media_type=kind, headers=again, stat_result=found.stat())
    if request.headers.get("if-none-match") == reply.headers["etag"]:
        return Response(status_code=304, headers={**again, "ETag": reply.headers["etag"]})
    return reply


@cache
def static_files() -> dict[str, Path]:
    """Everything that is served as it is, by its name."""
    ours = Path(str(resources.files("experiment_tracker_server.dashboard"))) / "static"
    charts = Path(str(resources.files("experiment_tracker_tools.reports"))) / "vega"
    return {path.name: path for folder in (ours, charts) for path in sorted(folder.glob("*")) if path.suffix in _KINDS}


def _missing(board: Dashboard, request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    given = {"title": "There is no such page", "told": "Choose one above, or go back."}
    return board.show("failed.html", request, given, status=status)


def _broken(board: Dashboard, request: Request, error: Exception) -> Response:  # noqa: ARG001
    """A bug: told as one here; in full on the terminal, by the server."""
    told = "This is a bug of the dashboard, and nothing was changed. Its traceback stands in the terminal."
    return board.show("failed.html", request, {"title": "Something broke", "told": told}, status=500)
