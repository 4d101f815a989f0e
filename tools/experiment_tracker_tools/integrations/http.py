"""A small JSON client for the providers: https only (loopback apart), deadlines, retries, no secrets told."""

import ipaddress
import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.core.text import quoted
from experiment_tracker_tools.integrations.ports import FlagFailure

if TYPE_CHECKING:
    import httpx2

Json = Any
_TRIES = 4
_RETRIED = {408, 425, 429, 500, 502, 503, 504}
_MOST_WAIT_S = 8.0


class Api:
    """One provider's API.

    Args:
        url: where it lives; https, or anything on the loopback interface.
        headers: credentials among them; they are sent nowhere else and told to nobody.
        transport: what carries the requests; a test hands its own.
        sleep: waits between tries.

    Raises:
        InvalidInput: for another scheme or host.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        transport: "httpx2.BaseTransport | None" = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = checked_url(url)
        self._headers = dict(headers)
        self._transport = transport
        self._sleep = sleep

    def get(self, *path: str, query: Mapping[str, str] | None = None) -> Json:
        """What a path answers."""
        return self._sent("GET", path, query=query)

    def send(self, method: str, *path: str, body: Json = None, content_type: str = "application/json") -> Json:
        """What a path answers to a change that may be sent twice: it sets something to a value."""
        return self._sent(method, path, body=body, content_type=content_type)

    def create(self, *path: str, body: Json) -> Json:
        """What a path answers to something new; tried once, because a second one could come of a lost answer."""
        return self._sent("POST", path, body=body, tries=1)

    def _sent(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: Json = None,
        content_type: str = "application/json",
        tries: int = _TRIES,
    ) -> Json:
        import httpx2

        target = "/".join((self._url, *map(_segment, path)))
        failure = "no answer"
        for left in reversed(range(tries)):
            try:
                headers = {"Content-Type": content_type} if body is not None else {}
                with self._client() as client:
                    reply = client.request(method, target, params=query, json=body, headers=headers)
            except httpx2.HTTPError as error:
                failure = type(error).__name__
                self._wait(tries - left, None, left)
                continue
            if reply.status_code not in _RETRIED:
                return _answered(reply, method, path)
            failure = f"status {reply.status_code}"
            self._wait(tries - left, reply.headers.get("Retry-After"), left)
        raise FlagFailure(f"{method} {_shown(path)}: {failure}, tried {tries} times. Read the flag before you go on.")

    def _client(self) -> "httpx2.Client":
        import httpx2

        return httpx2.Client(
            headers=self._headers,
            timeout=httpx2.Timeout(10.0, connect=5.0),
            follow_redirects=False,
            trust_env=False,
            transport=self._transport,
        )

    def _wait(self, tried: int, asked: str | None, left: int) -> None:
        if not left:
            return
        backoff = 0.125 * 2**tried * (1 + random.random())  # noqa: S311 jitter
        wanted = float(asked) if asked is not None and asked.isdigit() else backoff
        self._sleep(min(wanted, _MOST_WAIT_S))


def checked_url(url: str) -> str:
    """The URL without its last slash.

    Raises:
        InvalidInput: unless it is https, or http on the loopback interface; credentials in it are refused.

    >>> checked_url("https://app.example.org/api/")
    'https://app.example.org/api'
    """
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise InvalidInput("The provider's URL holds credentials, a query or a fragment. Give scheme, host and path.")
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))):
        return url.rstrip("/")
    raise InvalidInput(f"The provider's URL {quoted(url)} is not https. Give https://..., or a loopback address.")


def _segment(part: str) -> str:
    """One segment of a path, whatever characters it has; a dot segment would lead to another place."""
    if part in {".", ".."}:
        raise FlagFailure(f"{quoted(part)} is no key, project or environment. Mend it.")
    return quote(part, safe="")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: the only one that may be asked without TLS.

    >>> is_loopback("127.0.0.1"), is_loopback("[::1]".strip("[]")), is_loopback("10.0.0.1")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _answered(reply: "httpx2.Response", method: str, path: tuple[str, ...]) -> Json:
    if reply.is_success:
        try:
            return reply.json() if reply.content.strip() else None
        except ValueError as error:
            raise FlagFailure(f"{method} {_shown(path)} answered something that is not JSON.") from error
    mend = {
        401: "the credential is missing or wrong",
        403: "the credential does not allow this",
        404: "there is no such thing: check key, project and environment",
        409: "somebody changed it meanwhile: read it again",
    }.get(reply.status_code, "it was refused")
    raise FlagFailure(f"{method} {_shown(path)}: status {reply.status_code}, {mend}.")


def _shown(path: tuple[str, ...]) -> str:
    return quoted("/".join(path), 120)
