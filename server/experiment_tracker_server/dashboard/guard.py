"""The guard before every page: this host alone, no other site's doing, a known browser; and every reply's armour."""

from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from experiment_tracker_server.dashboard.keys import Keys
from experiment_tracker_server.dashboard.templating import render

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer, a browser sends our own forms as if they came from nowhere.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), browsing-topics=()",
}
OPEN = "/static/"
"""What anybody on this machine may read: style and scripts, the same for everybody."""


def guarded(app: ASGIApp, keys: Keys, *, port: int, writable: bool) -> ASGIApp:
    """The app behind its guard."""
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers = Headers(scope=scope)
        answer = (
            _foreign(headers, hosts, scope["method"])
            or _unwritable(scope["method"], writable=writable)
            or (None if scope["path"].startswith(OPEN) else _stranger(scope, headers, keys))
        )
        await (answer or app)(scope, receive, _armoured(send))

    return guard


def _foreign(headers: Headers, hosts: set[str], method: str) -> Response | None:
    """Refuse a name that merely resolves to this machine, and whatever another site makes a browser send."""
    named = headers.getlist("host")
    if len(named) != 1 or named[0].lower() not in hosts:
        return _refusal("This page answers to 127.0.0.1 and localhost alone.", HTTPStatus.MISDIRECTED_REQUEST)
    origins = headers.getlist("origin")
    if any(origin != f"http://{named[0].lower()}" for origin in origins) or (method == "POST" and not origins):
        return _refusal("Another site asked for this, so nothing was shown or changed.", HTTPStatus.FORBIDDEN)
    if headers.get("sec-fetch-site") in {"cross-site", "same-site"} and headers.get("sec-fetch-mode") != "navigate":
        return _refusal("Another site asked for this, so nothing was shown or changed.", HTTPStatus.FORBIDDEN)
    return None


def _unwritable(method: str, *, writable: bool) -> Response | None:
    if method in {"GET", "HEAD"} or (method == "POST" and writable):
        return None
    told = "This dashboard only reads. Start it with --write to pause, resume and add learnings."
    return _refusal(told, HTTPStatus.METHOD_NOT_ALLOWED if method == "POST" else HTTPStatus.NOT_IMPLEMENTED)


def _stranger(scope: Scope, headers: Headers, keys: Keys) -> Response | None:
    """Let a known browser pass; let one in that brings the token; turn everybody else away."""
    if scope["path"].startswith(f"{keys.base}/") and keys.is_known(headers.get("cookie", "")):
        return None
    given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20).get("token", [""])[0]
    if scope["method"] != "GET" or not given or not keys.admits(given):
        told = "Open the address that experiment-tracker dashboard printed; it ends when the command ends."
        return _refusal(told, HTTPStatus.FORBIDDEN)
    # A page that goes on by itself, because a redirect that another program began would not carry the cookie.
    page = HTMLResponse(render("enter.html", base=keys.base))
    page.headers["Set-Cookie"] = keys.cookie
    page.headers["Cache-Control"] = "no-store"
    return page


def _refusal(told: str, status: HTTPStatus) -> Response:
    page = render("refused.html", told=told, status=int(status), phrase=status.phrase)
    return HTMLResponse(page, status_code=status, headers={"Cache-Control": "no-store"})


def _armoured(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending
