"""Sends a line of text to a webhook that understands Slack's JSON; never a row, never more than it is handed."""

import json
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.integrations.http import is_loopback

TIME_LIMIT_S = 5.0


class Receiver(NamedTuple):
    """Where alerts go: to whom, by which path, and whether over TLS."""

    host: str
    port: int | None
    path: str
    secure: bool


def receiver_of(url: str) -> Receiver:
    """Read an address that may receive alerts.

    Raises:
        InvalidInput: unless it is https, or http to this machine; the address itself is a secret and is not told.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInput("The webhook is no address. Give https://HOST/PATH.") from error
    allowed = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host or ""))
    if not allowed or not host or parts.username is not None or not url.isascii() or any(c <= " " for c in url):
        raise InvalidInput("The webhook must be an https address (http only to this machine), without a user in it.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(host, port, path, parts.scheme == "https")


def post(url: str, text: str) -> str | None:
    """Send a text; gives why it did not arrive, None where it did. Redirects are not followed.

    Raises:
        InvalidInput: if the address may not receive alerts.
    """
    receiver = receiver_of(url)
    kind = HTTPSConnection if receiver.secure else HTTPConnection
    connection = kind(receiver.host, receiver.port, timeout=TIME_LIMIT_S)
    try:
        connection.request("POST", receiver.path, json.dumps({"text": text}), {"Content-Type": "application/json"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return f"the webhook cannot be reached ({type(error).__name__})"
    finally:
        connection.close()
    return None if 200 <= status < 300 else f"the webhook answered {status}"
