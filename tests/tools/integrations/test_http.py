"""The client under the providers: where it goes, what it tries again, what it tells."""

import httpx2
import pytest
from tests.tools.integrations.vendors import KEY, GrowthBookServer, Vendor

from experiment_tracker_tools.core.errors import InvalidInput
from experiment_tracker_tools.integrations.http import Api, checked_url
from experiment_tracker_tools.integrations.ports import FlagFailure


def api(server: Vendor, waits: list[float] | None = None) -> Api:
    waited = [] if waits is None else waits
    return Api(
        "https://x.example",
        headers={"Authorization": "Bearer token"},
        transport=server.transport(),
        sleep=waited.append,
    )


@pytest.mark.parametrize("url", ["https://a.example", "http://localhost:4242", "http://127.0.0.1:1", "http://[::1]:1"])
def test_https_and_loopback_are_allowed(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example",
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "ftp://a.example",
        "file:///etc/passwd",
        "a.example",
        "",
        "https://user:secret@a.example",
        "https://a.example?token=secret",
    ],
)
def test_everything_else_is_refused_without_showing_a_secret(url: str) -> None:
    with pytest.raises(InvalidInput) as told:
        checked_url(url)
    assert "secret" not in str(told.value)


def test_a_busy_server_is_asked_again_with_growing_waits() -> None:
    server, waits = GrowthBookServer(), list[float]()
    server.failures = [503, 429, 500]
    assert api(server, waits).get("api", "v1", "features", KEY)["feature"]["id"] == KEY
    assert len(server.log) == 4
    assert waits[0] < waits[1] < waits[2]


def test_it_gives_up_and_says_so() -> None:
    server = GrowthBookServer()
    server.failures = [503] * 9
    with pytest.raises(FlagFailure, match="status 503, tried 4 times"):
        api(server).get("api", "v1", "features", KEY)
    assert len(server.log) == 4


def test_a_refusal_is_not_asked_again() -> None:
    server = GrowthBookServer()
    server.failures = [403, 200]
    with pytest.raises(FlagFailure, match="does not allow"):
        api(server).get("api", "v1", "features", KEY)
    assert len(server.log) == 1


def test_something_new_is_sent_once_only() -> None:
    server = GrowthBookServer()
    server.failures = [503]
    with pytest.raises(FlagFailure, match="tried 1 times"):
        api(server).create("api", "v1", "features", KEY, body={})
    assert len(server.log) == 1


def test_a_redirect_is_not_followed_with_the_credential() -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.host)
        return httpx2.Response(302, headers={"Location": "https://evil.example/"})

    client = Api("https://x.example", headers={"Authorization": "s"}, transport=httpx2.MockTransport(answer))
    with pytest.raises(FlagFailure, match="status 302"):
        client.get("a")
    assert seen == ["x.example"]


def test_an_answer_that_is_no_json_is_a_failure_and_not_a_number() -> None:
    client = Api(
        "https://x.example", headers={}, transport=httpx2.MockTransport(lambda _: httpx2.Response(200, text="<html>"))
    )
    with pytest.raises(FlagFailure, match="not JSON"):
        client.get("a")
