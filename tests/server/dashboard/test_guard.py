"""Only this machine's own browser that was handed the address comes in, and no other site makes it do anything."""

import http.client
from contextlib import closing
from pathlib import Path

import pytest
from tests.server.dashboard.conftest import Shown
from tests.support.board import Reply, board
from tests.support.project import Project, remembered

from experiment_tracker_server.dashboard.keys import new_keys
from experiment_tracker_server.dashboard.server import listening

STATIC = ("style.css", "live.js", "plots.js", "events.js", "icon.svg", "vega.js")
HOSTS = ("evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil.example:{port}", "[::1]")
OUTSIDE = (
    *("../app.py", "..%2fapp.py", "%2e%2e/keys.py", "..%5capp.py", "/etc/passwd", "style.css/../../app.py", "", "."),
    *("../../../../../../etc/passwd", "style.css%00.py", "....//app.py", "templates", "LICENSES.txt"),
)
EVERYWHERE = ("content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options")


def test_the_address_lets_a_browser_in_and_then_the_cookie_does(shown: Shown) -> None:
    entered = shown.board.ask(f"{shown.board.base}/?token={shown.board.token}")
    assert entered.status == 200
    assert shown.board.token not in entered.text
    held = entered.headers["set-cookie"]
    assert f"Path={shown.board.base}/;" in held
    assert held.endswith("HttpOnly; SameSite=Strict")
    assert shown.board.page().status == 200


@pytest.mark.parametrize("path", ["", "backlog", "events", "experiments/exp-2026-11-20-001", "?token=", "?token=x"])
def test_without_the_token_nothing_is_told(shown: Shown, path: str) -> None:
    assert _turned_away(shown, shown.board.ask(f"{shown.board.base}/{path}"), 403)


@pytest.mark.parametrize("held", ["experiment_tracker=", "experiment_tracker=x", "other=1", "\x00=;;", "=" * 3000])
def test_a_cookie_that_is_not_ours_lets_nobody_in(shown: Shown, held: str) -> None:
    reply = shown.board.ask(f"{shown.board.base}/", [("Cookie", held.replace("\x00", "\x01"))])
    assert reply.status in {400, 403}
    assert shown.running not in reply.text


def test_a_token_that_is_nearly_right_lets_nobody_in(shown: Shown) -> None:
    token = shown.board.token
    for wrong in (token[:-1], token + "A", token.swapcase(), token[::-1], f"{token}&token=x"[44:]):
        assert _turned_away(shown, shown.board.ask(f"{shown.board.base}/?token={wrong}"), 403)


def test_the_cookie_opens_no_other_path(shown: Shown) -> None:
    for path in ("/", "/backlog", "/other/", f"{shown.board.base}x/"):
        assert _turned_away(shown, shown.board.ask(path, [shown.board.cookie()]), 403)


def test_a_ticket_admits_once() -> None:
    keys = new_keys()
    ticket = keys.ticket()
    assert keys.admits(ticket)
    assert not keys.admits(ticket)
    assert keys.admits(keys.token)
    assert keys.admits(keys.token)
    assert not keys.admits("")


@pytest.mark.parametrize("host", HOSTS)
def test_a_name_that_merely_resolves_here_is_refused_with_the_cookie_too(shown: Shown, host: str) -> None:
    named = ("Host", host.format(port=shown.board.port))
    assert _turned_away(shown, shown.board.ask(f"{shown.board.base}/", [named, shown.board.cookie()]), 421)
    assert _turned_away(shown, shown.board.ask("/static/style.css", [named]), 421)


def test_two_hosts_are_refused(shown: Shown) -> None:
    both = [("Host", shown.board.host), ("Host", "evil.example"), shown.board.cookie()]
    assert shown.board.ask(f"{shown.board.base}/", both).status in {400, 421}


def test_localhost_is_this_machine_too(shown: Shown) -> None:
    named = ("Host", f"localhost:{shown.board.port}")
    assert shown.board.ask(f"{shown.board.base}/", [named, shown.board.cookie()]).status == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1"])
def test_another_origin_is_refused_with_the_cookie_too(shown: Shown, origin: str) -> None:
    named = ("Origin", origin.format(port=shown.board.port))
    assert _turned_away(shown, shown.board.ask(f"{shown.board.base}/", [named, shown.board.cookie()]), 403)


def test_what_another_site_embeds_is_refused_and_what_it_links_to_is_not(shown: Shown) -> None:
    embedded = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"), shown.board.cookie()]
    assert _turned_away(shown, shown.board.ask(f"{shown.board.base}/", embedded), 403)
    linked = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), shown.board.cookie()]
    assert shown.board.ask(f"{shown.board.base}/", linked).status == 200


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_out_of_the_files_that_are_meant_to_be_served(shown: Shown, path: str) -> None:
    for headers in ([], [shown.board.cookie()]):
        reply = shown.board.ask(f"/static/{path}", headers)
        assert reply.status in {400, 403, 404}
        assert "import" not in reply.text
        assert "root:" not in reply.text


@pytest.mark.parametrize("name", STATIC)
def test_style_and_scripts_are_there_for_everybody(shown: Shown, name: str) -> None:
    reply = shown.board.ask(f"/static/{name}")
    assert reply.status == 200
    assert reply.headers["content-type"].partition(";")[0] in {"text/css", "text/javascript", "image/svg+xml"}


def test_every_reply_forbids_scripts_of_others_and_frames(shown: Shown) -> None:
    base, known = shown.board.base, [shown.board.cookie()]
    for path in (f"{base}/", f"{base}/nothing", "/", "/static/style.css", "/static/no"):
        reply = shown.board.ask(path, known)
        assert all(name in reply.headers for name in EVERYWHERE)
        policy = reply.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
    assert shown.board.page().headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["", "experiments/{running}/pause", "experiments/{running}"])
def test_a_dashboard_that_only_reads_changes_nothing(shown: Shown, method: str, path: str) -> None:
    before = remembered(shown.project.workspace())
    headers = [shown.board.cookie(), ("Origin", f"http://{shown.board.host}")]
    reply = shown.board.ask(
        f"{shown.board.base}/{path.format(running=shown.running)}", headers, method=method, body="form=x"
    )
    assert reply.status in {405, 501}
    assert remembered(shown.project.workspace()) == before


def test_it_listens_to_loopback_alone() -> None:
    with listening(0) as found:
        assert found.getsockname()[0] == "127.0.0.1"


def test_no_request_is_logged_and_ctrl_c_ends_it_cleanly(plain: Project) -> None:
    with board(plain) as dashboard:
        dashboard.page()
        dashboard.ask(f"{dashboard.base}/?token=wrong")
        with closing(http.client.HTTPConnection("127.0.0.1", dashboard.port, timeout=30)) as stream:
            stream.request("GET", f"{dashboard.base}/events", headers=dict([dashboard.cookie()]))
            with stream.getresponse() as events:
                assert events.readline() == b"retry: 1000\n"
                code, out, err = dashboard.end()
    assert (code, out, err) == (0, "", "")


def test_reading_makes_no_store(plain: Project) -> None:
    with board(plain) as dashboard:
        assert "No experiment yet" in dashboard.page().text
        for path in ("backlog", "health", "decisions", "search"):
            assert dashboard.page(path).status == 200
    assert list(Path(plain.root).iterdir()) == []


def _turned_away(shown: Shown, reply: Reply, status: int) -> bool:
    assert reply.status == status, reply.text
    assert "set-cookie" not in reply.headers
    assert shown.board.base.strip("/") not in reply.text
    return not any(told in reply.text for told in (shown.running, shown.decided, shown.project.root.name + "</span>"))
